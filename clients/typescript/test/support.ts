import {
  type Clock,
  createOrdersClient,
  type KeyStorage,
  type Order,
  type OrdersClient,
  type Tokens,
} from "@orders/client";

export const CONFIG = { restApi: { url: "http://rest.test/stage" }, httpApi: { url: "http://http.test" } };
export const ORDER_ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
export const LINES = [{ product_id: "teapot", quantity: 2 }];
/** An answer of the fake server: a status with a body and headers, or a lost connection. */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | "lost";

export function pending(): Order {
  const at = "2026-01-02T03:04:05.678Z";
  return { order_id: ORDER_ID, user_id: "u", status: "PENDING", items: LINES, created_at: at, updated_at: at };
}

export function confirmed(): Order {
  const items = [{ product_id: "teapot", quantity: 2, unit_price: 500, name: "Teapot" }];
  return { ...pending(), status: "CONFIRMED", items, total: 1000, currency: "JPY" };
}

/** A clock that jumps instead of waiting. */
export class FakeClock implements Clock {
  time = 0;
  readonly waits: number[] = [];
  now(): number {
    return this.time;
  }
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.time += ms;
    this.waits.push(ms);
    return Promise.resolve();
  }
}

export interface Harness {
  client: OrdersClient;
  clock: FakeClock;
  /** The requests that the server received. */
  requests: Request[];
}

/** Returns a client of a fake server that gives the answers one after the other. */
export function harness(
  answers: Answer[],
  { tokens = tokensOf, keys }: { tokens?: Tokens; keys?: KeyStorage } = {},
): Harness {
  const clock = new FakeClock();
  const requests: Request[] = [];
  const send = (input: RequestInfo | URL): Promise<Response> => {
    const request = input as Request;
    requests.push(request.clone());
    const answer = answers.shift();
    if (answer === undefined) return Promise.reject(new Error(`unexpected request: ${request.method} ${request.url}`));
    if (answer === "lost") return Promise.reject(new TypeError("Failed to fetch"));
    return Promise.resolve(Response.json(answer.body ?? {}, { status: answer.status, headers: answer.headers ?? {} }));
  };
  const client = createOrdersClient({ config: CONFIG, tokens, fetch: send, clock, ...(keys ? { keys } : {}) });
  return { client, clock, requests };
}

export function tokensOf(use: "id" | "access"): string {
  return `${use}-token`;
}

/** Returns an unsigned JSON Web Token with these claims. */
export function jwt(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;
}

export function error(code: string): { code: string; message: string; request_id: string } {
  return { code, message: "for developers", request_id: "request-1" };
}
