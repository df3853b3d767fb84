import type { NewOrderLine, Product } from "@orders/client";

/** Limits of `POST /orders` in contracts/rest-api.yaml. */
export const MAX_LINES = 25;
export const MAX_QUANTITY = 1000;

/** A line of the basket. It remembers the price that the customer saw, because the price may change meanwhile. */
export interface BasketLine {
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly currency: string;
}

const PREFIX = "hinoki.basket:";

/** The basket of one customer. It survives reloads, and all tabs of the browser share it. */
export class Basket {
  readonly #name: string;
  readonly #changed: () => void;
  #lines: BasketLine[];

  constructor(userId: string, changed: () => void) {
    this.#name = PREFIX + userId;
    this.#changed = changed;
    this.#lines = this.#read();
    window.addEventListener("storage", ({ key }) => {
      if (key !== this.#name) return;
      this.#lines = this.#read();
      changed();
    });
  }

  get lines(): readonly BasketLine[] {
    return this.#lines;
  }

  /** Number of pieces in the basket. */
  get count(): number {
    return this.#lines.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** Lines in the form of the request body of `POST /orders`. */
  get order(): NewOrderLine[] {
    return this.#lines.map(({ productId, quantity }) => ({ product_id: productId, quantity }));
  }

  /** Total in minor units, or undefined if the lines have several currencies. */
  get total(): { amount: number; currency: string } | undefined {
    const [first] = this.#lines;
    if (!first || this.#lines.some(({ currency }) => currency !== first.currency)) return undefined;
    const amount = this.#lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
    return { amount, currency: first.currency };
  }

  quantityOf(productId: string): number {
    return this.#lines.find((line) => line.productId === productId)?.quantity ?? 0;
  }

  /** Sets how many pieces of a product are in the basket. 0 removes the product. */
  set(product: Product, quantity: number): void {
    const line = {
      productId: product.product_id,
      name: product.name,
      quantity: Math.min(Math.max(quantity, 0), MAX_QUANTITY),
      unitPrice: product.unit_price,
      currency: product.currency,
    };
    const known = this.#lines.some(({ productId }) => productId === line.productId);
    const lines = known
      ? this.#lines.map((each) => (each.productId === line.productId ? line : each))
      : [...this.#lines, line];
    this.#write(lines.filter((each) => each.quantity > 0));
  }

  remove(productId: string): void {
    this.#write(this.#lines.filter((line) => line.productId !== productId));
  }

  clear(): void {
    this.#write([]);
  }

  #write(lines: BasketLine[]): void {
    this.#lines = lines;
    localStorage.setItem(this.#name, JSON.stringify(lines));
    this.#changed();
  }

  #read(): BasketLine[] {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isLine) : [];
    } catch {
      return []; // Another program has written the value.
    }
  }
}

function isLine(value: unknown): value is BasketLine {
  if (typeof value !== "object" || value === null) return false;
  const { productId, name, quantity, unitPrice, currency } = value as Record<string, unknown>;
  const texts = [productId, name, currency].every((each) => typeof each === "string");
  return texts && Number.isInteger(quantity) && Number.isInteger(unitPrice);
}
