// Compiles Python files with Pyodide, which must be installed in the working directory: node compile.mjs SOURCES.zip CODE.zip
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [sources, code] = process.argv.slice(2);
const found = createRequire(`${process.cwd()}/`).resolve("pyodide/package.json");
const { loadPyodide } = await import(pathToFileURL(found.replace("package.json", "pyodide.mjs")));
const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
python.FS.writeFile("/sources.zip", readFileSync(sources));
try {
  python.runPython(readFileSync(new URL("compile.py", import.meta.url), "utf8"));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
writeFileSync(code, python.FS.readFile("/code.zip"));
