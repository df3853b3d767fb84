import { HttpResponse, http, type RequestHandler } from "msw";
import type { OrdersConfig } from "../client.js";
import type { ErrorCode } from "../errors.js";
import { OPERATIONS } from "../generated/examples.js";
import { HTTP_STATUS } from "../generated/statuses.js";
import type { Product } from "../types.js";
import { MockError, MockPlatform } from "./platform.js";
import { type Call, json, RETRY_AFTER, type Responder, responders } from "./responders.js";

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
export type MockOperation = keyof typeof OPERATIONS;

/** Options of `createMocks`. */
export interface MockOptions {
  /** The URLs at which the mocks answer, for example those of proxies on the page's own origin. */
  config?: OrdersConfig | undefined;
  products?: readonly Product[] | undefined;
  /** Whether each operation responds with its example in contracts/, regardless of the requests before. */
  examples?: boolean | undefined;
}

/** MSW handlers of both APIs, and the state behind them. */
export interface Mocks {
  /** For MSW: `setupServer(...mocks.handlers)` in Node.js, `setupWorker(...mocks.handlers)` in a browser. */
  readonly handlers: RequestHandler[];
  readonly platform: MockPlatform;
  /**
   * Makes the next request of an operation fail with a lost connection, or with an error code. The response is the
   * contract's example of this code.
   */
  failNext(operation: MockOperation, code: ErrorCode | "NetworkError"): void;
}

/** Headers that responses to POST must have. */
const HEADERS_OF_EXAMPLES = { Location: "/mock/example", ...RETRY_AFTER };
/** The codes of responses that say when to repeat the request. */
const RETRIED: ReadonlySet<ErrorCode> = new Set(["ServiceUnavailable", "Timeout", "TooManyRequests"]);

interface Operation {
  readonly api: "rest" | "http";
  readonly method: "get" | "post" | "put" | "delete" | "patch";
  readonly path: string;
  readonly success: readonly { readonly status: number; readonly body: object }[];
  readonly errors: Readonly<Partial<Record<ErrorCode, object>>>;
}

function operationOf(name: MockOperation): Operation {
  return OPERATIONS[name];
}

/** Returns handlers that behave like the platform: orders change stock, are decided, and can be cancelled. */
export function createMocks(options: MockOptions = {}): Mocks {
  const { config = MOCK_CONFIG, products = MOCK_PRODUCTS, examples: fixed = false } = options;
  const platform = new MockPlatform(products);
  const failures = new Map<MockOperation, (ErrorCode | "NetworkError")[]>();
  let requests = 0;

  const respond: Record<string, Responder> = fixed ? {} : responders(platform);

  async function answer(name: MockOperation, call: Call): Promise<Response> {
    const { errors, success } = operationOf(name);
    const failure = failures.get(name)?.shift();
    if (failure === "NetworkError") return HttpResponse.error();
    if (failure) return refusal(failure, errors[failure] ?? { code: failure, message: failure });
    if (!call.request.headers.get("Authorization")) throw new MockError("Unauthorized", "The token is missing");
    const responder = respond[name];
    if (responder) return responder(call);
    const [example] = success;
    if (!example) throw new Error(`contracts/ has no example of a response to ${name}`);
    return json(example.body, { status: example.status, headers: HEADERS_OF_EXAMPLES });
  }

  const handlers = (Object.keys(OPERATIONS) as MockOperation[]).map((name) => {
    const { api, method, path } = operationOf(name);
    const base = api === "rest" ? config.restApi.url : config.httpApi.url;
    return http[method](base + path.replace(/{(\w+)}/g, ":$1"), async ({ request, params }) => {
      requests += 1;
      const query = new URL(request.url).searchParams;
      const call = { request, query, param: (parameter: string) => String(params[parameter]) };
      const response = await answer(name, call).catch((error: unknown) => {
        if (error instanceof MockError) return refusal(error.code, error.body());
        throw error;
      });
      return identified(response, `mock-request-${requests}`);
    });
  });
  return {
    handlers,
    platform,
    failNext: (name, code) => void failures.set(name, [...(failures.get(name) ?? []), code]),
  };
}

/** Returns the response with its request id: in the headers of both gateways, and in the body of an error. */
async function identified(response: Response, requestId: string): Promise<Response> {
  if (response.type === "error") return response;
  const { status, headers } = response;
  for (const header of ["x-amzn-requestid", "apigw-requestid"]) headers.set(header, requestId);
  const content = (await response.json()) as object;
  return json(response.ok ? content : { ...content, request_id: requestId }, { status, headers });
}

function refusal(code: ErrorCode, body: object): Response {
  return json(body, { status: HTTP_STATUS[code], headers: RETRIED.has(code) ? RETRY_AFTER : {} });
}
