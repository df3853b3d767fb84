import { Basket } from "./basket.js";
import { byId, fill, h } from "./dom.js";
import { failure } from "./failures.js";
import { say, showFooter, showHeader } from "./layout.js";
import { basketPage } from "./pages/basket.js";
import { checkoutPage } from "./pages/checkout.js";
import { landingPage } from "./pages/landing.js";
import { lostPage } from "./pages/lost.js";
import { orderPage } from "./pages/order.js";
import { ordersPage } from "./pages/orders.js";
import { productsPage } from "./pages/products.js";
import { profilePage } from "./pages/profile.js";
import { stockPage } from "./pages/stock.js";
import { pageHead } from "./parts.js";
import type { Session } from "./session.js";
import { Catalog, clientOf, type Page, type Shop } from "./shop.js";

function pageAt(path: string, { session }: Shop): Page {
  if (!session.isSignedIn) return landingPage;
  const [first = "", second, ...more] = path.split("/").slice(1);
  if (more.length > 0 || (second !== undefined && first !== "orders")) return lostPage;
  if (second) return orderPage(second);
  const pages: Record<string, Page | undefined> = {
    "": productsPage,
    basket: basketPage,
    checkout: checkoutPage,
    orders: ordersPage,
    profile: profilePage,
    // The API refuses everybody else too. This only hides a page that could not work.
    stock: session.isAdmin ? stockPage : undefined,
  };
  return (Object.hasOwn(pages, first) ? pages[first] : undefined) ?? lostPage;
}

/**
 * Shows the page of the current address, and follows the links of the site.
 * Returns a function that shows the page again, for example after the session has ended.
 */
export function openShop(session: Session, client = clientOf(session)): () => void {
  const shop: Shop = {
    session,
    client,
    basket: new Basket(session.userId, () => showHeader(shop)),
    catalog: new Catalog(client),
    go: (path) => {
      history.pushState(null, "", path);
      show();
    },
    say,
  };
  let current = new AbortController();
  const show = (isFirst = false): void => {
    current.abort();
    current = new AbortController();
    const page = pageAt(location.pathname, shop);
    document.title = `${page.title} · Hinoki`;
    showHeader(shop);
    showFooter(shop);
    const at = byId("main");
    // Each page gets an element of its own, so a late response of the previous page changes nothing.
    const body = h("div", { class: "page" });
    fill(at, body);
    const { signal } = current;
    Promise.resolve(page.show(body, shop, signal)).catch((error: unknown) => {
      if (!signal.aborted) fill(body, pageHead(page.title), failure(shop, error, { retry: () => show() }));
    });
    if (isFirst) return;
    window.scrollTo(0, 0);
    // Without this, a screen reader would not notice the new page.
    (body.querySelector("h1") ?? at).focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.origin !== location.origin || link.hash) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    show();
  });
  window.addEventListener("popstate", () => show());
  show(true);
  return show;
}
