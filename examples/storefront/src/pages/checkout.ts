import { ApiError, payNow, placeOrder } from "@orders/client";
import { fill, h } from "../dom.js";
import { failure, shortageList } from "../failures.js";
import { count, money } from "../format.js";
import { busy, link, loading, pageHead } from "../parts.js";
import type { Page, Shop } from "../shop.js";
import { lineProblem, newPrices } from "./basket.js";

/** The last look at an order before it is placed. */
export const checkoutPage: Page = {
  title: "Checkout",
  show: async (at, shop) => {
    fill(at, pageHead("Checkout"), loading("the checkout", "rows"));
    await showCheckout(at, shop);
  },
};

type Payment = "later" | "now";

/** What a customer sees again after the platform declined an order: why, and the payment that the customer chose. */
interface Declined {
  message: HTMLElement;
  payment: Payment;
}

async function showCheckout(at: HTMLElement, shop: Shop, before?: Declined): Promise<void> {
  const { basket } = shop;
  const products = await shop.catalog.load();
  const isReady = basket.lines.every((line) => lineProblem(line, products.get(line.productId)) === undefined);
  const notes = newPrices(shop, products);
  const { total } = basket;
  if (!isReady || !total || basket.lines.length === 0) {
    // The basket page says what to change.
    if (before) fill(at, pageHead("Checkout"), before.message);
    else shop.go("/basket");
    return;
  }
  const outcome = h("div", { class: "outcome" });
  if (before) outcome.append(before.message);
  if (notes.length > 0) outcome.append(changedPrices(notes));
  const form = h(
    "form",
    { class: "split", novalidate: true },
    h("div", { class: "stack" }, lines(shop), payments(before?.payment ?? "later")),
    h(
      "section",
      { class: "summary", "aria-labelledby": "summary-title" },
      h("h2", { id: "summary-title" }, "Summary"),
      h(
        "dl",
        { class: "totals" },
        h("dt", null, count(basket.count, "item")),
        h("dd", null, money(total.amount, total.currency)),
        h("dt", null, "Delivery"),
        h("dd", null, "Free"),
        h("dt", null, "Total"),
        h("dd", { class: "total" }, money(total.amount, total.currency)),
      ),
      h("button", { type: "submit", class: "button button-wide" }, "Place order"),
      h("p", { class: "quiet" }, link("/basket", "Back to the basket")),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
    const payment: Payment = new FormData(form).get("payment") === "now" ? "now" : "later";
    const text = payment === "now" ? "Waiting for the confirmation…" : "Placing your order…";
    if (button) void busy(button, text, () => order(at, shop, payment, total.amount, outcome));
  });
  fill(at, pageHead("Checkout"), outcome, form);
}

function lines({ basket }: Shop): HTMLElement {
  const rows = basket.lines.map((line) =>
    h(
      "li",
      { class: "plain-line" },
      h("span", null, line.name, h("span", { class: "quiet" }, ` × ${line.quantity}`)),
      h("span", { class: "line-price" }, money(line.quantity * line.unitPrice, line.currency)),
    ),
  );
  return h("section", { class: "panel" }, h("h2", null, "Your order"), h("ul", { class: "plain-lines" }, ...rows));
}

function payments(chosen: Payment): HTMLElement {
  const choice = (value: Payment, title: string, text: string): HTMLElement =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "payment", value, checked: value === chosen }),
      h("span", { class: "choice-text" }, h("strong", null, title), h("span", { class: "quiet" }, text)),
    );
  return h(
    "fieldset",
    { class: "panel" },
    h("legend", null, "Payment"),
    choice(
      "later",
      "Pay when confirmed",
      "You can leave right away. We confirm the order within seconds and send you an email.",
    ),
    choice(
      "now",
      "Pay now",
      "Wait here for the confirmation. If something is sold out, you can change the basket at once.",
    ),
  );
}

function changedPrices(notes: readonly string[]): HTMLElement {
  const texts = [...notes, "Please check the new total before you order."];
  return h("div", { class: "message", role: "alert" }, ...texts.map((text) => h("p", null, text)));
}

/** Places the order. Shows it, or says what prevents it. */
async function order(
  at: HTMLElement,
  shop: Shop,
  payment: Payment,
  total: number,
  outcome: HTMLElement,
): Promise<void> {
  fill(outcome);
  try {
    const send = payment === "now" ? payNow : placeOrder;
    const { order_id: orderId } = await send(shop.client, shop.basket.order, { expectedTotal: total });
    shop.basket.clear();
    shop.go(`/orders/${orderId}`);
  } catch (error) {
    if (error instanceof ApiError && (error.code === "PriceChanged" || error.code === "OutOfStock")) {
      await showCheckout(at, shop, { message: declined(shop, error), payment });
    } else {
      fill(outcome, failure(shop, error));
    }
    at.querySelector(".message")?.scrollIntoView({ block: "nearest" });
  }
}

/** Returns the message about an order that the platform declined, and that a change of the basket can correct. */
function declined(shop: Shop, error: ApiError): HTMLElement {
  const shown = failure(shop, error);
  const list = shortageList(error, shop);
  if (list) shown.append(list);
  const actions = h("p", { class: "actions" }, link("/basket", "Change the basket", "button"));
  if (error.orderId) actions.append(link(`/orders/${error.orderId}`, "See the declined order", "button button-quiet"));
  shown.append(actions);
  return shown;
}
