import * as checks from "./generated/validators.js";
import type { InvalidField, NewOrder, NewProduct, NewUser } from "./types.js";

/** A rule of the contract that a request body violates, as in the `details` of a `ValidationError`. */
export interface Violation extends InvalidField {
  /** The value of the keyword: the maximum, the pattern, the allowed values. */
  readonly limit?: unknown;
}

/** Returns every violation in the body of `POST /orders` or `POST /process`. The body is valid if there are none. */
export function validateNewOrder(body: unknown): Violation[] {
  const found = violations(checks.createOrder, body);
  return found.length > 0 ? found : repeatedProducts(body as NewOrder);
}

/**
 * Returns every violation in the body of `POST /users`. The platform also refuses names with domain names, and
 * addresses other than the verified one in the caller's token.
 */
export function validateNewUser(body: unknown): Violation[] {
  return violations(checks.createUser, body);
}

/** Returns every violation in the body of `PUT /products/{product_id}`. */
export function validateNewProduct(body: unknown): Violation[] {
  return violations(checks.putProduct, body);
}

/** Whether a value is a valid body of `POST /orders` or `POST /process`. */
export function isNewOrder(body: unknown): body is NewOrder {
  return validateNewOrder(body).length === 0;
}

/** Whether a value matches the schema of the body of `POST /users`. */
export function isNewUser(body: unknown): body is NewUser {
  return validateNewUser(body).length === 0;
}

/** Whether a value is a valid body of `PUT /products/{product_id}`. */
export function isNewProduct(body: unknown): body is NewProduct {
  return validateNewProduct(body).length === 0;
}

/** A validator that Ajv generated. */
interface Check {
  (body: unknown): boolean;
  errors?: CheckError[] | null;
}

interface CheckError {
  instancePath: string;
  keyword: string;
  message?: string;
  params: Record<string, unknown>;
}

function violations(check: unknown, body: unknown): Violation[] {
  const run = check as Check;
  return run(body) ? [] : (run.errors ?? []).map(violation);
}

/** Returns an error of Ajv in the form of the contract. Ajv names each parameter differently. */
function violation({ instancePath, keyword, message = "", params }: CheckError): Violation {
  const missing = params["missingProperty"];
  const pointer = typeof missing === "string" ? `${instancePath}/${missing}` : instancePath;
  const limit = params["limit"] ?? params["pattern"] ?? params["allowedValues"] ?? params["type"];
  return { pointer, rule: keyword, message, ...(limit === undefined ? {} : { limit }) };
}

/** The schema cannot say that each product may have only one line, so this rule is written by hand. */
function repeatedProducts({ items }: NewOrder): Violation[] {
  const seen = new Set<string>();
  const found: Violation[] = [];
  items.forEach(({ product_id }, position) => {
    const pointer = `/items/${position}/product_id`;
    if (seen.has(product_id)) found.push({ pointer, rule: "uniqueItems", message: "has several lines" });
    seen.add(product_id);
  });
  return found;
}
