import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cancelOrder,
  createOrdersClient,
  getProducts,
  listOrders,
  listProducts,
  memoryStorage,
  payNow,
  placeOrder,
  waitForOrder,
} from "@orders/client";
import { type Answer, CONFIG, confirmed, error, harness, LINES, ORDER_ID, pending, tokensOf } from "./support.js";

const ACCEPTED: Answer = { status: 202, body: pending() };
const KEY = "Idempotency-Key";

function keysOf(requests: Request[]): (string | null)[] {
  return requests.map(({ headers }) => headers.get(KEY));
}

test("placeOrder repeats with one key until a response arrives", async () => {
  const busy = { status: 503, body: error("InternalError") };
  const throttled = { status: 429, body: error("TooManyRequests"), headers: { "Retry-After": "7" } };
  const { client, clock, requests } = harness(["lost", throttled, busy, ACCEPTED]);
  const order = await placeOrder(client, LINES);
  assert.equal(order.order_id, ORDER_ID);
  const keys = keysOf(requests);
  assert.equal(keys.length, 4);
  assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(new Set(keys).size, 1);
  const [first = 0, second = 0, third = 0] = clock.waits;
  assert.ok(first >= 250 && first <= 500, `waited ${first} ms`);
  assert.equal(second, 7000, "waits as long as Retry-After");
  assert.ok(third >= 1000 && third <= 2000, `waited ${third} ms`);
});

test("a second call after a lost connection has the same key, and the next order a new one", async () => {
  const { client, requests } = harness(["lost", "lost", ACCEPTED, ACCEPTED]);
  await assert.rejects(placeOrder(client, LINES, { attempts: 2 }), { code: "NetworkError" });
  await placeOrder(client, LINES);
  await placeOrder(client, LINES);
  const [first, second, third, fourth] = keysOf(requests);
  assert.ok(first);
  assert.deepEqual([second, third], [first, first]);
  assert.notEqual(fourth, first);
});

test("payNow continues an unanswered placeOrder with the same lines", async () => {
  const { client, requests } = harness(["lost", { status: 200, body: confirmed() }]);
  await assert.rejects(placeOrder(client, LINES, { attempts: 1 }), { code: "NetworkError" });
  assert.equal((await payNow(client, LINES)).status, "CONFIRMED");
  assert.deepEqual(new Set(keysOf(requests)).size, 1);
});

test("a double click sends one key", async () => {
  const { client, requests } = harness([ACCEPTED, ACCEPTED]);
  await Promise.all([placeOrder(client, LINES), placeOrder(client, LINES)]);
  assert.equal(new Set(keysOf(requests)).size, 1);
});

test("other lines or another expected total have another key", async () => {
  const { client, requests } = harness(["lost", "lost", "lost"]);
  const options = { attempts: 1 };
  await assert.rejects(placeOrder(client, LINES, options));
  await assert.rejects(placeOrder(client, [{ product_id: "cup", quantity: 1 }], options));
  await assert.rejects(placeOrder(client, LINES, { ...options, expectedTotal: 1000 }));
  assert.equal(new Set(keysOf(requests)).size, 3);
  assert.deepEqual(await requests[2]?.json(), { items: LINES, expected_total: 1000 });
});

test("an answered refusal ends the key, and an expired session does not", async () => {
  const refused = { status: 409, body: error("IdempotencyConflict") };
  const { client, requests } = harness([{ status: 401 }, refused, ACCEPTED]);
  await assert.rejects(placeOrder(client, LINES), { code: "Unauthorized" });
  await assert.rejects(placeOrder(client, LINES), { code: "IdempotencyConflict" });
  await placeOrder(client, LINES);
  const [first, second, third] = keysOf(requests);
  assert.equal(second, first);
  assert.notEqual(third, first);
});

test("a storage of the page keeps the key over a reload", async () => {
  const keys = memoryStorage();
  const before = harness(["lost"], { keys });
  await assert.rejects(placeOrder(before.client, LINES, { attempts: 1 }));
  const after = harness([ACCEPTED], { keys });
  await placeOrder(after.client, LINES);
  assert.deepEqual(keysOf(after.requests), keysOf(before.requests));
});

test("the caller's own key is sent", async () => {
  const { client, requests } = harness([ACCEPTED]);
  await placeOrder(client, LINES, { key: "mine" });
  assert.deepEqual(keysOf(requests), ["mine"]);
});

test("retries end when the caller aborts", async () => {
  const { client, requests } = harness(["lost", ACCEPTED]);
  const stop = new AbortController();
  client.clock.sleep = () => {
    stop.abort();
    return Promise.reject(stop.signal.reason);
  };
  await assert.rejects(placeOrder(client, LINES, { signal: stop.signal }), { name: "AbortError" });
  assert.equal(requests.length, 1);
});

