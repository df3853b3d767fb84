import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mocks } from "@orders/client/mocks";
import { all, click, enter, find, lacks, sees, textOf } from "./customer.js";
import { mocked, type Visit, visit } from "./visit.js";

/** Opens the products and puts one piece of each of these into the basket. */
async function shopping(...names: string[]): Promise<Visit> {
  const visited = await visit("/");
  for (const name of names) await click("button", "Add to basket", await find("listitem", name));
  return visited;
}

function change(mocks: Mocks, id: string, changes: { unit_price?: number; quantity?: number }): void {
  mocks.platform.products.set(id, { ...mocks.platform.product(id), ...changes });
}

test("the products are listed with their prices and what is left of them", async () => {
  await visit("/");
  await find("listitem", "Teapot");
  assert.deepEqual(all("listitem").map(textOf), [
    "Bento box ¥120,000 In stock Add to basket",
    "Cup €12.50 In stock Add to basket",
    "Lamp KWD 12.500 Only 3 left Add to basket",
    "Teapot €48.00 Only 5 left Add to basket",
    "Sold out Vase €99.00 Out of stock",
  ]);
});

test("a shop without products says that its shelves are empty", async () => {
  await visit("/", { mocks: mocked([]) });
  await find("heading", "The shelves are empty");
});

test("somebody who is not signed in sees no products, and can sign in", async () => {
  const { signIns, sent } = await visit("/orders", { isSignedIn: false });
  await click("button", "Sign in to shop");
  assert.deepEqual(signIns, ["/orders"]);
  assert.equal(sent("GET /products?limit=100").length, 0);
});

test("an added product is counted at the product and in the header", async () => {
  await shopping("Cup", "Cup", "Teapot");
  await sees("2 in basket", await find("listitem", "Cup"));
  await find("link", "Basket 3 items");
  await sees("Teapot is in your basket.");
});

test("a customer cannot add more pieces than there are", async () => {
  await shopping("Lamp", "Lamp", "Lamp", "Lamp");
  await sees("You already have every Lamp that we can sell you in your basket.");
  await sees("3 in basket", await find("listitem", "Lamp"));
});

test("an empty basket is shown without a request, and leads back to the products", async () => {
  const { sent } = await visit("/basket");
  await find("heading", "Your basket is empty");
  assert.equal(sent("GET /products?limit=100").length, 0);
  await click("link", "See all products");
  await find("listitem", "Cup");
});

test("a changed quantity changes the price of the line and the total", async () => {
  await shopping("Cup", "Teapot");
  await click("link", "Basket 2 items");
  await click("button", "One more Cup");
  await sees("€12.50 each €25.00", await find("listitem", "Cup"));
  await sees("Total €73.00");
  await enter("4", "spinbutton", "Quantity of Cup");
  await sees("Total €98.00");
  await click("button", "One less Cup");
  await sees("Total €85.50");
  await find("link", "Basket 4 items");
});

test("a removed product leaves the basket, and the last one leaves it empty", async () => {
  await shopping("Cup", "Teapot");
  await click("link", "Basket 2 items");
  await click("button", "Remove Teapot");
  await sees("Teapot is no longer in your basket.");
  await sees("Total €12.50");
  lacks("listitem", "Teapot");
  await click("button", "Remove Cup");
  await find("heading", "Your basket is empty");
  await find("link", "Basket 0 items");
});

test("the basket is still there after a reload", async () => {
  const { reload } = await shopping("Cup", "Cup");
  await reload();
  await click("link", "Basket 2 items");
  await sees("Total €25.00");
});

test("the basket says that a price has changed, and shows the new one", async () => {
  const { mocks } = await shopping("Cup");
  change(mocks, "cup", { unit_price: 1300 });
  await click("link", "Basket 1 item");
  await sees("The price of Cup changed from €12.50 to €13.00.", await find("status", /price/));
  await sees("Total €13.00");
});

test("products that are gone, sold out or too few block the checkout until they are changed", async () => {
  const { mocks } = await shopping("Cup", "Cup", "Teapot", "Lamp");
  change(mocks, "cup", { quantity: 1 });
  change(mocks, "teapot", { quantity: 0 });
  mocks.platform.products.delete("lamp");
  await click("link", "Basket 4 items");
  await sees("Only 1 left. Please order fewer.", await find("listitem", "Cup"));
  await sees("Out of stock. Please remove it.", await find("listitem", "Teapot"));
  await sees("No longer sold. Please remove it.", await find("listitem", "Lamp"));
  await click("button", "Remove Lamp");
  await click("button", "Remove Teapot");
  await sees("Please change the marked products first.");
  lacks("link", "Check out");
  await click("button", "One less Cup");
  await find("link", "Check out");
});

test("products in two currencies cannot be ordered together", async () => {
  await shopping("Cup", "Lamp");
  await click("link", "Basket 2 items");
  await sees("An order can have products in one currency only.");
  lacks("link", "Check out");
});
