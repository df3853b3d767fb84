import { HttpResponse, http, type PathParams, type RequestHandler } from "msw";
import type { OrdersConfig } from "../client.js";
import type { ErrorCode } from "../errors.js";
import type { NewOrder, NewProduct, NewUser, Order, Product } from "../types.js";
import { validateNewOrder, validateNewProduct, validateNewUser, type Violation } from "../validate.js";
import { MockError, MockPlatform, page } from "./platform.js";

export { type MockCaller, MockError, MockPlatform } from "./platform.js";

/** The URLs at which the mocks answer by default. */
export const MOCK_CONFIG: OrdersConfig = {
  restApi: { url: "http://orders.test/rest" },
  httpApi: { url: "http://orders.test/http" },
};

/** Products in currencies with two, no and three digits. The last one is out of stock. */
export const MOCK_PRODUCTS: readonly Product[] = [
  { product_id: "bento", name: "Bento box", unit_price: 120_000, currency: "JPY", quantity: 12 },
  { product_id: "cup", name: "Cup", unit_price: 1250, currency: "EUR", quantity: 40 },
  { product_id: "lamp", name: "Lamp", unit_price: 12_500, currency: "KWD", quantity: 3 },
  { product_id: "teapot", name: "Teapot", unit_price: 4800, currency: "EUR", quantity: 5 },
  { product_id: "vase", name: "Vase", unit_price: 9900, currency: "EUR", quantity: 0 },
];

/** The operations of the contract, by `operationId`. */
export type MockOperation =
  | "createUser"
  | "getUser"
  | "createOrder"
  | "listOrders"
  | "getOrder"
  | "cancelOrder"
  | "processOrder"
  | "listProducts"
  | "getProduct"
  | "putProduct";

/** Options of `createMocks`. */
export interface MockOptions {
  /** The URLs at which the mocks answer, for example those of proxies on the page's own origin. */
  config?: OrdersConfig | undefined;
  products?: readonly Product[] | undefined;
}

/** MSW handlers of both APIs, and the state behind them. */
export interface Mocks {
  /** For MSW: `setupServer(...mocks.handlers)` in Node.js, `setupWorker(...mocks.handlers)` in a browser. */
  readonly handlers: RequestHandler[];
  readonly platform: MockPlatform;
  /** Makes the next request of an operation fail with an error code, or with a lost connection. */
  failNext(operation: MockOperation, code: ErrorCode | "NetworkError"): void;
}

const RETRY_AFTER = { "Retry-After": "1" };
/** The codes of responses that say when to repeat the request. */
const RETRIED: ReadonlySet<ErrorCode> = new Set(["ServiceUnavailable", "Timeout", "TooManyRequests"]);

interface Call {
  request: Request;
  query: URLSearchParams;
  /** Returns a parameter of the path. */
  param(name: string): string;
}

