import {
  CURRENCIES,
  type Currency,
  currencyDigits,
  type NewProduct,
  parseMoney,
  type Product,
  unwrap,
  validateNewProduct,
} from "@orders/client";
import { productArt } from "../art.js";
import { fill, h } from "../dom.js";
import { failure } from "../failures.js";
import { complain, type Field, inputField, selectField } from "../fields.js";
import { busy, loading, pageHead } from "../parts.js";
import type { Page, Shop } from "../shop.js";

const PRODUCT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const LANGUAGE = document.documentElement.lang;

/** The page on which administrators change prices and stock. */
export const stockPage: Page = {
  title: "Stock",
  show: async (at, shop) => {
    fill(at, pageHead("Stock"), loading("the stock", "rows"));
    const products = [...(await shop.catalog.load()).values()];
    const list = h("ul", { class: "stock-list" }, ...products.map((product) => row(shop, product)));
    fill(
      at,
      pageHead("Stock", "Changes are visible to customers at once. Orders that are placed keep their price."),
      list,
      newProduct(shop, (product) => list.append(row(shop, product))),
    );
  },
};

/** The fields of a product, and the body that they contain. */
interface Fields {
  name: Field;
  price: Field;
  currency: Field;
  quantity: Field;
}

function fieldsOf(product?: Product): Fields {
  const currency = product?.currency ?? "JPY";
  return {
    name: inputField("Name", { value: product?.name ?? "", required: true }),
    price: inputField("Price", {
      value: product ? plainPrice(product.unit_price, currency) : "",
      inputmode: "decimal",
      required: true,
    }),
    currency: selectField("Currency", CURRENCIES, { value: currency }),
    quantity: inputField("In stock", { type: "number", min: 0, value: product?.quantity ?? 0, required: true }),
  };
}

/** Returns a price as an administrator types it: 12.50 for 1250 EUR. */
function plainPrice(amount: number, currency: string): string {
  const digits = currencyDigits(currency);
  return (amount / 10 ** digits).toFixed(digits);
}

/** Returns the body of the request, or undefined after messages at the fields. */
function bodyOf({ name, price, currency, quantity }: Fields): NewProduct | undefined {
  const code = currency.control.value as Currency;
  const amount = parseMoney(price.control.value, code, LANGUAGE);
  const body: NewProduct = {
    name: name.control.value.trim(),
    unit_price: amount ?? Number.NaN,
    currency: code,
    quantity: Number(quantity.control.value || Number.NaN),
  };
  const fields = { "/name": name, "/unit_price": price, "/currency": currency, "/quantity": quantity };
  const found = validateNewProduct(body).map((each) =>
    // The contract's limits of a price are in minor units.
    each.pointer === "/unit_price" ? { ...each, limit: plainPrice(Number(each.limit), code) } : each,
  );
  const isValid = complain(found, fields);
  if (amount === undefined && price.control.value.trim() !== "") {
    const digits = currencyDigits(code);
    price.complain(
      digits === 0
        ? "Please enter an amount without decimals."
        : `Please enter an amount with up to ${digits} decimals.`,
    );
  }
  return isValid ? body : undefined;
}

function row(shop: Shop, product: Product): HTMLElement {
  let shown = product;
  const fields = fieldsOf(product);
  const { name, price, currency, quantity } = fields;
  const outcome = h("div", { class: "outcome" });
  const button = h("button", { type: "submit", class: "button button-quiet" }, "Save");
  const form = h(
    "form",
    { class: "stock-row", novalidate: true },
    h("div", { class: "line-art" }, productArt(product.product_id)),
    name.element,
    price.element,
    currency.element,
    quantity.element,
    button,
    outcome,
  );
  /** Names the form and its button after the product, so that screen readers tell the rows apart. */
  const label = (): void => {
    form.setAttribute("aria-label", shown.name);
    button.setAttribute("aria-label", `Save ${shown.name}`);
  };
  label();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = bodyOf(fields);
    if (!body) return;
    void busy(button, "Saving…", async () => {
      fill(outcome);
      try {
        const sold = await soldSince(shop, shown);
        if (sold) {
          shown = sold;
          quantity.complain(`Customers changed the stock to ${sold.quantity} meanwhile. Please enter it again.`);
          quantity.control.value = String(sold.quantity);
          quantity.control.focus();
          return;
        }
        shown = await put(shop, product.product_id, body);
        label();
        shop.say(`${shown.name} is saved.`);
      } catch (error) {
        fill(outcome, failure(shop, error));
      }
    });
  });
  return h("li", null, form);
}

/** Returns the current product if its stock differs from the shown one: to save would undo what customers bought. */
async function soldSince({ client }: Shop, shown: Product): Promise<Product | undefined> {
  const params = { path: { product_id: shown.product_id } };
  const current = await unwrap(client.http.GET("/products/{product_id}", { params }));
  return current.quantity === shown.quantity ? undefined : current;
}

function put({ client }: Shop, productId: string, body: NewProduct): Promise<Product> {
  return unwrap(client.http.PUT("/products/{product_id}", { params: { path: { product_id: productId } }, body }));
}

function newProduct(shop: Shop, added: (product: Product) => void): HTMLElement {
  const id = inputField("Product id", { required: true, spellcheck: "false", autocapitalize: "none" });
  const fields = fieldsOf();
  const outcome = h("div", { class: "outcome" });
  const button = h("button", { type: "submit", class: "button" }, "Add product");
  const form = h(
    "form",
    { class: "panel form", novalidate: true, "aria-labelledby": "new-product" },
    h("h2", { id: "new-product" }, "Add a product"),
    h("div", { class: "form-columns" }, id.element, ...Object.values(fields).map((each) => each.element)),
    outcome,
    h("p", { class: "actions" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = bodyOf(fields);
    const productId = id.control.value.trim();
    const isFree = PRODUCT_ID.test(productId) && shop.catalog.nameOf(productId) === productId;
    id.complain(isFree ? undefined : "Please enter a new id: letters, digits, - and _, at most 64.");
    if (!isFree) id.control.focus();
    if (!body || !isFree) return;
    void busy(button, "Adding…", async () => {
      fill(outcome);
      try {
        const product = await put(shop, productId, body);
        await shop.catalog.load();
        added(product);
        form.reset();
        shop.say(`${product.name} is in the shop.`);
      } catch (error) {
        fill(outcome, failure(shop, error));
      }
    });
  });
  return form;
}