test("payNow reports the id of a rejected order", async () => {
  const { client } = harness([{ status: 409, body: { ...error("OutOfStock"), order_id: ORDER_ID } }]);
  await assert.rejects(payNow(client, LINES), { code: "OutOfStock", orderId: ORDER_ID });
});

test("waitForOrder polls as the contract says", async () => {
  const still: Answer = { status: 200, body: pending() };
  const { client, clock } = harness([still, still, still, still, still, still, { status: 200, body: confirmed() }]);
  assert.equal((await waitForOrder(client, ORDER_ID)).status, "CONFIRMED");
  assert.deepEqual(clock.waits, [1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("waitForOrder waits a second before it reads an order that was just placed", async () => {
  const { client, clock } = harness([{ status: 200, body: confirmed() }]);
  await waitForOrder(client, pending());
  assert.deepEqual(clock.waits, [1000]);
  assert.equal((await waitForOrder(client, confirmed())).status, "CONFIRMED");
});

test("waitForOrder passes over a lost connection and a busy platform", async () => {
  const busy = { status: 503, headers: { "Retry-After": "5" } };
  const { client, clock } = harness(["lost", busy, { status: 200, body: confirmed() }]);
  await waitForOrder(client, ORDER_ID);
  assert.deepEqual(clock.waits, [1000, 5000]);
});

test("waitForOrder stops after its timeout, and at once if the order is unknown", async () => {
  const slow = harness(Array.from({ length: 20 }, () => ({ status: 200, body: pending() })));
  await assert.rejects(waitForOrder(slow.client, ORDER_ID), { code: "StillPending", orderId: ORDER_ID });
  assert.ok(slow.clock.time <= 60_000, `waited ${slow.clock.time} ms`);
  const unknown = harness([{ status: 404, body: error("OrderNotFound") }]);
  await assert.rejects(waitForOrder(unknown.client, ORDER_ID), { code: "OrderNotFound" });
});

test("waitForOrder stops when the caller aborts", async () => {
  const { client } = harness([{ status: 200, body: pending() }]);
  await assert.rejects(waitForOrder(client, ORDER_ID, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("cancelOrder succeeds if a lost response had cancelled the order", async () => {
  const cancelled = { ...confirmed(), status: "CANCELLED" };
  const refused = { status: 409, body: error("InvalidTransition") };
  const { client } = harness(["lost", refused, { status: 200, body: cancelled }]);
  assert.equal((await cancelOrder(client, ORDER_ID)).status, "CANCELLED");
  const final = harness([refused]);
  await assert.rejects(cancelOrder(final.client, ORDER_ID), { code: "InvalidTransition" });
});

test("listOrders and listProducts follow the cursors page by page", async () => {
  const { client, requests } = harness([
    { status: 200, body: { orders: [pending()], next_cursor: "c1" } },
    "lost",
    { status: 200, body: { orders: [confirmed()] } },
  ]);
  const statuses: string[][] = [];
  for await (const page of listOrders(client, { limit: 1 })) statuses.push(page.map(({ status }) => status));
  assert.deepEqual(statuses, [["PENDING"], ["CONFIRMED"]]);
  assert.deepEqual(
    requests.map(({ url }) => new URL(url).search),
    ["?limit=1", "?limit=1&cursor=c1", "?limit=1&cursor=c1"],
  );
  const products = harness([{ status: 200, body: { products: [] } }]);
  assert.deepEqual((await listProducts(products.client).next()).value, []);
});

test("getProducts sends at most 100 ids at once, each one once, as one list", async () => {
  const product = { product_id: "p1", name: "P", unit_price: 1, currency: "JPY", quantity: 1 };
  const { client, requests } = harness([
    { status: 200, body: { products: [product] } },
    { status: 200, body: { products: [] } },
  ]);
  const ids = Array.from({ length: 101 }, (_, index) => `p${index}`);
  assert.deepEqual(await getProducts(client, [...ids, "p0"]), new Map([["p1", product]]));
  const sent = requests.map(({ url }) => new URL(url).searchParams.getAll("ids"));
  assert.deepEqual(sent, [[ids.slice(0, 100).join(",")], ["p100"]]);
});

test("the default clock waits in real time", async () => {
  let calls = 0;
  const client = createOrdersClient({
    config: CONFIG,
    tokens: tokensOf,
    fetch: () => {
      calls += 1;
      return calls === 1
        ? Promise.reject(new TypeError("lost"))
        : Promise.resolve(Response.json(pending(), { status: 202 }));
    },
  });
  const start = Date.now();
  await placeOrder(client, LINES);
  assert.ok(Date.now() - start >= 240);
  const wait = waitForOrder(client, ORDER_ID, { signal: AbortSignal.timeout(50) });
  await assert.rejects(wait, { name: "TimeoutError" });
});
