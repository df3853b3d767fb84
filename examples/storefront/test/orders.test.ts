import assert from "node:assert/strict";
import { test } from "node:test";
import type { Order } from "@orders/client";
import type { Mocks } from "@orders/client/mocks";
import { all, click, find, lacks, sees, textOf } from "./customer.js";
import { mocked, TestClock, type Visit, visit } from "./visit.js";

type Declined = Extract<Order, { status: "REJECTED" }>;

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const CUPS = { items: [{ product_id: "cup", quantity: 2 }] };

/** Opens the page of an order that the platform has accepted, and that it does not decide by itself. */
async function accepted(clock: TestClock): Promise<Visit & { orderId: string }> {
  const mocks = mocked();
  mocks.platform.pendingReads = Number.POSITIVE_INFINITY;
  const { order_id: orderId } = mocks.platform.place(CUPS, null);
  const visited = await visit(`/orders/${orderId}`, { mocks, clock });
  await sees("Processing We have your order", await find("status", /Processing/));
  return { ...visited, orderId };
}

/** Like `accepted`, but the shop asks for the status only after `clock.run()`. */
function waiting(): Promise<Visit & { orderId: string }> {
  const clock = new TestClock();
  clock.stop();
  return accepted(clock);
}

/** Opens the page of a declined order, and returns its status as the customer reads it. */
async function declined(reason: Declined["reason"]): Promise<string> {
  const mocks = mocked();
  const at = "2026-01-02T12:00:00.000Z";
  const { userId: user_id } = mocks.platform.caller;
  const dates = { created_at: at, updated_at: at };
  mocks.platform.addOrder({ order_id: ID, user_id, status: "REJECTED", ...CUPS, reason, ...dates });
  await visit(`/orders/${ID}`, { mocks });
  return textOf(await find("status", /We could not accept this order/));
}

/** Returns a platform on which the customer has placed orders of 1, 2, 3, … cups. */
function withOrders(count: number): Mocks {
  const mocks = mocked();
  for (let quantity = 1; quantity <= count; quantity += 1) {
    mocks.platform.place({ items: [{ product_id: "cup", quantity }] }, null);
  }
  return mocks;
}

/** Returns how many pieces each of the shown orders has. */
function pieces(): number[] {
  return all("listitem").map((each) => Number(/(\d+) items?/.exec(textOf(each))?.[1]));
}

test("the page of a new order shows the confirmation as soon as the platform has decided", async () => {
  const { mocks, clock, orderId } = await waiting();
  await sees("Total Known when confirmed");
  mocks.platform.decide(orderId);
  clock.run();
  await sees("Confirmed Your order is confirmed", await find("status", /Confirmed/));
  await sees("Total €25.00");
});

// A screen reader announces new text only in a live region that was in the page before.
test("a screen reader announces the decision", async () => {
  const { mocks, clock, orderId } = await waiting();
  const status = await find("status", /Processing/);
  assert.equal(status.getAttribute("aria-live"), "polite");
  mocks.platform.decide(orderId);
  clock.run();
  assert.equal(await find("status", /Your order is confirmed/), status);
});

test("the page of a new order shows that it was declined, and why", async () => {
  const { mocks, clock, orderId } = await waiting();
  mocks.platform.products.set("cup", { ...mocks.platform.product("cup"), quantity: 1 });
  mocks.platform.decide(orderId);
  clock.run();
  const status = await find("status", /We could not accept this order/);
  await sees("Declined We could not accept this order We don't have enough of a product in stock.", status);
  await sees("Cup: only 1 left", status);
  await sees("Total Nothing to pay");
});

test("an order that takes too long says so, and the customer can go on waiting", async () => {
  const { mocks, orderId } = await accepted(new TestClock());
  await sees("Your order takes longer than usual.", await find("alert"));
  mocks.platform.decide(orderId);
  await click("button", "Try again");
  await find("heading", "Your order is confirmed");
  lacks("alert");
});

test("the status survives a lost connection while the customer waits", async () => {
  const { mocks, clock, orderId } = await waiting();
  mocks.failNext("getOrder", "NetworkError");
  mocks.failNext("getOrder", "InternalError");
  mocks.platform.decide(orderId);
  clock.run();
  await find("heading", "Your order is confirmed");
  lacks("alert");
});