/** Returns handlers that behave like the platform: orders change stock, are decided, and can be cancelled. */
export function createMocks({ config = MOCK_CONFIG, products = MOCK_PRODUCTS }: MockOptions = {}): Mocks {
  const platform = new MockPlatform(products);
  const failures = new Map<MockOperation, (ErrorCode | "NetworkError")[]>();
  let requests = 0;

  /** Returns the resolver of an operation, which turns errors into the responses of the platform. */
  function operation(name: MockOperation, respond: (call: Call) => Response | Promise<Response>) {
    return async ({ request, params }: { request: Request; params: PathParams }): Promise<Response> => {
      requests += 1;
      const requestId = `mock-request-${requests}`;
      try {
        const failure = failures.get(name)?.shift();
        if (failure === "NetworkError") return HttpResponse.error();
        if (failure) throw new MockError(failure, `${failure}, as the test asked for`);
        if (!request.headers.get("Authorization")) throw new MockError("Unauthorized", "The token is missing");
        const query = new URL(request.url).searchParams;
        const response = await respond({ request, query, param: (parameter) => String(params[parameter]) });
        return identified(response, requestId);
      } catch (error) {
        if (!(error instanceof MockError)) throw error;
        return identified(refusal(error, requestId), requestId);
      }
    };
  }

  const rest = (path: string): string => config.restApi.url + path;
  const catalog = (path: string): string => config.httpApi.url + path;
  const located = (path: string): HeadersInit => ({ Location: `/mock${path}` });

  const handlers = [
    http.post(
      rest("/users"),
      operation("createUser", async ({ request }) => {
        const user = platform.createUser(await body<NewUser>(request, validateNewUser));
        return json(user, { status: 201, headers: located(`/users/${user.user_id}`) });
      }),
    ),
    http.get(
      rest("/users/:user_id"),
      operation("getUser", ({ param }) => json(platform.user(param("user_id")))),
    ),
    http.post(
      rest("/orders"),
      operation("createOrder", async ({ request }) => {
        const content = await body<NewOrder>(request, validateNewOrder);
        const order = platform.place(content, request.headers.get("Idempotency-Key"));
        return json(order, { status: 202, headers: { ...located(`/orders/${order.order_id}`), ...RETRY_AFTER } });
      }),
    ),
    http.get(
      rest("/orders"),
      operation("listOrders", ({ query }) => {
        const { entries, next } = page(platform.orders(), query);
        return json({ orders: entries, ...next });
      }),
    ),
    http.get(
      rest("/orders/:order_id"),
      operation("getOrder", ({ param }) => json(platform.read(param("order_id")))),
    ),
    http.post(
      rest("/orders/:order_id/cancel"),
      operation("cancelOrder", ({ param }) => json(platform.cancel(param("order_id")))),
    ),
    http.post(
      rest("/process"),
      operation("processOrder", async ({ request }) => {
        const content = await body<NewOrder>(request, validateNewOrder);
        const order = platform.place(content, request.headers.get("Idempotency-Key"));
        return json(confirmed(platform.decide(order.order_id)));
      }),
    ),
    http.get(
      catalog("/products"),
      operation("listProducts", ({ query }) => {
        const sorted = [...platform.products.values()].sort((a, b) => (a.product_id < b.product_id ? -1 : 1));
        const { entries, next } = page(sorted, query);
        return json({ products: entries, ...next });
      }),
    ),
    http.get(
      catalog("/products/:product_id"),
      operation("getProduct", ({ param }) => json(platform.product(param("product_id")))),
    ),
    http.put(
      catalog("/products/:product_id"),
      operation("putProduct", async ({ request, param }) => {
        const content = await body<NewProduct>(request, validateNewProduct);
        const { product, isNew } = platform.putProduct(param("product_id"), content);
        return json(product, { status: isNew ? 201 : 200 });
      }),
    ),
  ];
  return {
    handlers,
    platform,
    failNext: (name, code) => void failures.set(name, [...(failures.get(name) ?? []), code]),
  };
}

/** Returns the response with the headers in which the gateways of both APIs return the request id. */
function identified(response: Response, requestId: string): Response {
  for (const header of ["x-amzn-requestid", "apigw-requestid"]) response.headers.set(header, requestId);
  return response;
}

function json(content: object, init: ResponseInit = {}): Response {
  return Response.json(content, init);
}

/** Returns the body of a request. Throws if the body violates the contract. */
async function body<Body>(request: Request, validate: (value: unknown) => Violation[]): Promise<Body> {
  if (request.headers.get("Content-Type") !== "application/json") {
    throw new MockError("UnsupportedMediaType", "Content-Type: must be application/json");
  }
  const value: unknown = await request.json().catch(() => {
    throw new MockError("ValidationError", "body: not valid JSON; send a JSON object");
  });
  const details = validate(value);
  if (details.length === 0) return value as Body;
  throw new MockError("ValidationError", "The body does not match the schema in the OpenAPI document", { details });
}

/** Returns the order if it is CONFIRMED. Throws the error of `POST /process` otherwise. */
function confirmed(order: Order): Order {
  const { order_id: orderId, status } = order;
  if (status === "CONFIRMED") return order;
  if ("reason" in order && order.reason) throw new MockError(order.reason.code, order.reason.message, { orderId });
  throw new MockError("InvalidTransition", `status: ${status} cannot become CONFIRMED`, { orderId });
}

function refusal({ code, message, status, orderId, details }: MockError, requestId: string): Response {
  const headers: HeadersInit = RETRIED.has(code) ? RETRY_AFTER : {};
  const optional = { ...(orderId === undefined ? {} : { order_id: orderId }), ...(details ? { details } : {}) };
  return json({ code, message, request_id: requestId, ...optional }, { status, headers });
}
