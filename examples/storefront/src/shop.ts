import { createOrdersClient, listProducts, type OrdersClient, type Product } from "@orders/client";
import { Basket } from "./basket.js";
import type { Session } from "./session.js";

/** What every page works with. */
export interface Shop {
  readonly session: Session;
  readonly client: OrdersClient;
  readonly basket: Basket;
  readonly catalog: Catalog;
  /** Opens a page of the site. */
  go(path: string): void;
  /** Shows a short message that disappears by itself. Screen readers announce it. */
  say(text: string): void;
}

/** A page: its title, and a function that shows it in an element until the signal ends. */
export interface Page {
  title: string;
  show(at: HTMLElement, shop: Shop, signal: AbortSignal): void | Promise<void>;
}

/** Paths at which the site serves both APIs: the proxies in vite.config.ts, and CloudFront on AWS. */
const BASE_URLS = { rest: "/api/rest", http: "/api/http" };

/** Returns the client of both APIs on the site's own origin, so the browser sends no preflight requests. */
export function clientOf(session: Session): OrdersClient {
  return createOrdersClient({
    config: { restApi: { url: BASE_URLS.rest }, httpApi: { url: BASE_URLS.http } },
    baseUrls: BASE_URLS,
    tokens: session.tokens,
    // An order that lost its response keeps its key over a reload, so it is never placed twice.
    keys: sessionStorage,
  });
}

/** The products of the shop. */
export class Catalog {
  readonly #client: OrdersClient;
  #products: Map<string, Product> | undefined;

  constructor(client: OrdersClient) {
    this.#client = client;
  }

  /** Returns the products by id, from the platform. */
  async load(): Promise<ReadonlyMap<string, Product>> {
    const products = new Map<string, Product>();
    for await (const page of listProducts(this.#client, { limit: 100 })) {
      for (const product of page) products.set(product.product_id, product);
    }
    this.#products = products;
    return products;
  }

  /** Returns the products that this tab has loaded before, for texts that need no current stock. */
  async known(): Promise<ReadonlyMap<string, Product>> {
    return this.#products ?? this.load();
  }

  /** Returns the name of a product, or its id if the product is no longer sold. */
  nameOf(productId: string): string {
    return this.#products?.get(productId)?.name ?? productId;
  }
}
