import type { Product } from "@orders/client";
import { productArt } from "../art.js";
import { MAX_LINES, MAX_QUANTITY } from "../basket.js";
import { fill, h } from "../dom.js";
import { money } from "../format.js";
import { empty, loading, pageHead } from "../parts.js";
import type { Page, Shop } from "../shop.js";

/** Below this stock, the card says how many pieces are left. */
const FEW = 10;

/** The products with prices and stock. */
export const productsPage: Page = {
  title: "Products",
  show: async (at, shop) => {
    const head = pageHead("Products", "Everything we have, and how much of it.");
    fill(at, head, loading("products", "grid"));
    const products = [...(await shop.catalog.load()).values()];
    if (products.length === 0) {
      fill(at, head, empty("The shelves are empty", "New products will arrive soon."));
      return;
    }
    fill(at, head, h("ul", { class: "grid" }, ...products.map((product) => card(shop, product))));
  },
};

function card(shop: Shop, product: Product): HTMLElement {
  const { product_id: id, name, unit_price: price, currency, quantity: stock } = product;
  const heading = `product-${id}`;
  const added = h("span", { class: "card-added" });
  const button = h(
    "button",
    { type: "button", class: "button button-quiet", "aria-describedby": heading },
    "Add to basket",
  );
  const show = (): void => {
    const inBasket = shop.basket.quantityOf(id);
    added.textContent = inBasket > 0 ? `${inBasket} in basket` : "";
  };
  button.addEventListener("click", () => {
    const wanted = shop.basket.quantityOf(id) + 1;
    if (wanted > Math.min(stock, MAX_QUANTITY)) {
      shop.say(`You already have every ${name} that we can sell you in your basket.`);
    } else if (wanted === 1 && shop.basket.lines.length === MAX_LINES) {
      shop.say(`An order can have at most ${MAX_LINES} different products.`);
    } else {
      shop.basket.set(product, wanted);
      shop.say(`${name} is in your basket.`);
    }
    show();
  });
  show();
  return h(
    "li",
    { class: stock === 0 ? "card card-out" : "card" },
    h("div", { class: "card-art" }, productArt(id), stock === 0 ? h("span", { class: "card-flag" }, "Sold out") : null),
    h(
      "div",
      { class: "card-body" },
      h("h2", { class: "card-title", id: heading }, name),
      h("p", { class: "card-price" }, money(price, currency)),
      h("p", { class: stock > 0 && stock < FEW ? "stock stock-few" : "stock" }, stockText(stock)),
      h("div", { class: "card-action" }, stock > 0 ? button : null, added),
    ),
  );
}

function stockText(stock: number): string {
  if (stock === 0) return "Out of stock";
  return stock < FEW ? `Only ${stock} left` : "In stock";
}
