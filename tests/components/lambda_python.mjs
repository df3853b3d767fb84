// Runs the Python of standard input in CPython 3.13: node lambda_python.mjs RUNTIME LAYER ..., prints its result.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
const found = createRequire(`${process.cwd()}/`).resolve("pyodide/package.json");
const { loadPyodide } = await import(pathToFileURL(found.replace("package.json", "pyodide.mjs")));
const python = await loadPyodide();
const [runtime, ...layers] = process.argv.slice(2);
try {
  python.FS.mkdirTree("/var/runtime");
  python.mountNodeFS("/var/runtime", runtime);
  for (const layer of layers) {
    python.FS.writeFile("/layer.zip", readFileSync(layer));
    python.runPython("import zipfile; zipfile.ZipFile('/layer.zip').extractall('/opt')");
  }
  console.log(python.runPython(readFileSync(0, "utf8")));
} catch (error) {
  console.error(String(error.message), error.errno);
  process.exit(1);
}
