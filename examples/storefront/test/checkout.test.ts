import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mocks } from "@orders/client/mocks";
import { HttpResponse, http } from "msw";
import { click, find, lacks, sees } from "./customer.js";
import { APIS, server, type Visit, visit } from "./visit.js";

/** Puts one piece of each of these products into the basket and goes to the checkout. */
async function checkout(...names: string[]): Promise<Visit> {
  const visited = await visit("/");
  for (const name of names) await click("button", "Add to basket", await find("listitem", name));
  await click("link", /^Basket /);
  await click("link", "Check out");
  await find("button", "Place order");
  return visited;
}

function change(mocks: Mocks, id: string, changes: { unit_price?: number; quantity?: number }): void {
  mocks.platform.products.set(id, { ...mocks.platform.product(id), ...changes });
}

/** Opens the basket with one cup, changes the cup in the catalog, and goes to the checkout. */
async function checkOutAfterChange(changes: { unit_price?: number; quantity?: number }): Promise<void> {
  const { mocks } = await visit("/");
  await click("button", "Add to basket", await find("listitem", "Cup"));
  await click("link", "Basket 1 item");
  await find("link", "Check out");
  change(mocks, "cup", changes);
  await click("link", "Check out");
}

/** Returns the keys of the requests that place an order. */
function keysOf({ sent }: Visit): (string | null)[] {
  return sent("POST /orders").map(({ headers }) => headers.get("Idempotency-Key"));
}

function assertSameKey(visited: Visit, times: number): void {
  const keys = keysOf(visited);
  assert.equal(keys.length, times);
  assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(new Set(keys).size, 1, keys.join());
}

test("a placed order has the products of the basket, empties it, and opens the order's page", async () => {
  const { mocks } = await checkout("Cup", "Cup", "Teapot");
  await sees("Cup × 2 €25.00 Teapot × 1 €48.00");
  await sees("Total €73.00");
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  const [order, ...others] = mocks.platform.orders();
  assert.equal(location.pathname, `/orders/${order?.order_id}`);
  assert.deepEqual([order?.status, others], ["CONFIRMED", []]);
  await sees("2 × €12.50 €25.00", await find("listitem", "Cup"));
  await sees("Total €73.00");
  await find("link", "Basket 0 items");
});

test("an order that is paid now is already confirmed when its page opens", async () => {
  const visited = await checkout("Cup");
  await click("radio", /^Pay now/);
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  assert.equal(visited.sent("POST /process").length, 1);
  assert.equal(visited.sent("POST /orders").length, 0);
});

test("a double click sends one request and places one order", async () => {
  const visited = await checkout("Cup");
  const button = await find("button", "Place order");
  button.click();
  button.click();
  assert.equal(button.textContent, "Placing your order…");
  await find("heading", "Your order is confirmed");
  assert.equal(keysOf(visited).length, 1);
  assert.equal(visited.mocks.platform.orders().length, 1);
});

test("a lost connection is tried again with the same key, and places one order", async () => {
  const visited = await checkout("Cup");
  visited.mocks.failNext("createOrder", "NetworkError");
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  assertSameKey(visited, 2);
  assert.equal(visited.mocks.platform.orders().length, 1);
});

test("an order whose response is lost is not placed a second time", async () => {
  const visited = await checkout("Cup");
  const { platform } = visited.mocks;
  const place = http.post(
    `${APIS.restApi.url}/orders`,
    async ({ request }) => {
      platform.place(
        (await request.json()) as Parameters<typeof platform.place>[0],
        request.headers.get("Idempotency-Key"),
      );
      return HttpResponse.error();
    },
    { once: true },
  );
  server.use(place);
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  assertSameKey(visited, 2);
  assert.equal(platform.orders().length, 1);
});

test("a customer without a connection can order again, even after a reload, with the same key", async () => {
  const visited = await checkout("Cup");
  for (let attempt = 0; attempt < 10; attempt += 1) visited.mocks.failNext("createOrder", "NetworkError");
  await click("button", "Place order");
  await sees("We can't reach the shop.", await find("alert"));
  await click("button", "Place order");
  await sees("We can't reach the shop.", await find("alert"));
  await visited.reload();
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  assertSameKey(visited, 11);
});

test("two orders of the same products are two orders", async () => {
  const visited = await checkout("Cup");
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  await click("link", "Continue shopping");
  await click("button", "Add to basket", await find("listitem", "Cup"));
  await click("link", "Basket 1 item");
  await click("link", "Check out");
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  assert.equal(new Set(keysOf(visited)).size, 2);
  assert.equal(visited.mocks.platform.orders().length, 2);
});

test("a product that sold out at the payment is named, and the basket can be changed", async () => {
  const { mocks } = await checkout("Cup", "Teapot", "Teapot");
  change(mocks, "cup", { quantity: 0 });
  change(mocks, "teapot", { quantity: 1 });
  await click("radio", /^Pay now/);
  await click("button", "Place order");
  await sees("We don't have enough of a product in stock.", await find("alert"));
  await sees("Cup: sold out Teapot: only 1 left");
  lacks("button", "Place order");
  await find("link", "Change the basket");
  await find("link", "Basket 3 items");
  await click("link", "See the declined order");
  await find("heading", "We could not accept this order");
});

test("a price that changed at the payment is shown, and the customer decides again with the same payment", async () => {
  const { mocks, sent } = await checkout("Cup");
  change(mocks, "cup", { unit_price: 1300 });
  await click("radio", /^Pay now/);
  await click("button", "Place order");
  await sees("A price has changed. Please check the new total and order again.");
  await sees("The price of Cup changed from €12.50 to €13.00.");
  await sees("Total €13.00");
  await click("button", "Place order");
  await find("heading", "Your order is confirmed");
  await sees("Total €13.00");
  assert.equal(sent("POST /orders").length, 0, "the customer chose to pay now");
});

test("a price that changed before the checkout is shown before the customer orders", async () => {
  await checkOutAfterChange({ unit_price: 1300 });
  await sees("changed from €12.50 to €13.00. Please check the new total before you order.", await find("alert"));
  await sees("Total €13.00");
});

test("the checkout sends a customer back to a basket that cannot be ordered", async () => {
  await checkOutAfterChange({ quantity: 0 });
  await sees("Out of stock. Please remove it.", await find("listitem", "Cup"));
  assert.equal(location.pathname, "/basket");
});
