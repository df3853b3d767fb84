import type { ErrorCode } from "../errors.js";
import type { NewOrder, NewProduct, NewUser, Order, OrderLine, Product, User } from "../types.js";

interface MockErrorFields {
  orderId?: string | undefined;
  details?: readonly object[] | undefined;
}

/** An error of the mocked platform, which becomes an error response. */
export class MockError extends Error {
  readonly code: ErrorCode;
  readonly orderId: string | undefined;
  readonly details: readonly object[] | undefined;

  constructor(code: ErrorCode, message: string, { orderId, details }: MockErrorFields = {}) {
    super(message);
    this.code = code;
    this.orderId = orderId;
    this.details = details;
  }

  /** Returns the body of the response, without its request id. */
  body(): object {
    const { code, message, orderId, details } = this;
    return { code, message, ...(orderId === undefined ? {} : { order_id: orderId }), ...(details ? { details } : {}) };
  }
}

/** The signed-in user of the mocked platform. */
export interface MockCaller {
  userId: string;
  isAdmin: boolean;
}

type Rejection = Extract<Order, { status: "REJECTED" }>["reason"];

/** An order with what the mocked platform knows besides. */
interface Row {
  order: Order;
  /** How often the order can still be read before it is decided. */
  readsLeft: number;
  expectedTotal?: number | undefined;
  body: string;
}

const ENTRY_CURSOR = "after-";

/** The state of the mocked platform: products, orders and profiles, in memory. Tests may read and change it. */
export class MockPlatform {
  readonly products = new Map<string, Product>();
  readonly users = new Map<string, User>();
  readonly #rows = new Map<string, Row>();
  readonly #keys = new Map<string, string>();
  caller: MockCaller = { userId: "8d6b0c1e-0000-4000-8000-000000000001", isAdmin: false };
  /** How often a new order is read as PENDING before it is decided. Set it to Infinity to keep orders PENDING. */
  pendingReads = 1;
  #time = Date.now();

  constructor(products: readonly Product[]) {
    for (const product of products) this.products.set(product.product_id, { ...product });
  }

  /** Adds an order as it is, for example a REJECTED one. An order that is PENDING stays so. */
  addOrder(order: Order): void {
    this.#rows.set(order.order_id, { order, readsLeft: Number.POSITIVE_INFINITY, body: "" });
  }

