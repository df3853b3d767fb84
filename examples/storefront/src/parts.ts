import type { Order, OrderStatus } from "@orders/client";
import { h } from "./dom.js";
import { money } from "./format.js";
import type { Catalog } from "./shop.js";

/** The heading of a page, with an optional introduction and links. */
export function pageHead(title: string, intro?: string | Node, ...aside: Node[]): HTMLElement {
  return h(
    "div",
    { class: "page-head" },
    h("div", null, h("h1", { tabindex: -1 }, title), intro ? h("p", { class: "lead" }, intro) : null),
    aside.length > 0 ? h("div", { class: "page-head-aside" }, ...aside) : null,
  );
}

/** A placeholder of the page's shape while its data loads. */
export function loading(what: string, shape: "grid" | "rows"): HTMLElement {
  const blocks = Array.from({ length: shape === "grid" ? 8 : 4 }, () => h("div", { class: "skeleton" }));
  return h(
    "div",
    { class: `loading loading-${shape}`, role: "status" },
    h("span", { class: "visually-hidden" }, `Loading ${what}`),
    h("div", { class: "loading-blocks", "aria-hidden": "true" }, ...blocks),
  );
}

/** A page or a section without content, with the next step. */
export function empty(title: string, text: string, action?: Node): HTMLElement {
  return h("div", { class: "empty" }, h("h2", null, title), h("p", null, text), action ?? null);
}

/** A link of this site. The router opens it without loading the site again. */
export function link(path: string, text: string, className = ""): HTMLAnchorElement {
  return h("a", { href: path, class: className || null }, text);
}

const STATUSES: Record<OrderStatus, { label: string; tone: string }> = {
  PENDING: { label: "Processing", tone: "wait" },
  CONFIRMED: { label: "Confirmed", tone: "good" },
  REJECTED: { label: "Declined", tone: "bad" },
  FAILED: { label: "Failed", tone: "bad" },
  CANCELLED: { label: "Cancelled", tone: "quiet" },
};

/** Returns the customer's word for a status. */
export function statusLabel(status: OrderStatus): string {
  return STATUSES[status].label;
}

/** A badge with the status of an order. */
export function statusBadge(status: OrderStatus): HTMLElement {
  const { label, tone } = STATUSES[status];
  return h("span", { class: `badge badge-${tone}` }, label);
}

/** Returns the total of an order as text, or undefined: only a decided order that was confirmed has one. */
export function totalOf(order: Order): string | undefined {
  const total = "total" in order ? order.total : undefined;
  const currency = "currency" in order ? order.currency : undefined;
  return total === undefined || currency === undefined ? undefined : money(total, currency);
}

/** Returns the name of a line's product. A confirmed order keeps the name that the product had then. */
export function lineName(line: Order["items"][number], catalog: Catalog): string {
  return ("name" in line ? line.name : undefined) ?? catalog.nameOf(line.product_id);
}

/** What a quantity control does. */
interface Quantity {
  label: string;
  value: number;
  max: number;
  changed: (value: number) => void;
}

/** A number field between two buttons. */
export function quantityField({ label, value, max, changed }: Quantity): HTMLElement {
  const field = h("input", {
    type: "number",
    class: "quantity-input",
    inputmode: "numeric",
    min: 1,
    max: Math.max(max, 1),
    value,
    "aria-label": `Quantity of ${label}`,
    onchange: () => changed(Math.max(1, Math.trunc(field.valueAsNumber || 1))),
  });
  const step = (by: number, text: string, name: string): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "quantity-step",
        "aria-label": `${name} ${label}`,
        disabled: by < 0 ? value <= 1 : value >= max,
        onclick: () => changed(value + by),
      },
      text,
    );
  return h("div", { class: "quantity" }, step(-1, "−", "One less"), field, step(1, "+", "One more"));
}

/** Runs an action of a button once at a time. The button says that it is busy, and a second click does nothing. */
export async function busy(button: HTMLButtonElement, text: string, action: () => Promise<void>): Promise<void> {
  if (button.getAttribute("aria-disabled") === "true") return;
  const label = button.textContent;
  // A disabled button would lose the keyboard focus.
  button.setAttribute("aria-disabled", "true");
  button.textContent = text;
  try {
    await action();
  } finally {
    button.removeAttribute("aria-disabled");
    button.textContent = label;
  }
}
