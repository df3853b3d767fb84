import { byId, fill, h, s } from "./dom.js";
import type { Shop } from "./shop.js";

const MESSAGE_MS = 5000;

function brand(): HTMLElement {
  const mark = s(
    "svg",
    { viewBox: "0 0 32 32", class: "brand-mark", "aria-hidden": "true" },
    s("rect", { width: 32, height: 32, rx: 8, class: "mark-ground" }),
    s("circle", { cx: 21, cy: 10, r: 4, class: "mark-sun" }),
    s("path", { d: "M6 15h20a10 10 0 0 1-20 0z", class: "mark-bowl" }),
  );
  return h("a", { href: "/", class: "brand" }, mark, h("span", null, "Hinoki"));
}

function navLink(path: string, text: string): HTMLAnchorElement {
  const current = location.pathname === path || (path !== "/" && location.pathname.startsWith(`${path}/`));
  return h("a", { href: path, class: "nav-link", "aria-current": current ? "page" : null }, text);
}

/** Shows the header for the current page and customer. */
export function showHeader(shop: Shop): void {
  const { session, basket } = shop;
  if (!session.isSignedIn) {
    const signIn = h(
      "button",
      { type: "button", class: "button button-small", onclick: () => void session.signIn("/") },
      "Sign in",
    );
    fill(byId("header"), h("div", { class: "header-row" }, brand(), h("div", { class: "header-tools" }, signIn)));
    return;
  }
  const pieces = basket.count;
  const basketLink = h(
    "a",
    {
      href: "/basket",
      class: "basket-link",
      "aria-current": location.pathname === "/basket" ? "page" : null,
    },
    "Basket ",
    h("span", { class: pieces > 0 ? "basket-count" : "basket-count basket-count-none" }, pieces),
    h("span", { class: "visually-hidden" }, pieces === 1 ? " item" : " items"),
  );
  fill(
    byId("header"),
    h(
      "div",
      { class: "header-row" },
      brand(),
      h(
        "nav",
        { class: "nav", "aria-label": "Shop" },
        navLink("/", "Products"),
        navLink("/orders", "Orders"),
        navLink("/profile", "Profile"),
        session.isAdmin ? navLink("/stock", "Stock") : null,
      ),
      h("div", { class: "header-tools" }, basketLink),
    ),
  );
}

/** Shows the footer. */
export function showFooter(shop: Shop): void {
  const { session } = shop;
  const signOut = h(
    "button",
    { type: "button", class: "text-button", onclick: () => void session.signOut() },
    "Sign out",
  );
  fill(
    byId("footer"),
    h(
      "div",
      { class: "footer-row" },
      h("p", null, "Hinoki is the example shop of the orders platform. Nothing here is for sale."),
      session.isSignedIn ? h("p", { class: "footer-account" }, `Signed in as ${session.email}`, " ", signOut) : null,
    ),
  );
}

/** Shows a message for a few seconds. The region in index.html announces it. */
export function say(text: string): void {
  const message = h("p", { class: "toast" }, text);
  fill(byId("notices"), message);
  setTimeout(() => message.remove(), MESSAGE_MS);
}

/** Shows a bar while the browser has no network. */
export function watchNetwork(): void {
  const bar = h(
    "p",
    { class: "offline", role: "status" },
    "You are offline. The shop continues when your connection is back.",
  );
  const show = (): void => {
    if (navigator.onLine) bar.remove();
    else document.body.prepend(bar);
  };
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
}
