import createClient, { type Client } from "openapi-fetch";
import type { paths as HttpPaths } from "./generated/http.js";
import type { paths as RestPaths } from "./generated/rest.js";
import { type KeyStorage, memoryStorage } from "./keys.js";
import { CLOCK, type Clock } from "./retries.js";
import { authorized, type Tokens } from "./tokens.js";

/** The part of the stack output `frontend`, and of the runtime `config.json`, that the client needs. */
export interface OrdersConfig {
  readonly restApi: { readonly url: string };
  readonly httpApi: { readonly url: string };
}

/** Options of `createOrdersClient`. */
export interface OrdersClientOptions {
  /** The stack output `frontend`, or the runtime `config.json`. */
  config: OrdersConfig;
  /** Returns the signed-in user's tokens. */
  tokens: Tokens;
  /** Base URLs of proxies on the page's own origin, for example `{ rest: "/api/rest", http: "/api/http" }`. */
  baseUrls?: { rest?: string | undefined; http?: string | undefined } | undefined;
  /** Keeps the idempotency keys of unanswered orders. `sessionStorage` survives a reload; the default does not. */
  keys?: KeyStorage | undefined;
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Replaces the time, for tests. */
  clock?: Clock | undefined;
}

/** The two APIs of the platform. Each request gets the token that its API requires. */
export interface OrdersClient {
  /** Profiles and orders: contracts/rest-api.yaml. */
  readonly rest: Client<RestPaths>;
  /** Products: contracts/http-api.yaml. */
  readonly http: Client<HttpPaths>;
  readonly keys: KeyStorage;
  readonly clock: Clock;
}

/** Returns a client of both APIs. */
export function createOrdersClient(options: OrdersClientOptions): OrdersClient {
  const { config, tokens, baseUrls, keys = memoryStorage(), clock = CLOCK } = options;
  // `fetch` is looked up at each request, so that a tool that replaces the global `fetch` later still sees it.
  const send: typeof fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  return {
    rest: createClient<RestPaths>({
      baseUrl: absolute(baseUrls?.rest ?? config.restApi.url),
      fetch: authorized("id", tokens, send),
    }),
    http: createClient<HttpPaths>({
      baseUrl: absolute(baseUrls?.http ?? config.httpApi.url),
      fetch: authorized("access", tokens, send),
      // The parameter `ids` of the contract is one list: ids=teapot,cup.
      querySerializer: { array: { style: "form", explode: false } },
    }),
    keys,
    clock,
  };
}

/** Returns a URL that Node.js accepts too, because only browsers resolve a path against the page. */
function absolute(url: string): string {
  const page = typeof location === "undefined" ? undefined : location.href;
  return new URL(url, page).href.replace(/\/+$/, "");
}
