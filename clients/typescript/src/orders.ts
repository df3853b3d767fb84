import type { OrdersClient } from "./client.js";
import { ApiError, answered, retryAfterMs, unwrap } from "./errors.js";
import { forgetKey, keyFor } from "./keys.js";
import { attemptSignal, type RetryOptions, retrying } from "./retries.js";
import type { CancelledOrder, DecidedOrder, NewOrder, NewOrderLine, Order, PaidOrder, Product } from "./types.js";

/** Options of `placeOrder` and `payNow`. */
export interface OrderOptions extends RetryOptions {
  /**
   * The `Idempotency-Key`. By default, the client chooses a key and keeps it until the platform has answered. A second
   * call with the same lines after a lost connection therefore returns the same order.
   */
  key?: string | undefined;
  /** The total that the page shows, in minor units. The platform refuses the order if its total differs. */
  expectedTotal?: number | undefined;
}

/** Options of `waitForOrder`. */
export interface WaitOptions {
  /** Stops waiting. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which an ApiError with the code `StillPending` is thrown. */
  timeout?: number | undefined;
}

/** Options of `listOrders` and `listProducts`. */
export interface PageOptions extends RetryOptions {
  /** How many entries a page has at most: 1 to 100. */
  limit?: number | undefined;
}

// The description of `POST /orders` in contracts/rest-api.yaml says how often to poll, and for how long.
const WAIT_MS = 60_000;
const FIRST_POLL_MS = 1000;
const LONGEST_POLL_MS = 10_000;
/** After these statuses, a repeated request may still create the order, so its key is kept. */
const UNANSWERED = new Set([401, 403, 408, 429]);

/** Places an order. Returns the order, which is usually still PENDING: see `waitForOrder`. */
export function placeOrder(client: OrdersClient, items: NewOrderLine[], options: OrderOptions = {}): Promise<Order> {
  return ordered(client, items, options, (body, key, signal) =>
    unwrap(client.rest.POST("/orders", { body, params: { header: { "Idempotency-Key": key } }, signal })),
  );
}

/**
 * Places an order and waits until it is decided. Returns the CONFIRMED order.
 * Throws an ApiError if the order is rejected. `error.orderId` is the rejected order's id.
 */
export function payNow(client: OrdersClient, items: NewOrderLine[], options: OrderOptions = {}): Promise<PaidOrder> {
  return ordered(client, items, options, (body, key, signal) =>
    unwrap(client.rest.POST("/process", { body, params: { header: { "Idempotency-Key": key } }, signal })),
  );
}

async function ordered<Placed extends Order>(
  { keys, clock }: OrdersClient,
  items: NewOrderLine[],
  { key: own, expectedTotal, ...retries }: OrderOptions,
  send: (body: NewOrder, key: string, signal: AbortSignal) => Promise<Placed>,
): Promise<Placed> {
  const body: NewOrder = { items, ...(expectedTotal === undefined ? {} : { expected_total: expectedTotal }) };
  const key = own ?? keyFor(keys, body);
  try {
    const order = await retrying((signal) => send(body, key, signal), retries, clock);
    forgetKey(keys, body);
    return order;
  } catch (error) {
    if (error instanceof ApiError && !error.transient && !UNANSWERED.has(error.status)) forgetKey(keys, body);
    throw error;
  }
}

/**
 * Waits until an order is no longer PENDING, and returns it. Passes over a lost connection and busy responses.
 * The first request follows at once for the id of an order, and after a second for the response of `placeOrder`.
 * Throws an ApiError with the code `StillPending` after `timeout` milliseconds: the order will still be decided.
 */
export async function waitForOrder(
  client: OrdersClient,
  order: Order | string,
  { signal, timeout = WAIT_MS }: WaitOptions = {},
): Promise<DecidedOrder> {
  const { clock } = client;
  const orderId = typeof order === "string" ? order : order.order_id;
  const end = clock.now() + timeout;
  let seen: Polled = typeof order === "string" ? await polled(client, orderId, signal) : { order };
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 2, LONGEST_POLL_MS)) {
    if (seen.order && isDecided(seen.order)) return seen.order;
    const pause = Math.max(wait, seen.after ?? 0);
    if (clock.now() + pause > end) {
      throw new ApiError(`The order ${orderId} was not decided within ${timeout} ms`, {
        code: "StillPending",
        status: 0,
        orderId,
      });
    }
    await clock.sleep(pause, signal);
    seen = await polled(client, orderId, signal);
  }
}

