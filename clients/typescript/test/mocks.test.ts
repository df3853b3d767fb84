import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type ApiError,
  cancelOrder,
  changedPrice,
  createOrdersClient,
  getProducts,
  listOrders,
  listProducts,
  payNow,
  placeOrder,
  shortages,
  unwrap,
  waitForOrder,
} from "@orders/client";
import { createMocks, MOCK_CONFIG } from "@orders/client/mocks";
import { setupServer } from "msw/node";
import { FakeClock, tokensOf } from "./support.js";

const server = setupServer();
const client = createOrdersClient({ config: MOCK_CONFIG, tokens: tokensOf, clock: new FakeClock() });

before(() => server.listen({ onUnhandledRequest: "error" }));
after(() => server.close());

function mocked(): ReturnType<typeof createMocks> {
  const mocks = createMocks();
  server.resetHandlers(...mocks.handlers);
  return mocks;
}

function stock(mocks: ReturnType<typeof createMocks>, id: string): number | undefined {
  return mocks.platform.products.get(id)?.quantity;
}

test("an order is confirmed and takes its products from the stock, and a cancellation returns them", async () => {
  const mocks = mocked();
  const accepted = await placeOrder(client, [{ product_id: "teapot", quantity: 2 }]);
  assert.equal(accepted.status, "PENDING");
  const order = await waitForOrder(client, accepted.order_id);
  assert.ok(order.status === "CONFIRMED");
  assert.deepEqual([order.total, order.currency, stock(mocks, "teapot")], [9600, "EUR", 3]);
  assert.equal((await cancelOrder(client, order.order_id)).status, "CANCELLED");
  assert.equal(stock(mocks, "teapot"), 5);
  await assert.rejects(cancelOrder(client, order.order_id), { code: "InvalidTransition", status: 409 });
});

test("an order without enough stock is rejected and changes no stock", async () => {
  const mocks = mocked();
  const lines = [
    { product_id: "cup", quantity: 1 },
    { product_id: "vase", quantity: 1 },
  ];
  const { order_id } = await placeOrder(client, lines);
  const order = await waitForOrder(client, order_id);
  assert.ok(order.status === "REJECTED");
  const shortage = { product_id: "vase", requested: 1, available: 0 };
  assert.deepEqual(shortages(order.reason), [shortage]);
  assert.equal(stock(mocks, "cup"), 40);
  await assert.rejects(payNow(client, lines), (error: ApiError) => {
    assert.deepEqual([error.code, error.status, shortages(error)], ["OutOfStock", 409, [shortage]]);
    return mocks.platform.orders().some(({ order_id: id }) => id === error.orderId);
  });
});

test("an order with another total than expected is rejected", async () => {
  mocked();
  const lines = [{ product_id: "cup", quantity: 2 }];
  assert.equal((await payNow(client, lines, { expectedTotal: 2500 })).total, 2500);
  const { order_id } = await placeOrder(client, lines, { expectedTotal: 2000 });
  const order = await waitForOrder(client, order_id);
  assert.ok(order.status === "REJECTED");
  assert.deepEqual(changedPrice(order.reason), { expected_total: 2000, total: 2500, currency: "EUR" });
});

test("a lost connection places no second order", async () => {
  const mocks = mocked();
  mocks.failNext("createOrder", "NetworkError");
  mocks.failNext("createOrder", "TooManyRequests");
  await placeOrder(client, [{ product_id: "cup", quantity: 1 }]);
  assert.equal(mocks.platform.orders().length, 1);
});

test("lists have pages, newest order first", async () => {
  mocked();
  const placed: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    placed.unshift((await placeOrder(client, [{ product_id: "cup", quantity: 1 }])).order_id);
  }
  const pages: string[][] = [];
  for await (const page of listOrders(client, { limit: 2 })) pages.push(page.map(({ order_id }) => order_id));
  assert.deepEqual(pages, [placed.slice(0, 2), placed.slice(2, 4), placed.slice(4)]);
  const sizes: number[] = [];
  for await (const page of listProducts(client, { limit: 3 })) sizes.push(page.length);
  assert.deepEqual(sizes, [3, 2]);
  assert.deepEqual([...(await getProducts(client, ["cup", "no", "bento"])).keys()], ["cup", "bento"]);
});

test("only an admin may write products", async () => {
  const mocks = mocked();
  const request = {
    params: { path: { product_id: "fan" } },
    body: { name: "Fan", unit_price: 1, currency: "JPY", quantity: 1 },
  } as const;
  await assert.rejects(unwrap(client.http.PUT("/products/{product_id}", request)), { code: "Forbidden" });
  mocks.platform.caller.isAdmin = true;
  await unwrap(client.http.PUT("/products/{product_id}", request));
  assert.equal(stock(mocks, "fan"), 1);
});

test("a body that violates the contract is refused with its details", async () => {
  mocked();
  const promise = placeOrder(client, [{ product_id: "cup", quantity: 0 }]);
  const details = [{ pointer: "/items/0/quantity", rule: "minimum", message: "must be >= 1" }];
  await assert.rejects(promise, { code: "ValidationError", details });
});
