// Validates request bodies for tests/clients: reads {"operation", "body"} objects from standard input, and writes the
// violations of each body to standard output.
import { readFileSync } from "node:fs";
import { validateNewOrder, validateNewProduct, validateNewUser } from "@orders/client";

const VALIDATORS = {
  createOrder: validateNewOrder,
  processOrder: validateNewOrder,
  createUser: validateNewUser,
  putProduct: validateNewProduct,
};
const given = JSON.parse(readFileSync(0, "utf8")) as { operation: keyof typeof VALIDATORS; body: unknown }[];
process.stdout.write(JSON.stringify(given.map(({ operation, body }) => VALIDATORS[operation](body))));
