import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before } from "node:test";
import type { Clock, Product } from "@orders/client";
import { createMocks, type Mocks } from "@orders/client/mocks";
import { Window } from "happy-dom";
import { setupServer } from "msw/node";
import type { Session } from "../src/session.js";

const SITE = "https://shop.test";
/** The addresses of both APIs on the site's own origin. */
export const APIS = { restApi: { url: `${SITE}/api/rest` }, httpApi: { url: `${SITE}/api/http` } };
const [, BODY = ""] = /<body>(.*)<\/body>/s.exec(readFileSync("index.html", "utf8")) ?? [];
/** What the shop uses of a browser. Everything else, such as `fetch`, comes from Node.js. */
const GLOBALS = [
  "document",
  "Element",
  "Event",
  "FormData",
  "history",
  "localStorage",
  "location",
  "Node",
  "sessionStorage",
] as const;

export const server = setupServer();
let sent: Request[] = [];
let unexpected: string[] = [];

before(() => server.listen({ onUnhandledRequest: "error" }));
after(() => server.close());
server.events.on("request:start", ({ request }) => void sent.push(request.clone()));
// The shop shows a refused request as a lost connection, so the error alone would not always fail the test.
server.events.on("request:unhandled", ({ request }) => void unexpected.push(`${request.method} ${request.url}`));
afterEach(() => assert.deepEqual(unexpected, [], "requests outside of the mocks"));

/** A clock that jumps instead of waiting, or that stands still until the test lets it run. */
export class TestClock implements Clock {
  #time = 0;
  #gate: Promise<void> | undefined;
  #open = (): void => undefined;
  now(): number {
    return this.#time;
  }
  async sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#gate;
    signal?.throwIfAborted();
    this.#time += ms;
  }
  stop(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }
  run(): void {
    this.#gate = undefined;
    this.#open();
  }
}

/** A visit to the shop by somebody who is signed in. */
export interface Visit {
  readonly mocks: Mocks;
  readonly clock: TestClock;
  /** The paths from which the shop has opened the sign-in page. */
  readonly signIns: string[];
  /** Returns the requests that the shop has sent so far, for example those of `"POST /orders"`. */
  sent(request: string): Request[];
  /** Loads the current page again. */
  reload(): Promise<void>;
}

interface VisitOptions {
  mocks?: Mocks;
  clock?: TestClock;
  isAdmin?: boolean;
  isSignedIn?: boolean;
}

/** Returns a mocked platform at the addresses that the shop uses. */
export function mocked(products?: readonly Product[]): Mocks {
  return createMocks({ config: APIS, products });
}

/** Opens a page of the shop in a new browser. */
export async function visit(path: string, options: VisitOptions = {}): Promise<Visit> {
  const { mocks = mocked(), clock = new TestClock(), isAdmin = false, isSignedIn = true } = options;
  server.resetHandlers(...mocks.handlers);
  sent = [];
  unexpected = [];
  const signIns: string[] = [];
  const session: Session = {
    isSignedIn,
    userId: mocks.platform.caller.userId,
    email: "ann@example.com",
    isAdmin,
    tokens: (use) => `${use}-token`,
    signIn: async (from = location.pathname) => void signIns.push(from),
    signOut: async () => undefined,
  };
  await load(SITE + path, session, clock);
  return {
    mocks,
    clock,
    signIns,
    sent: (request) => sent.filter(({ method, url }) => request === `${method} ${url.replace(/^.*\/api\/\w+/, "")}`),
    reload: async () => {
      const storages = [localStorage, sessionStorage].map((storage) => ({ ...storage }));
      await load(location.href, session, clock, storages);
    },
  };
}

async function load(
  url: string,
  session: Session,
  clock: Clock,
  storages: readonly Record<string, string>[] = [],
): Promise<void> {
  const window = new Window({ url });
  window.document.documentElement.lang = "en";
  window.document.body.innerHTML = BODY;
  for (const name of ["window", ...GLOBALS]) {
    const value: unknown = name === "window" ? window : Reflect.get(window, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  Object.assign(localStorage, storages[0]);
  Object.assign(sessionStorage, storages[1]);
  // The pages read the language of the document when they are imported.
  const { openShop } = await import("../src/router.js");
  const { clientOf } = await import("../src/shop.js");
  openShop(session, { ...clientOf(session), clock });
}