  /** Returns the caller's orders, newest first. */
  orders(): Order[] {
    const own = [...this.#rows.values()].map((row) => row.order).filter((order) => this.#isOwn(order));
    return own.sort((one, other) => (one.created_at < other.created_at ? 1 : -1));
  }

  /** Accepts an order as PENDING. The same key and body return the same order. */
  place(content: NewOrder, key: string | null): Order {
    const body = JSON.stringify(content);
    const known = key === null ? undefined : this.#keys.get(key);
    const row = known === undefined ? undefined : this.#rows.get(known);
    if (row) {
      if (row.body === body) return row.order;
      throw new MockError("IdempotencyConflict", "Idempotency-Key: already used with another body");
    }
    const at = this.#now();
    const order: Order = {
      order_id: crypto.randomUUID(),
      user_id: this.caller.userId,
      status: "PENDING",
      items: content.items.map(({ product_id, quantity }) => ({ product_id, quantity })),
      created_at: at,
      updated_at: at,
    };
    this.#rows.set(order.order_id, {
      order,
      readsLeft: this.pendingReads,
      expectedTotal: content.expected_total,
      body,
    });
    if (key !== null) this.#keys.set(key, order.order_id);
    return order;
  }

  /** Decides a PENDING order at once, and returns it. */
  decide(orderId: string): Order {
    const row = this.#row(orderId);
    if (row.order.status === "PENDING") row.order = this.#decided(row);
    return row.order;
  }

  /** Returns an order. Each read of a PENDING order brings its decision closer. */
  read(orderId: string): Order {
    const row = this.#row(orderId);
    if (row.order.status === "PENDING") {
      if (row.readsLeft <= 0) return this.decide(orderId);
      row.readsLeft -= 1;
    }
    return row.order;
  }

  /** Cancels an order and returns its products to stock. */
  cancel(orderId: string): Order {
    const row = this.#row(orderId);
    const { order } = row;
    if (order.status !== "PENDING" && order.status !== "CONFIRMED") {
      throw new MockError("InvalidTransition", `status: ${order.status} cannot become CANCELLED`);
    }
    if (order.status === "CONFIRMED") for (const line of order.items) this.#take(line, -1);
    row.order = { ...order, status: "CANCELLED", updated_at: this.#now() };
    return row.order;
  }

  /** Returns a product. */
  product(productId: string): Product {
    const product = this.products.get(productId);
    if (!product) throw new MockError("ProductNotFound", `Not in the catalog: ${productId}`);
    return product;
  }

  /** Creates or replaces a product, and returns whether it is new. */
  putProduct(productId: string, content: NewProduct): { product: Product; isNew: boolean } {
    if (!this.caller.isAdmin) throw new MockError("Forbidden", "Only members of the group admin may do this");
    const isNew = !this.products.has(productId);
    const product: Product = { product_id: productId, ...content };
    this.products.set(productId, product);
    return { product, isNew };
  }

  /** Creates the caller's profile. */
  createUser(content: NewUser): User {
    const { userId } = this.caller;
    if (this.users.has(userId)) throw new MockError("UserAlreadyExists", "You already have a profile");
    const user: User = { user_id: userId, ...content, created_at: this.#now() };
    this.users.set(userId, user);
    return user;
  }

  /** Returns a profile that the caller may read. */
  user(userId: string): User {
    const user = userId === this.caller.userId || this.caller.isAdmin ? this.users.get(userId) : undefined;
    if (!user) throw new MockError("UserNotFound", "user: not found");
    return user;
  }

  #row(orderId: string): Row {
    const row = this.#rows.get(orderId);
    if (!row || !(this.#isOwn(row.order) || this.caller.isAdmin)) {
      throw new MockError("OrderNotFound", "order: not found");
    }
    return row;
  }

  #isOwn(order: Order): boolean {
    return order.user_id === this.caller.userId;
  }

  #decided({ order, expectedTotal }: Row): Order {
    const { order_id, user_id, created_at, items } = order;
    const base = { order_id, user_id, created_at, updated_at: this.#now() };
    const reason = this.#reasonToReject(items, expectedTotal);
    if (reason) return { ...base, status: "REJECTED", items, reason };
    const lines = items.map((line) => {
      this.#take(line, 1);
      const { unit_price, name } = this.product(line.product_id);
      return { ...line, unit_price, name };
    });
    return { ...base, status: "CONFIRMED", items: lines, ...this.#totalOf(items) };
  }

  #reasonToReject(items: readonly OrderLine[], expectedTotal: number | undefined): Rejection | undefined {
    const unknown = items.flatMap(({ product_id }) => (this.products.has(product_id) ? [] : { product_id }));
    if (unknown.length > 0) {
      return { code: "ProductNotFound", message: `Not in the catalog: ${idsOf(unknown)}`, details: unknown };
    }
    const currencies = new Set(items.map((line) => this.product(line.product_id).currency));
    if (currencies.size > 1) return { code: "ValidationError", message: "items: prices in several currencies" };
    const short = items.flatMap(({ product_id, quantity: requested }) => {
      const available = this.product(product_id).quantity;
      return available < requested ? { product_id, requested, available } : [];
    });
    if (short.length > 0) {
      return { code: "OutOfStock", message: `Not enough in stock: ${idsOf(short)}`, details: short };
    }
    const { total, currency } = this.#totalOf(items);
    if (expectedTotal === undefined || expectedTotal === total) return undefined;
    const details = [{ expected_total: expectedTotal, total, currency }];
    return { code: "PriceChanged", message: `The total is ${total}, but the order expects ${expectedTotal}`, details };
  }

  #totalOf(items: readonly OrderLine[]): { total: number; currency: string } {
    const total = items.reduce(
      (sum, { product_id, quantity }) => sum + this.product(product_id).unit_price * quantity,
      0,
    );
    return { total, currency: this.product(items[0]?.product_id ?? "").currency };
  }

  /** Takes the products of a line from the stock once, or returns them if `times` is -1. */
  #take({ product_id, quantity }: OrderLine, times: 1 | -1): void {
    const product = this.products.get(product_id);
    if (product) this.products.set(product_id, { ...product, quantity: product.quantity - times * quantity });
  }

  /** Returns the next timestamp. Each one is a millisecond later, so that orders have an order. */
  #now(): string {
    this.#time = Math.max(this.#time + 1, Date.now());
    return new Date(this.#time).toISOString();
  }
}

function idsOf(products: readonly { product_id: string }[]): string {
  return products.map(({ product_id }) => product_id).join(", ");
}

/** Returns one page of entries, and the cursor of the next page if there is one. */
export function page<Entry>(
  entries: readonly Entry[],
  query: URLSearchParams,
): { entries: Entry[]; next: { next_cursor?: string } } {
  const limit = Number(query.get("limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw new MockError("ValidationError", "limit: must be an integer from 1 to 100");
  }
  const cursor = query.get("cursor");
  const start =
    cursor === null ? 0 : Number(cursor.startsWith(ENTRY_CURSOR) ? cursor.slice(ENTRY_CURSOR.length) : "-1");
  if (!Number.isInteger(start) || start < 0) {
    throw new MockError("ValidationError", "cursor: must be next_cursor of the previous page");
  }
  const end = start + limit;
  return {
    entries: entries.slice(start, end),
    next: end < entries.length ? { next_cursor: `${ENTRY_CURSOR}${end}` } : {},
  };
}
