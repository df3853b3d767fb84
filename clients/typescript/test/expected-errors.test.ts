import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const TEST = fileURLToPath(new URL("../test/", import.meta.url));
const FILE = `${TEST}types.ts`;
const MARK = "// @ts-expect-error";
const README = fileURLToPath(new URL("../README.md", import.meta.url));
/** What the snippets in README.md expect around them: the user manager of oidc-client-ts. */
const PREAMBLE = `interface User { id_token?: string; access_token: string }
declare const users: { getUser(): Promise<User | null>; signinSilent(): Promise<User | null> };
`;

/** Returns the errors of the compiler in files that exist only in memory, as `line: message`, by file name. */
function errors(files: Readonly<Record<string, string>>): Record<string, [number, string][]> {
  const { config } = ts.readConfigFile(`${TEST}tsconfig.json`, ts.sys.readFile) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, TEST);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => name in files || fileExists.call(host, name);
  host.readFile = (name) => files[name] ?? readFile.call(host, name);
  const program = ts.createProgram(Object.keys(files), { ...options, noEmit: true }, host);
  const found: Record<string, [number, string][]> = Object.fromEntries(Object.keys(files).map((name) => [name, []]));
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? -1;
    found[file?.fileName ?? ""]?.push([line, ts.flattenDiagnosticMessageText(messageText, " ")]);
  }
  return found;
}

test("the compiler refuses exactly the marked lines of types.ts and accepts the snippets of README.md", () => {
  const text = readFileSync(FILE, "utf8");
  const marked = text.split("\n").flatMap((line, index) => (line.trim().startsWith(MARK) ? [index + 1] : []));
  const snippets = [...readFileSync(README, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => PREAMBLE + code);
  const names = snippets.map((_, index) => `${TEST}readme-${index}.ts`);
  const inReadme = Object.fromEntries(names.map((name, index) => [name, snippets[index] ?? ""]));
  // Without the marks, the compiler reports the errors that the marks hide.
  const found = errors({ [FILE]: text.replaceAll(MARK, "// marked"), ...inReadme });
  assert.ok(marked.length > 0 && names.length > 0);
  assert.deepEqual([...new Set(found[FILE]?.map(([line]) => line))], marked, JSON.stringify(found[FILE]));
  for (const name of names) assert.deepEqual(found[name], [], name);
});
