import assert from "node:assert/strict";
import { test } from "node:test";
import { all, click, enter, find, lacks, messageAt, sees, textOf, valueOf } from "./customer.js";
import { mocked, type Visit, visit } from "./visit.js";

/** Opens the page for the stock as an administrator. */
async function stock(): Promise<Visit> {
  const mocks = mocked();
  mocks.platform.caller.isAdmin = true;
  const visited = await visit("/stock", { mocks, isAdmin: true });
  await find("heading", "Add a product");
  return visited;
}

test("the profile form shows the contract's rules at the field, before a request is sent", async () => {
  const { sent } = await visit("/profile");
  const wrong = [
    ["", "Please fill this in."],
    ["   ", "Please fill this in."],
    ["N".repeat(201), "At most 200 characters, please."],
    ["ann@example.com", "Some of these characters are not allowed here."],
  ] as const;
  for (const [name, words] of wrong) {
    await enter(name, "textbox", "Name");
    await click("button", "Create profile");
    assert.equal(await messageAt("textbox", "Name"), words);
    assert.ok(document.activeElement === (await find("textbox", "Name")), "the field has the focus");
  }
  assert.equal(await messageAt("textbox", "Email"), "");
  assert.equal(sent("POST /users").length, 0);
});

test("a corrected profile is created with the address of the sign-in, and shown", async () => {
  const { mocks } = await visit("/profile");
  await click("button", "Create profile");
  await enter(" Ann Lee ", "textbox", "Name");
  assert.equal(await valueOf("textbox", "Email"), "ann@example.com");
  await click("button", "Create profile");
  await sees("Name Ann Lee Email ann@example.com Customer since");
  await sees("Your profile is ready.");
  assert.deepEqual(
    [...mocks.platform.users.values()].map(({ name, email }) => [name, email]),
    [["Ann Lee", "ann@example.com"]],
  );
  lacks("button", "Create profile");
});

test("a customer with a profile sees it instead of the form", async () => {
  const mocks = mocked();
  mocks.platform.createUser({ name: "Ann", email: "ann@example.com" });
  await visit("/profile", { mocks });
  await sees("Name Ann Email ann@example.com");
  lacks("button", "Create profile");
});

test("an administrator sees every product with its price and stock", async () => {
  await stock();
  const rows = await Promise.all(
    ["Bento box", "Cup", "Lamp", "Teapot", "Vase"].map(async (name) => {
      const row = await find("form", name);
      const [price, currency, quantity] = [
        valueOf("textbox", "Price", row),
        valueOf("combobox", "Currency", row),
        valueOf("spinbutton", "In stock", row),
      ];
      return [name, await price, await currency, await quantity];
    }),
  );
  assert.deepEqual(rows, [
    ["Bento box", "120000", "JPY", "12"],
    ["Cup", "12.50", "EUR", "40"],
    ["Lamp", "12.500", "KWD", "3"],
    ["Teapot", "48.00", "EUR", "5"],
    ["Vase", "99.00", "EUR", "0"],
  ]);
  assert.equal(all("form").length, rows.length + 1);
});

test("an administrator changes a price and the stock", async () => {
  const { mocks } = await stock();
  const row = await find("form", "Cup");
  await enter("13.75", "textbox", "Price", row);
  await enter("7", "spinbutton", "In stock", row);
  await click("button", "Save Cup");
  await sees("Cup is saved.");
  const expected = { product_id: "cup", name: "Cup", unit_price: 1375, currency: "EUR", quantity: 7 };
  assert.deepEqual(mocks.platform.product("cup"), expected);
});

test("a row of the stock page has the new name of its product", async () => {
  await stock();
  const row = await find("form", "Cup");
  await enter("Mug", "textbox", "Name", row);
  await click("button", "Save Cup");
  await find("button", "Save Mug", await find("form", "Mug"));
});

