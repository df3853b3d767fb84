// Evaluates JSONata expressions with the reference implementation. Reads JSON, [{expression, bindings}], from standard
// input and prints the results as JSON. The argument is the folder that contains node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const jsonata = createRequire(`${process.argv[2]}/`)("jsonata");
const results = [];
for (const { expression, bindings } of JSON.parse(readFileSync(0, "utf8"))) {
  const compiled = jsonata(expression);
  // Step Functions adds this function to JSONata.
  compiled.registerFunction("parse", (text) => JSON.parse(text), "<s:x>");
  try {
    results.push({ value: await compiled.evaluate(undefined, bindings) });
  } catch (error) {
    results.push({ error: `${error.code}: ${error.message}` });
  }
}
process.stdout.write(JSON.stringify(results));