/** Whether an order is no longer PENDING. */
export function isDecided(order: Order): order is DecidedOrder {
  return order.status !== "PENDING";
}

/** The result of one poll. It has no order if the request failed in a way that may pass. */
interface Polled {
  order?: Order;
  /** Milliseconds to wait before the next poll, if the response says so. */
  after?: number | undefined;
}

async function polled(client: OrdersClient, orderId: string, signal: AbortSignal | undefined): Promise<Polled> {
  const request = { params: { path: { order_id: orderId } }, signal: attemptSignal(signal) };
  try {
    const { data, response } = await answered(client.rest.GET("/orders/{order_id}", request));
    return { order: data, after: retryAfterMs(response) };
  } catch (error) {
    if (error instanceof ApiError && error.transient) return { after: error.retryAfterMs };
    throw error;
  }
}

/** Returns one of the caller's orders. */
export function getOrder(client: OrdersClient, orderId: string, options: RetryOptions = {}): Promise<Order> {
  return retrying(
    (signal) => unwrap(client.rest.GET("/orders/{order_id}", { params: { path: { order_id: orderId } }, signal })),
    options,
    client.clock,
  );
}

/** Cancels an order, and returns the CANCELLED order. A repeated request has the same result. */
export async function cancelOrder(
  client: OrdersClient,
  orderId: string,
  options: RetryOptions = {},
): Promise<CancelledOrder> {
  let sent = 0;
  const params = { path: { order_id: orderId } };
  try {
    return await retrying(
      (signal) => {
        sent += 1;
        return unwrap(client.rest.POST("/orders/{order_id}/cancel", { params, signal }));
      },
      options,
      client.clock,
    );
  } catch (error) {
    // A lost first response may have cancelled the order, and the retry is then refused.
    if (sent > 1 && error instanceof ApiError && error.code === "InvalidTransition") {
      const order = await getOrder(client, orderId, options);
      if (order.status === "CANCELLED") return order;
    }
    throw error;
  }
}

/** Yields the caller's orders page by page, newest first. */
export function listOrders(client: OrdersClient, options: PageOptions = {}): AsyncGenerator<Order[], void, undefined> {
  return pages(client, options, async (query, signal) => {
    const { orders, next_cursor } = await unwrap(client.rest.GET("/orders", { params: { query }, signal }));
    return { entries: orders, next_cursor };
  });
}

/** Yields the products page by page, ordered by product id. */
export function listProducts(
  client: OrdersClient,
  options: PageOptions = {},
): AsyncGenerator<Product[], void, undefined> {
  return pages(client, options, async (query, signal) => {
    const { products, next_cursor } = await unwrap(client.http.GET("/products", { params: { query }, signal }));
    return { entries: products, next_cursor };
  });
}

const MOST_IDS = 100;

/** Returns products by their ids, for example the products of an order. Unknown ids are left out. */
export async function getProducts(
  client: OrdersClient,
  ids: Iterable<string>,
  options: RetryOptions = {},
): Promise<Map<string, Product>> {
  const wanted = [...new Set(ids)];
  const found = new Map<string, Product>();
  for (let start = 0; start < wanted.length; start += MOST_IDS) {
    const query = { ids: wanted.slice(start, start + MOST_IDS) };
    const { products } = await retrying(
      (signal) => unwrap(client.http.GET("/products", { params: { query }, signal })),
      options,
      client.clock,
    );
    for (const product of products) found.set(product.product_id, product);
  }
  return found;
}

interface Page<Entry> {
  entries: Entry[];
  next_cursor: string | undefined;
}

async function* pages<Entry>(
  { clock }: OrdersClient,
  { limit, ...retries }: PageOptions,
  read: (query: { limit?: number; cursor?: string }, signal: AbortSignal) => Promise<Page<Entry>>,
): AsyncGenerator<Entry[], void, undefined> {
  let cursor: string | undefined;
  do {
    const query = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
    const page: Page<Entry> = await retrying((signal) => read(query, signal), retries, clock);
    yield page.entries;
    cursor = page.next_cursor;
  } while (cursor !== undefined);
}