test("the stock page shows the contract's rules at the fields, before a request is sent", async () => {
  const { sent } = await stock();
  const row = await find("form", "Cup");
  await enter("", "textbox", "Name", row);
  await enter("12.345", "textbox", "Price", row);
  await enter("-1", "spinbutton", "In stock", row);
  await click("button", "Save Cup");
  assert.equal(await messageAt("textbox", "Name", row), "Please fill this in.");
  assert.equal(await messageAt("textbox", "Price", row), "Please enter an amount with up to 2 decimals.");
  assert.equal(await messageAt("spinbutton", "In stock", row), "Please enter 0 or more.");
  assert.ok(document.activeElement === (await find("textbox", "Name", row)), "the first wrong field has the focus");
  await enter("", "textbox", "Price", row);
  await click("button", "Save Cup");
  assert.equal(await messageAt("textbox", "Price", row), "Please fill this in.");
  await enter("10000001", "textbox", "Price", row);
  await click("button", "Save Cup");
  assert.equal(await messageAt("textbox", "Price", row), "Please enter 10000000.00 or less.");
  assert.equal(sent("GET /products/cup").length + sent("PUT /products/cup").length, 0);
});

test("an administrator does not overwrite what customers bought meanwhile", async () => {
  const { mocks, sent } = await stock();
  const row = await find("form", "Cup");
  mocks.platform.decide(mocks.platform.place({ items: [{ product_id: "cup", quantity: 3 }] }, null).order_id);
  await enter("50", "spinbutton", "In stock", row);
  await click("button", "Save Cup");
  await sees("Customers changed the stock to 37 meanwhile. Please enter it again.", row);
  assert.equal(await valueOf("spinbutton", "In stock", row), "37");
  assert.equal(sent("PUT /products/cup").length, 0);
  await enter("47", "spinbutton", "In stock", row);
  await click("button", "Save Cup");
  await sees("Cup is saved.");
  assert.equal(mocks.platform.product("cup").quantity, 47);
  assert.equal(await messageAt("spinbutton", "In stock", row), "");
});

test("an administrator adds a product with an id that is still free", async () => {
  const { mocks } = await stock();
  const form = await find("form", "Add a product");
  await click("button", "Add product");
  assert.ok(document.activeElement === (await find("textbox", "Product id", form)), "the first field has the focus");
  await enter("8.50", "textbox", "Price", form);
  await click("button", "Add product");
  assert.equal(await messageAt("textbox", "Price", form), "Please enter an amount without decimals.");
  await enter("cup", "textbox", "Product id", form);
  await enter("Fan", "textbox", "Name", form);
  await enter("800", "textbox", "Price", form);
  await enter("9", "spinbutton", "In stock", form);
  await click("button", "Add product");
  assert.equal(
    await messageAt("textbox", "Product id", form),
    "Please enter a new id: letters, digits, - and _, at most 64.",
  );
  await enter("fan", "textbox", "Product id", form);
  await click("button", "Add product");
  await sees("Fan is in the shop.");
  await find("form", "Fan");
  const expected = { product_id: "fan", name: "Fan", unit_price: 800, currency: "JPY", quantity: 9 };
  assert.deepEqual(mocks.platform.product("fan"), expected);
});

test("a customer has no link to the stock, and finds nothing at its address", async () => {
  const { sent } = await visit("/stock");
  await find("heading", "There is nothing here");
  lacks("link", "Stock");
  lacks("form");
  assert.equal(sent("GET /products?limit=100").length, 0);
});

test("somebody who is no longer an administrator reads that the change is not allowed", async () => {
  const { mocks } = await stock();
  await find("link", "Stock");
  mocks.platform.caller.isAdmin = false;
  await enter("1", "spinbutton", "In stock", await find("form", "Cup"));
  await click("button", "Save Cup");
  assert.match(textOf(await find("alert")), /^You are not allowed to do this\.$/);
  assert.equal(mocks.platform.product("cup").quantity, 40);
});
