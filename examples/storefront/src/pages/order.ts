import { ApiError, cancelOrder, errorText, getOrder, isDecided, type Order, waitForOrder } from "@orders/client";
import { productArt } from "../art.js";
import { fill, h } from "../dom.js";
import { failure, shortageList } from "../failures.js";
import { count, moment, money, orderNumber } from "../format.js";
import { busy, lineName, link, loading, pageHead, statusBadge, totalOf } from "../parts.js";
import type { Page, Shop } from "../shop.js";

const HEADLINES: Record<Order["status"], string> = {
  PENDING: "We have your order",
  CONFIRMED: "Your order is confirmed",
  REJECTED: "We could not accept this order",
  FAILED: "This order failed",
  CANCELLED: "This order is cancelled",
};

/** Returns the page of an order, which follows the order until it is decided. */
export function orderPage(orderId: string): Page {
  return {
    title: `Order ${orderNumber(orderId)}`,
    show: async (at, shop, signal) => {
      fill(at, pageHead(`Order ${orderNumber(orderId)}`), loading("the order", "rows"));
      const [order] = await Promise.all([getOrder(shop.client, orderId, { signal }), names(shop)]);
      const status = h("div", { class: "status", role: "status", "aria-live": "polite", "aria-atomic": "true" });
      const problems = h("div");
      const content = h("section", { class: "panel", "aria-labelledby": "products-title" });
      const details = h("section", { class: "summary", "aria-labelledby": "details-title" });
      const show = (current: Order): void => {
        showStatus(status, shop, current);
        showContent(content, shop, current);
        fill(details, ...detailsOf(current), actionsOf(problems, shop, current, show));
      };
      const back = link("/orders", "All orders");
      fill(
        at,
        pageHead(`Order ${orderNumber(orderId)}`, undefined, back),
        status,
        problems,
        h("div", { class: "split" }, content, details),
      );
      show(order);
      await follow(order, problems, shop, signal, show);
    },
  };
}

/** Loads the products' names. The order is shown without them if that fails. */
async function names(shop: Shop): Promise<void> {
  await shop.catalog.known().catch(() => undefined);
}

async function follow(
  order: Order,
  problems: HTMLElement,
  shop: Shop,
  signal: AbortSignal,
  show: (order: Order) => void,
): Promise<void> {
  if (isDecided(order)) return;
  try {
    show(await waitForOrder(shop.client, order, { signal }));
  } catch (error) {
    if (signal.aborted) return;
    const retry = (): void => {
      fill(problems);
      void follow(order, problems, shop, signal, show);
    };
    fill(problems, failure(shop, error, { retry }));
  }
}

function showStatus(at: HTMLElement, shop: Shop, order: Order): void {
  const { status } = order;
  const reason = "reason" in order ? order.reason : undefined;
  at.className = `status status-${status.toLowerCase()}`;
  fill(
    at,
    h("p", { class: "status-top" }, statusBadge(status)),
    h("h2", null, HEADLINES[status]),
    h(
      "p",
      null,
      status === "PENDING" ? "We are checking the stock. This takes a few seconds." : explanation(order, reason),
    ),
    reason ? shortageList(reason, shop) : null,
    status === "PENDING" ? h("div", { class: "progress", "aria-hidden": "true" }) : null,
  );
}

function explanation(order: Order, reason: { code: string; message: string } | undefined): string {
  if (reason) return errorText(reason, document.documentElement.lang);
  if (order.status === "CANCELLED") return "You pay nothing. The products are back in stock.";
  if (order.status === "CONFIRMED") return "Thank you. Everything is reserved for you.";
  return "";
}

function showContent(at: HTMLElement, shop: Shop, order: Order): void {
  const total = totalOf(order);
  const currency = "currency" in order ? order.currency : undefined;
  const rows = order.items.map((line) => row(shop, line, currency));
  const isPending = order.status === "PENDING";
  fill(
    at,
    h("h2", { id: "products-title" }, "Products"),
    h("ul", { class: "lines" }, ...rows),
    h(
      "dl",
      { class: "totals" },
      h("dt", null, "Total"),
      h("dd", { class: total ? "total" : "unknown" }, total ?? (isPending ? "Known when confirmed" : "Nothing to pay")),
    ),
  );
}

function detailsOf(order: Order): HTMLElement[] {
  const facts = [
    ["Order id", order.order_id],
    ["Placed", moment(order.created_at)],
    ["Last change", moment(order.updated_at)],
  ] as const;
  return [
    h("h2", { id: "details-title" }, "Details"),
    h(
      "dl",
      { class: "details" },
      ...facts.flatMap(([name, value]) => [h("dt", { class: "quiet" }, name), h("dd", null, value)]),
    ),
  ];
}

function row(shop: Shop, line: Order["items"][number], currency: string | undefined): HTMLElement {
  const { product_id: id, quantity } = line;
  const price = "unit_price" in line ? line.unit_price : undefined;
  const isPriced = price !== undefined && currency !== undefined;
  return h(
    "li",
    { class: "line line-small" },
    h("div", { class: "line-art" }, productArt(id)),
    h(
      "div",
      { class: "line-body" },
      h("h3", { class: "line-title" }, lineName(line, shop.catalog)),
      h("p", { class: "quiet" }, isPriced ? `${quantity} × ${money(price, currency)}` : count(quantity, "piece")),
    ),
    isPriced ? h("p", { class: "line-price" }, money(price * quantity, currency)) : null,
  );
}

function actionsOf(problems: HTMLElement, shop: Shop, order: Order, show: (order: Order) => void): HTMLElement {
  const onward = link("/", "Continue shopping", "button button-wide");
  if (order.status !== "PENDING" && order.status !== "CONFIRMED") {
    const again = h("button", { type: "button", class: "button button-quiet button-wide" }, "Fill the basket again");
    again.addEventListener("click", () => void busy(again, "Filling…", () => refill(problems, shop, order)));
    return h("div", { class: "stack" }, onward, again);
  }
  const button = h("button", { type: "button", class: "button button-quiet button-wide" }, "Cancel order");
  button.addEventListener("click", () => {
    ask(order, () =>
      busy(button, "Cancelling…", async () => {
        try {
          fill(problems);
          show(await cancelOrder(shop.client, order.order_id));
        } catch (error) {
          const isLate = error instanceof ApiError && error.code === "InvalidTransition";
          if (isLate) show(await getOrder(shop.client, order.order_id));
          fill(problems, failure(shop, error));
        }
      }),
    );
  });
  return h("div", { class: "stack" }, onward, button);
}

/** Puts the products of an order into the basket, at current prices. Products that are no longer sold stay away. */
async function refill(problems: HTMLElement, shop: Shop, order: Order): Promise<void> {
  try {
    const products = await shop.catalog.load();
    for (const { product_id: id, quantity } of order.items) {
      const product = products.get(id);
      if (product) shop.basket.set(product, quantity);
    }
    shop.go("/basket");
  } catch (error) {
    fill(problems, failure(shop, error));
  }
}

/** Asks before the order is cancelled, because a cancelled order cannot be restored. */
function ask(order: Order, confirmed: () => void): void {
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "dialog-title" },
    h("h2", { id: "dialog-title" }, `Cancel order ${orderNumber(order.order_id)}?`),
    h("p", null, "The products go back on the shelf. You can order them again if they are still there."),
    h(
      "form",
      { method: "dialog", class: "actions" },
      h("button", { class: "button", value: "keep" }, "Keep order"),
      h("button", { class: "button button-bad", value: "cancel" }, "Cancel order"),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue === "cancel") confirmed();
  });
  document.body.append(dialog);
  dialog.showModal();
}
