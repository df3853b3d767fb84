// Sends requests to the mocks for tests/clients, and writes each response to standard output.
import { readFileSync } from "node:fs";
import type { ErrorCode } from "@orders/client";
import { createMocks, MOCK_CONFIG, type MockOperation } from "@orders/client/mocks";
import { setupServer } from "msw/node";

interface Step {
  api: "rest" | "http";
  method: string;
  /** `{order_id}` is the id of the newest order. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  admin?: boolean;
  /** Whether the mocks respond with the examples of the contract. */
  examples?: boolean;
  fail?: { operation: MockOperation; code: ErrorCode };
}

const stateful = createMocks();
const fixed = createMocks({ examples: true });
const server = setupServer();
server.listen({ onUnhandledRequest: "error" });
const answers: unknown[] = [];
for (const step of JSON.parse(readFileSync(0, "utf8")) as Step[]) {
  const mocks = step.examples ? fixed : stateful;
  server.resetHandlers(...mocks.handlers);
  mocks.platform.caller.isAdmin = step.admin ?? false;
  if (step.fail) mocks.failNext(step.fail.operation, step.fail.code);
  const path = step.path.replace("{order_id}", mocks.platform.orders()[0]?.order_id ?? "");
  const { url } = step.api === "rest" ? MOCK_CONFIG.restApi : MOCK_CONFIG.httpApi;
  const response = await fetch(url + path, {
    method: step.method,
    headers: { Authorization: "Bearer token", "Content-Type": "application/json", ...step.headers },
    ...(step.body === undefined ? {} : { body: JSON.stringify(step.body) }),
  });
  const { status, headers } = response;
  answers.push({ path, status, headers: Object.fromEntries(headers), body: (await response.json()) as unknown });
}
process.stdout.write(JSON.stringify(answers));
