import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const TEST = fileURLToPath(new URL("../test/", import.meta.url));
const FILE = `${TEST}types.ts`;
const MARK = "// @ts-expect-error";

test("the compiler refuses exactly the lines that types.ts marks", () => {
  const text = readFileSync(FILE, "utf8");
  const marked = text.split("\n").flatMap((line, index) => (line.trim().startsWith(MARK) ? [index + 1] : []));
  const { config } = ts.readConfigFile(`${TEST}tsconfig.json`, ts.sys.readFile) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, TEST);
  const host = ts.createCompilerHost(options);
  // Without the marks, the compiler reports the errors that the marks hide.
  const unmarked = text.replaceAll(MARK, "// marked");
  const read = host.readFile.bind(host);
  host.readFile = (name) => (name === FILE ? unmarked : read(name));
  const program = ts.createProgram([FILE], { ...options, noEmit: true }, host);
  const found = ts.getPreEmitDiagnostics(program).map(({ file, start }) => {
    assert.equal(file?.fileName, FILE);
    return file.getLineAndCharacterOfPosition(start ?? 0).line;
  });
  assert.ok(marked.length > 0);
  assert.deepEqual([...new Set(found)], marked);
});
