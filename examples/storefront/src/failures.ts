import { ApiError, errorText, shortages } from "@orders/client";
import { h } from "./dom.js";
import type { Shop } from "./shop.js";

/** What a page does about an error. */
interface Remedies {
  /** Repeats what failed. */
  retry?: (() => void) | undefined;
  /** Text instead of the text for the error's code. */
  text?: string | undefined;
}

/** Returns a message in words about an error, with a button for the next step. */
export function failure(shop: Shop, error: unknown, { retry, text }: Remedies = {}): HTMLElement {
  const ended = error instanceof ApiError && error.code === "Unauthorized";
  const next = ended
    ? h("button", { type: "button", class: "button", onclick: () => void shop.session.signIn() }, "Sign in")
    : retry && h("button", { type: "button", class: "button", onclick: retry }, "Try again");
  const id = error instanceof ApiError ? error.requestId : undefined;
  return h(
    "div",
    { class: "message message-bad", role: "alert" },
    h("p", null, text ?? errorText(error, document.documentElement.lang)),
    next ? h("p", null, next) : null,
    // Support finds a request by its id. Errors that customers can correct themselves need no support.
    error instanceof ApiError && error.status >= 500 && id ? h("p", { class: "quiet" }, `Request ${id}`) : null,
  );
}

/** Returns the products that a reason or an error lists as too few, or undefined if it lists none. */
export function shortageList(error: unknown, { catalog }: Shop): HTMLElement | undefined {
  const missing = shortages(error).map(({ product_id: id, available }) =>
    h("li", null, `${catalog.nameOf(id)}: ${available === 0 ? "sold out" : `only ${available} left`}`),
  );
  return missing.length > 0 ? h("ul", { class: "bullets" }, ...missing) : undefined;
}
