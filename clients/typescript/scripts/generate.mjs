// Writes the generated modules of the package from contracts/: the types, the error codes, the request validators and
// the examples.
// `make client` runs this script: node scripts/generate.mjs OUTPUT_FOLDER
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import Ajv from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import openapiTS, { astToString } from "openapi-typescript";
import { parse } from "yaml";

const CONTRACTS = new URL("../../../contracts/", import.meta.url);
const APIS = { rest: "rest-api.yaml", http: "http-api.yaml" };
const HEAD = "// Generated from contracts/ by `make client`. Do not edit.\n";
const METHODS = ["get", "put", "post", "delete", "patch"];
// JSON Schema counts characters, and JavaScript's `length` counts UTF-16 code units. Ajv imports a function that counts
// characters. The generated module contains this function instead, so that Ajv is not needed at run time.
const CHARACTERS = "const characters = (text) => { let count = 0; for (const _ of text) count++; return count; };\n";
const AJV_IMPORT = /const (\w+) = require\("ajv\/dist\/runtime\/ucs2length"\)\.default;/g;

async function documents() {
  const entries = Object.entries(APIS).map(async ([api, file]) => {
    return [api, parse(await readFile(new URL(file, CONTRACTS), "utf8"))];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function* nodes(value) {
  if (value === null || typeof value !== "object") return;
  yield value;
  for (const inner of Object.values(value)) yield* nodes(inner);
}

// The error codes are the values of every property `code` in the schemas.
function codes(apis) {
  const found = new Set();
  for (const node of nodes(Object.values(apis).map((api) => api.components))) {
    for (const code of node.properties?.code?.enum ?? []) found.add(code);
  }
  const list = [...found]
    .sort()
    .map((code) => `  ${JSON.stringify(code)},\n`)
    .join("");
  return `${HEAD}
/** Every error code of the contract. */
export const ERROR_CODES = [\n${list}] as const;
`;
}

// Returns what a reference inside a document refers to, or the value itself if it is no reference.
function target(document, value) {
  if (!value?.$ref) return value;
  return value.$ref
    .split("/")
    .slice(1)
    .reduce((node, name) => node[name], document);
}

function* operations(apis) {
  for (const [api, document] of Object.entries(apis)) {
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of METHODS) {
        if (item[method]) yield { api, document, path, method, operation: item[method] };
      }
    }
  }
}

// Returns the schema of each request body, by operation id. Ajv resolves references inside the document.
function* bodies(apis) {
  for (const { api, document, operation } of operations(apis)) {
    const body = target(document, operation.requestBody);
    if (body) yield [operation.operationId, { $ref: `${api}${body.content["application/json"].schema.$ref}` }];
  }
}

// Returns the examples of each operation: one per success, and one per error code.
function examples(apis) {
  const found = {};
  for (const { api, document, path, method, operation } of operations(apis)) {
    const entry = { api, method, path, success: [], errors: {} };
    for (const [status, reference] of Object.entries(operation.responses)) {
      const content = target(document, reference).content?.["application/json"];
      for (const example of Object.values(content?.examples ?? {})) {
        const { value } = target(document, example);
        if (status.startsWith("2")) entry.success.push({ status: Number(status), body: value });
        else if (value.code) entry.errors[value.code] ??= value;
      }
    }
    found[operation.operationId] = entry;
  }
  return `${HEAD}
/** The operations of the contract, with the examples of their responses. */
export const OPERATIONS = ${JSON.stringify(found, null, 2)} as const;
`;
}

// Ajv copies the schemas into the module. Without their texts the module is half as long.
function withoutTexts(key, value) {
  return key === "description" && typeof value === "string" ? undefined : value;
}

function validators(apis) {
  // Strict mode stops at every keyword that Ajv does not know, so no rule of the contract is ignored.
  const ajv = new Ajv.default({
    strict: true,
    allErrors: true,
    code: { source: true, esm: true, optimize: 2 },
    keywords: ["components", "example"],
  });
  for (const [api, { components }] of Object.entries(apis)) {
    ajv.addSchema(JSON.parse(JSON.stringify({ components }, withoutTexts)), api);
  }
  const exported = {};
  for (const [operationId, schema] of bodies(apis)) {
    ajv.addSchema(schema, operationId);
    exported[operationId] = operationId;
  }
  const code = standaloneCode.default(ajv, exported).replace('"use strict";', "");
  const own = code.replaceAll(AJV_IMPORT, "const $1 = characters;");
  if (/\brequire\(/.test(own))
    throw new Error("Ajv generated another import than expected; adapt scripts/generate.mjs");
  return `// @ts-nocheck\n${HEAD}${CHARACTERS}${own.trim()}\n`;
}

const folder = argv[2] ?? "src/generated";
const apis = await documents();
await mkdir(folder, { recursive: true });
for (const [api, file] of Object.entries(APIS)) {
  const types = astToString(await openapiTS(new URL(file, CONTRACTS)));
  await writeFile(join(folder, `${api}.ts`), `${HEAD}\n${types}`);
}
await writeFile(join(folder, "codes.ts"), codes(apis));
await writeFile(join(folder, "examples.ts"), examples(apis));
await writeFile(join(folder, "validators.ts"), validators(apis));
