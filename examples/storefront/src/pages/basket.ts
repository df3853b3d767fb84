import type { Product } from "@orders/client";
import { productArt } from "../art.js";
import { type BasketLine, MAX_QUANTITY } from "../basket.js";
import { fill, h } from "../dom.js";
import { count, money } from "../format.js";
import { empty, link, loading, pageHead, quantityField } from "../parts.js";
import type { Page, Shop } from "../shop.js";

/** The basket, with current prices and stock. */
export const basketPage: Page = {
  title: "Basket",
  show: async (at, shop) => {
    if (shop.basket.lines.length === 0) {
      showEmpty(at);
      return;
    }
    fill(at, pageHead("Basket"), loading("the basket", "rows"));
    const products = await shop.catalog.load();
    const notes = newPrices(shop, products);
    showBasket(at, shop, products, notes);
  },
};

function showEmpty(at: HTMLElement): void {
  const next = link("/", "See all products", "button");
  fill(at, pageHead("Basket"), empty("Your basket is empty", "Products that you add wait here until you order.", next));
}

/** Sets the basket's prices to the current ones. Returns a sentence for each price that has changed. */
export function newPrices({ basket }: Shop, products: ReadonlyMap<string, Product>): string[] {
  return basket.lines.flatMap((line) => {
    const product = products.get(line.productId);
    if (!product || (product.unit_price === line.unitPrice && product.currency === line.currency)) return [];
    basket.set(product, line.quantity);
    const before = money(line.unitPrice, line.currency);
    return [`The price of ${product.name} changed from ${before} to ${money(product.unit_price, product.currency)}.`];
  });
}

/** Returns what prevents an order of this line, or undefined. */
export function lineProblem(line: BasketLine, product: Product | undefined): string | undefined {
  if (!product) return "No longer sold. Please remove it.";
  if (product.quantity === 0) return "Out of stock. Please remove it.";
  if (product.quantity < line.quantity) return `Only ${product.quantity} left. Please order fewer.`;
  return undefined;
}

function showBasket(
  at: HTMLElement,
  shop: Shop,
  products: ReadonlyMap<string, Product>,
  notes: readonly string[],
): void {
  const { basket } = shop;
  if (basket.lines.length === 0) {
    showEmpty(at);
    return;
  }
  const again = (): void => {
    // The keyboard focus stays on the control that was used, although the list is drawn again.
    const label = document.activeElement?.getAttribute("aria-label");
    showBasket(at, shop, products, []);
    const same = [...at.querySelectorAll<HTMLElement>("[aria-label]")].find(
      (each) => each.getAttribute("aria-label") === label,
    );
    const enabled = same?.hasAttribute("disabled") ? same.parentElement?.querySelector("input") : same;
    (enabled ?? at.querySelector("h1"))?.focus();
  };
  const rows = basket.lines.map((line) => row(shop, line, products.get(line.productId), again));
  const isBlocked = basket.lines.some((line) => lineProblem(line, products.get(line.productId)) !== undefined);
  fill(
    at,
    pageHead("Basket", count(basket.count, "item")),
    notes.length > 0
      ? h("div", { class: "message", role: "status" }, ...notes.map((note) => h("p", null, note)))
      : null,
    h("div", { class: "split" }, h("ul", { class: "lines" }, ...rows), summary(shop, isBlocked)),
  );
}

function row(shop: Shop, line: BasketLine, product: Product | undefined, again: () => void): HTMLElement {
  const problem = lineProblem(line, product);
  const remove = h(
    "button",
    {
      type: "button",
      class: "text-button",
      "aria-label": `Remove ${line.name}`,
      onclick: () => {
        shop.basket.remove(line.productId);
        shop.say(`${line.name} is no longer in your basket.`);
        again();
      },
    },
    "Remove",
  );
  const quantity = product && {
    label: line.name,
    value: line.quantity,
    max: Math.min(product.quantity, MAX_QUANTITY),
    changed: (value: number) => {
      shop.basket.set(product, value);
      again();
    },
  };
  return h(
    "li",
    { class: "line" },
    h("div", { class: "line-art" }, productArt(line.productId)),
    h(
      "div",
      { class: "line-body" },
      h("h2", { class: "line-title" }, line.name),
      h("p", { class: "quiet" }, `${money(line.unitPrice, line.currency)} each`),
      problem ? h("p", { class: "problem" }, problem) : null,
    ),
    h("p", { class: "line-price" }, money(line.quantity * line.unitPrice, line.currency)),
    h("div", { class: "line-tools" }, quantity ? quantityField(quantity) : null, remove),
  );
}

function summary({ basket }: Shop, isBlocked: boolean): HTMLElement {
  const { total } = basket;
  const note = !total
    ? "An order can have products in one currency only. Please remove the others, and order them separately."
    : isBlocked
      ? "Please change the marked products first."
      : undefined;
  return h(
    "section",
    { class: "summary", "aria-labelledby": "summary-title" },
    h("h2", { id: "summary-title" }, "Summary"),
    h(
      "dl",
      { class: "totals" },
      h("dt", null, "Delivery"),
      h("dd", null, "Free"),
      h("dt", null, "Total"),
      h("dd", { class: "total" }, total ? money(total.amount, total.currency) : "–"),
    ),
    note ? h("p", { class: "problem" }, note) : link("/checkout", "Check out", "button button-wide"),
    h("p", { class: "quiet" }, link("/", "Continue shopping")),
  );
}