test("each reason to decline an order is given in words", async () => {
  const message = "for developers";
  const total = { expected_total: 2500, total: 2600, currency: "EUR" };
  const reasons: readonly [Declined["reason"], string][] = [
    [{ code: "ProductNotFound", message, details: [{ product_id: "cup" }] }, "A product is no longer available."],
    [{ code: "PriceChanged", message, details: [total] }, "A price has changed."],
    [{ code: "ValidationError", message }, "Some of the details are not valid."],
    [
      { code: "OutOfStock", message, details: [{ product_id: "cup", requested: 2, available: 0 }] },
      "We don't have enough of a product in stock. Please reduce its quantity or remove it. Cup: sold out",
    ],
  ];
  for (const [reason, words] of reasons) {
    const status = await declined(reason);
    assert.ok(status.includes(words), status);
    assert.doesNotMatch(status, new RegExp(`${message}|${reason.code}|[{}]`));
  }
});

test("a declined order can be put into the basket again", async () => {
  await declined({ code: "PriceChanged", message: "" });
  await click("button", "Fill the basket again");
  await find("heading", "Basket");
  await sees("€12.50 each €25.00", await find("listitem", "Cup"));
});

test("a customer cancels an order after a question", async () => {
  const { mocks, orderId } = await waiting();
  await click("button", "Cancel order");
  await click("button", "Cancel order", await find("dialog", /^Cancel order [0-9A-F]{8}\?$/));
  await sees("This order is cancelled You pay nothing.", await find("status", /Cancelled/));
  assert.equal(mocks.platform.read(orderId).status, "CANCELLED");
  lacks("button", "Cancel order");
  lacks("dialog");
});

test("a confirmed order can be cancelled, and its products are back in stock", async () => {
  const mocks = mocked();
  const { order_id: orderId } = mocks.platform.place(CUPS, null);
  mocks.platform.decide(orderId);
  await visit(`/orders/${orderId}`, { mocks });
  await find("heading", "Your order is confirmed");
  await click("button", "Cancel order");
  await click("button", "Cancel order", await find("dialog"));
  await find("heading", "This order is cancelled");
  assert.equal(mocks.platform.product("cup").quantity, 40);
});

test("a customer who keeps the order does not cancel it", async () => {
  const { mocks, orderId, sent } = await waiting();
  await click("button", "Cancel order");
  await click("button", "Keep order", await find("dialog"));
  await find("button", "Cancel order");
  lacks("dialog");
  assert.equal(sent(`POST /orders/${orderId}/cancel`).length, 0);
  assert.equal(mocks.platform.read(orderId).status, "PENDING");
});

test("a cancellation that comes too late shows why, and what became of the order", async () => {
  const { mocks, orderId } = await waiting();
  mocks.platform.products.set("cup", { ...mocks.platform.product("cup"), quantity: 0 });
  mocks.platform.decide(orderId);
  await click("button", "Cancel order");
  await click("button", "Cancel order", await find("dialog"));
  await sees("This order can no longer be changed.", await find("alert"));
  await find("heading", "We could not accept this order");
});

test("an order that does not exist is reported in words", async () => {
  await visit(`/orders/${ID}`);
  await sees("We can't find this order.", await find("alert"));
});

test("a customer without orders reads that there are none yet", async () => {
  await visit("/orders");
  await find("heading", "No orders yet");
});

test("the history shows the newest orders first, page by page, there and back", async () => {
  await visit("/orders", { mocks: withOrders(12) });
  await sees("Page 1");
  assert.deepEqual(pieces(), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  lacks("link", "Newer");
  await click("link", "Older");
  await sees("Page 2");
  assert.deepEqual(pieces(), [2, 1]);
  lacks("link", "Older");
  await click("link", "Newer");
  await sees("Page 1");
  assert.equal(pieces().length, 10);
});

test("each page of the history has an address of its own", async () => {
  const { reload } = await visit("/orders?page=3", { mocks: withOrders(22) });
  await sees("Page 3");
  assert.deepEqual(pieces(), [2, 1]);
  await reload();
  await sees("Page 3");
  assert.deepEqual(pieces(), [2, 1]);
});

test("a history of one page has no links to others", async () => {
  await visit("/orders", { mocks: withOrders(10) });
  await find("heading", "Orders");
  await sees("10 items");
  assert.equal(pieces().length, 10);
  lacks("link", /^(Older|Newer)$/);
});

test("an order in the history leads to its page", async () => {
  await visit("/orders", { mocks: withOrders(1) });
  await sees("Processing", await find("listitem", "Cup"));
  await click("link", "Cup");
  await find("heading", "Your order is confirmed");
});
