import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODES } from "@orders/client";
import { MOCK_PRODUCTS, type MockOperation, type Mocks } from "@orders/client/mocks";
import { click, enter, find, lacks, sees, textOf, valueOf } from "./customer.js";
import { mocked, type Visit, visit } from "./visit.js";

type Failure = Parameters<Mocks["failNext"]>[1];

/** The errors after which the client sends the same request again, and how often it sends the request at most. */
const TRANSIENT = new Set<Failure>([
  "InternalError",
  "NetworkError",
  "ServiceUnavailable",
  "Timeout",
  "TooManyRequests",
]);
const ATTEMPTS = 5;
/** The operations whose requests the pages leave to the functions of the client, which repeat them. */
const REPEATED = new Set<MockOperation>(["cancelOrder", "createOrder", "getOrder", "listProducts", "processOrder"]);
/** What a customer reads about each error. The compiler requires an entry for each code of the contract. */
const WORDS: Record<Failure, string> = {
  ValidationError: "Some of the details are not valid.",
  Unauthorized: "Your session has ended.",
  Forbidden: "You are not allowed to do this.",
  NotFound: "This page does not exist.",
  UserNotFound: "This profile does not exist.",
  OrderNotFound: "We can't find this order.",
  ProductNotFound: "A product is no longer available.",
  UserAlreadyExists: "You already have a profile.",
  IdempotencyConflict: "You already placed another order from this basket.",
  InvalidTransition: "This order can no longer be changed.",
  OutOfStock: "We don't have enough of a product in stock.",
  PayloadTooLarge: "This is too much data to send.",
  UnsupportedMediaType: "This kind of data is not supported.",
  TooManyRequests: "We are very busy right now.",
  InternalError: "Something went wrong on our side.",
  PriceChanged: "A price has changed.",
  ServiceUnavailable: "We are very busy right now.",
  Timeout: "This takes longer than usual.",
  NetworkError: "We can't reach the shop.",
};
const FAILURES: readonly Failure[] = [...ERROR_CODES, "NetworkError"];
const ANY_CODE = new RegExp(`\\b(${FAILURES.join("|")})\\b|[{}]|undefined|\\[object`);

/** Makes an operation fail until the client gives up. */
function fail(mocks: Mocks, operation: MockOperation, failure: Failure): void {
  const times = REPEATED.has(operation) && TRANSIENT.has(failure) ? ATTEMPTS : 1;
  for (let attempt = 0; attempt < times; attempt += 1) mocks.failNext(operation, failure);
}

/** Checks that the page gives the error in words, and shows nothing that is meant for developers. */
async function readsWords(failure: Failure): Promise<void> {
  await sees(WORDS[failure], await find("alert"));
  assert.doesNotMatch(textOf(document.body), ANY_CODE);
}

async function checkout(): Promise<Visit> {
  const visited = await visit("/");
  await click("button", "Add to basket", await find("listitem", "Cup"));
  await click("link", "Basket 1 item");
  await click("link", "Check out");
  await find("button", "Place order");
  return visited;
}

for (const [operation, payment] of [
  ["createOrder", /^Pay when confirmed/],
  ["processOrder", /^Pay now/],
] as const) {
  test(`each error of ${operation} at the checkout is given in words, and keeps the basket`, async () => {
    const { mocks } = await checkout();
    for (const failure of FAILURES) {
      fail(mocks, operation, failure);
      await click("radio", payment);
      await click("button", "Place order");
      await readsWords(failure);
      await find("link", "Basket 1 item");
      await find("button", "Place order");
    }
  });
}

for (const [path, operation] of [
  ["/", "listProducts"],
  ["/orders", "listOrders"],
  ["/orders/0f8fad5b-d9cb-469f-a165-70867728950e", "getOrder"],
  ["/profile", "getUser"],
  ["/stock", "listProducts"],
] as const) {
  test(`each error of ${operation} is given in words at ${path}`, async () => {
    // A customer without a profile sees the form for one.
    for (const failure of FAILURES.filter((each) => operation !== "getUser" || each !== "UserNotFound")) {
      const mocks = mocked();
      fail(mocks, operation, failure);
      await visit(path, { mocks, isAdmin: true });
      await readsWords(failure);
    }
  });
}

test("each error of cancelOrder is given in words, and keeps the order", async () => {
  const mocks = mocked();
  const { order_id: orderId } = mocks.platform.place({ items: [{ product_id: "cup", quantity: 1 }] }, null);
  mocks.platform.decide(orderId);
  await visit(`/orders/${orderId}`, { mocks });
  for (const failure of FAILURES) {
    fail(mocks, "cancelOrder", failure);
    await click("button", "Cancel order");
    await click("button", "Cancel order", await find("dialog"));
    await readsWords(failure);
    await find("heading", "Your order is confirmed");
  }
});

test("each error of createUser is given in words, and keeps what the customer wrote", async () => {
  const { mocks } = await visit("/profile");
  await enter("Ann", "textbox", "Name");
  for (const failure of FAILURES) {
    fail(mocks, "createUser", failure);
    await click("button", "Create profile");
    await readsWords(failure);
    assert.equal(await valueOf("textbox", "Name"), "Ann");
  }
});

test("each error of putProduct is given in words", async () => {
  const mocks = mocked(MOCK_PRODUCTS.slice(0, 1));
  await visit("/stock", { mocks, isAdmin: true });
  for (const failure of FAILURES) {
    fail(mocks, "putProduct", failure);
    await click("button", "Save Bento box");
    await readsWords(failure);
  }
});

test("a page that could not load can be tried again", async () => {
  const mocks = mocked();
  fail(mocks, "listProducts", "NetworkError");
  await visit("/", { mocks });
  await find("alert");
  await click("button", "Try again");
  await find("listitem", "Cup");
  lacks("alert");
});

test("a customer whose session has ended can sign in, and returns to the same page", async () => {
  const mocks = mocked();
  fail(mocks, "listOrders", "Unauthorized");
  const { signIns } = await visit("/orders", { mocks });
  await click("button", "Sign in");
  assert.deepEqual(signIns, ["/orders"]);
});

test("an error of the platform shows the request's id for support, and a customer's own error shows none", async () => {
  for (const [failure, isShown] of [
    ["InternalError", true],
    ["Forbidden", false],
  ] as const) {
    const mocks = mocked();
    fail(mocks, "listOrders", failure);
    await visit("/orders", { mocks });
    assert.equal(/Request mock-request-\d+/.test(textOf(await find("alert"))), isShown);
  }
});
