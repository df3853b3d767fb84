// Sends requests to the mocks for tests/clients, and writes each request with its response to standard output.
import { readFileSync } from "node:fs";
import { createMocks, MOCK_CONFIG, type MockOperation } from "@orders/client/mocks";
import type { ErrorCode } from "@orders/client";
import { setupServer } from "msw/node";

interface Step {
  api: "rest" | "http";
  method: string;
  /** `{order_id}` is the id of the newest order. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  admin?: boolean;
  fail?: { operation: MockOperation; code: ErrorCode };
}

const mocks = createMocks();
setupServer(...mocks.handlers).listen({ onUnhandledRequest: "error" });
const answers: unknown[] = [];
for (const { api, method, path, body, headers, admin, fail } of JSON.parse(readFileSync(0, "utf8")) as Step[]) {
  mocks.platform.caller.isAdmin = admin ?? false;
  if (fail) mocks.failNext(fail.operation, fail.code);
  const actual = path.replace("{order_id}", mocks.platform.orders()[0]?.order_id ?? "");
  const { url } = api === "rest" ? MOCK_CONFIG.restApi : MOCK_CONFIG.httpApi;
  const response = await fetch(url + actual, {
    method,
    headers: { Authorization: "Bearer token", "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  answers.push({
    path: actual,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: (await response.json()) as unknown,
  });
}
process.stdout.write(JSON.stringify(answers));
