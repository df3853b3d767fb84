import { type Order, type OrdersClient, unwrap } from "@orders/client";
import { fill, h } from "../dom.js";
import { count, day, orderNumber } from "../format.js";
import { empty, lineName, link, loading, pageHead, statusBadge, totalOf } from "../parts.js";
import type { Page, Shop } from "../shop.js";

const PER_PAGE = 10;

/** Cursors by page number, from 0. A cursor leads only forward, so the way back needs those that were used before. */
let cursors: (string | undefined)[] = [undefined];

/** The customer's orders, newest first. */
export const ordersPage: Page = {
  title: "Orders",
  show: async (at, shop) => {
    fill(at, pageHead("Orders"), loading("your orders", "rows"));
    const wanted = Math.max(1, Math.trunc(Number(new URLSearchParams(location.search).get("page"))) || 1);
    // The first page starts anew, because new orders move the others.
    if (wanted === 1) cursors = [undefined];
    const [{ number, orders }] = await Promise.all([
      read(shop.client, wanted),
      shop.catalog.known().catch(() => undefined),
    ]);
    if (orders.length === 0) {
      const next = link("/", "See all products", "button");
      fill(
        at,
        pageHead("Orders"),
        empty("No orders yet", "Everything that you order appears here, with its status.", next),
      );
      return;
    }
    fill(
      at,
      pageHead("Orders"),
      h("ul", { class: "orders" }, ...orders.map((order) => row(shop, order))),
      pagination(number, cursors[number] !== undefined),
    );
  },
};

/** Returns a page of the history, or the last page if there are fewer pages. */
async function read(client: OrdersClient, wanted: number): Promise<{ number: number; orders: Order[] }> {
  let number = Math.min(wanted, cursors.length);
  for (;;) {
    const cursor = cursors[number - 1];
    const query = cursor === undefined ? { limit: PER_PAGE } : { limit: PER_PAGE, cursor };
    const { orders, next_cursor: next } = await unwrap(client.rest.GET("/orders", { params: { query } }));
    cursors = [...cursors.slice(0, number), ...(next === undefined ? [] : [next])];
    if (number === wanted || next === undefined) return { number, orders };
    number += 1;
  }
}

function row({ catalog }: Shop, order: Order): HTMLElement {
  const pieces = order.items.reduce((sum, { quantity }) => sum + quantity, 0);
  const [first] = order.items;
  const others = order.items.length - 1;
  const name = first ? lineName(first, catalog) : "";
  return h(
    "li",
    { class: "order" },
    h(
      "div",
      { class: "order-main" },
      h(
        "h2",
        { class: "order-title" },
        link(`/orders/${order.order_id}`, others > 0 ? `${name} and ${others} more` : name, "order-link"),
      ),
      h(
        "p",
        { class: "quiet" },
        `${orderNumber(order.order_id)} · ${day(order.created_at)} · ${count(pieces, "item")}`,
      ),
    ),
    h("p", { class: "order-total" }, totalOf(order) ?? ""),
    statusBadge(order.status),
  );
}

function pagination(number: number, hasMore: boolean): HTMLElement | null {
  if (number === 1 && !hasMore) return null;
  const to = (page: number): string => (page === 1 ? "/orders" : `/orders?page=${page}`);
  return h(
    "nav",
    { class: "pagination", "aria-label": "Pages" },
    number > 1 ? link(to(number - 1), "Newer", "button button-quiet") : h("span"),
    h("span", { class: "quiet" }, `Page ${number}`),
    hasMore ? link(to(number + 1), "Older", "button button-quiet") : h("span"),
  );
}
