import type { NewOrder, NewProduct, NewUser, Order } from "../types.js";
import { validateNewOrder, validateNewProduct, validateNewUser, type Violation } from "../validate.js";
import { MockError, type MockPlatform, page } from "./platform.js";

/** One request to the mocked platform. */
export interface Call {
  request: Request;
  query: URLSearchParams;
  /** Returns a parameter of the path. */
  param(name: string): string;
}

/** Returns the response of one operation. Throws a MockError if the response is an error. */
export type Responder = (call: Call) => Response | Promise<Response>;

export const RETRY_AFTER = { "Retry-After": "1" };

/** Returns how each operation responds, by `operationId`. */
export function responders(platform: MockPlatform): Record<string, Responder> {
  async function place(request: Request): Promise<Order> {
    const content = await body<NewOrder>(request, validateNewOrder);
    return platform.place(content, request.headers.get("Idempotency-Key"));
  }

  return {
    createUser: async ({ request }) => {
      const user = platform.createUser(await body<NewUser>(request, validateNewUser));
      return json(user, { status: 201, headers: located(`/users/${user.user_id}`) });
    },
    getUser: ({ param }) => json(platform.user(param("user_id"))),
    createOrder: async ({ request }) => {
      const order = await place(request);
      return json(order, { status: 202, headers: { ...located(`/orders/${order.order_id}`), ...RETRY_AFTER } });
    },
    processOrder: async ({ request }) => {
      const order = await place(request);
      return json(confirmed(platform.decide(order.order_id)));
    },
    listOrders: ({ query }) => {
      const { entries, next } = page(platform.orders(), query);
      return json({ orders: entries, ...next });
    },
    getOrder: ({ param }) => json(platform.read(param("order_id"))),
    cancelOrder: ({ param }) => json(platform.cancel(param("order_id"))),
    listProducts: ({ query }) => {
      const ids = query.get("ids")?.split(",");
      if (ids) return json({ products: [...new Set(ids)].flatMap((id) => platform.products.get(id) ?? []) });
      const sorted = [...platform.products.values()].sort((a, b) => (a.product_id < b.product_id ? -1 : 1));
      const { entries, next } = page(sorted, query);
      return json({ products: entries, ...next });
    },
    getProduct: ({ param }) => json(platform.product(param("product_id"))),
    putProduct: async ({ request, param }) => {
      const content = await body<NewProduct>(request, validateNewProduct);
      const { product, isNew } = platform.putProduct(param("product_id"), content);
      return json(product, { status: isNew ? 201 : 200 });
    },
  };
}

export function json(content: object, init: ResponseInit = {}): Response {
  return Response.json(content, init);
}

function located(path: string): { Location: string } {
  return { Location: `/mock${path}` };
}

/** Returns the body of a request. Throws if the body violates the contract. */
async function body<Body>(request: Request, validate: (value: unknown) => Violation[]): Promise<Body> {
  if (request.headers.get("Content-Type") !== "application/json") {
    throw new MockError("UnsupportedMediaType", "Content-Type: must be application/json");
  }
  const value: unknown = await request.json().catch(() => {
    throw new MockError("ValidationError", "body: not valid JSON; send a JSON object");
  });
  const details = validate(value).map(({ pointer, rule, message }) => ({ pointer, rule, message }));
  if (details.length === 0) return value as Body;
  throw new MockError("ValidationError", "The body does not match the schema in the OpenAPI document", { details });
}

/** Returns the order if it is CONFIRMED. Throws the error of `POST /process` otherwise. */
function confirmed(order: Order): Order {
  const { order_id: orderId, status } = order;
  if (status === "CONFIRMED") return order;
  if (status === "REJECTED" || status === "FAILED") {
    const { code, message, ...reason } = order.reason;
    throw new MockError(code, message, { orderId, ...reason });
  }
  throw new MockError("InvalidTransition", `status: ${status} cannot become CONFIRMED`, { orderId });
}
