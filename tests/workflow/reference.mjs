// Evaluates what it reads as JSON, [{expression, bindings}], with JSONata's reference implementation, and prints the
// results as JSON. Its argument is the folder that has node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const jsonata = createRequire(`${process.argv[2]}/`)("jsonata");
const results = [];
for (const { expression, bindings } of JSON.parse(readFileSync(0, "utf8"))) {
  const compiled = jsonata(expression);
  // Step Functions' own function.
  compiled.registerFunction("parse", (text) => JSON.parse(text), "<s:x>");
  try {
    results.push({ value: await compiled.evaluate(undefined, bindings) });
  } catch (error) {
    results.push({ error: `${error.code}: ${error.message}` });
  }
}
process.stdout.write(JSON.stringify(results));
