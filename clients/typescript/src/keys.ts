/** Where idempotency keys are kept until the platform has answered: in memory, or in the page's `sessionStorage`. */
export type KeyStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const PREFIX = "orders.idempotency-key:";

/** Returns a storage that ends with the page. */
export function memoryStorage(): KeyStorage {
  const values = new Map<string, string>();
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  };
}

/** Returns the key of an unanswered order with this body, or a new key. */
export function keyFor(storage: KeyStorage, body: unknown): string {
  const name = PREFIX + JSON.stringify(body);
  const kept = storage.getItem(name);
  if (kept) return kept;
  const key = crypto.randomUUID();
  storage.setItem(name, key);
  return key;
}

/** Forgets the key of an order that the platform has answered, so that the next order with this body is a new one. */
export function forgetKey(storage: KeyStorage, body: unknown): void {
  storage.removeItem(PREFIX + JSON.stringify(body));
}
