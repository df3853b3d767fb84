import type { ERROR_CODES } from "./generated/codes.js";
import type { ChangedPrice, InvalidField, Shortage } from "./types.js";

/** An error code of the contract. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A code that this package itself sets, because no response has it. */
export type ClientErrorCode =
  /** No response arrived: the browser is offline, or cross-origin rules hide the response. */
  | "NetworkError"
  /** `waitForOrder` stopped waiting while the order was still PENDING. */
  | "StillPending";

/** A code that the platform may add later. The union keeps completion for the known codes in editors. */
export type AnyErrorCode = ErrorCode | ClientErrorCode | (string & {});

/** The fields of an error response. Responses of an HTTP API's gateway contain only `message`. */
interface ErrorBody {
  code?: unknown;
  message?: unknown;
  request_id?: unknown;
  order_id?: unknown;
  details?: unknown;
}

/** What an ApiError contains besides its message. */
export interface ApiErrorFields {
  code: AnyErrorCode;
  status: number;
  requestId?: string | undefined;
  orderId?: string | undefined;
  details?: unknown;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** The error that every function of this package throws if a request fails. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Error code. Ignore codes that you don't know: show `errorText(error)`. */
  readonly code: AnyErrorCode;
  /** HTTP status, or 0 if no response arrived. */
  readonly status: number;
  /** Id of the request, for support. */
  readonly requestId: string | undefined;
  /** Id of the order that the error is about, if the response contains one. */
  readonly orderId: string | undefined;
  /** Details of the error, as the response contains them. */
  readonly details: unknown;
  /** Milliseconds to wait before the request is repeated, if the response says so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { code, status, requestId, orderId, details, retryAfterMs, cause }: ApiErrorFields) {
    super(message, { cause });
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.orderId = orderId;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get transient(): boolean {
    return this.status === 0 ? this.code === "NetworkError" : this.status === 429 || this.status >= 500;
  }
}

/** Returns the invalid fields of the request body, if `error` is a ValidationError that lists them. */
export function invalidFields(error: unknown): InvalidField[] {
  return detailsOf(error, "ValidationError");
}

/** Returns the products with too little stock, if `error` is an OutOfStock error or the reason of a rejected order. */
export function shortages(error: unknown): Shortage[] {
  return detailsOf(error, "OutOfStock");
}

/** Returns both totals, if `error` is a PriceChanged error or the reason of a rejected order. */
export function changedPrice(error: unknown): ChangedPrice | undefined {
  return detailsOf<ChangedPrice>(error, "PriceChanged")[0];
}

function detailsOf<Detail>(error: unknown, code: ErrorCode): Detail[] {
  const { code: actual, details }: { code?: unknown; details?: unknown } = Object(error);
  return actual === code && Array.isArray(details) ? details : [];
}

/** What a method of an openapi-fetch client resolves to. */
interface Result<Data> {
  data?: Data | undefined;
  error?: unknown;
  response: Response;
}

/**
 * Returns the data of a request of `client.rest` or `client.http`.
 * Throws an ApiError if the request fails, and the signal's reason if the request is aborted.
 */
export async function unwrap<Data>(request: Promise<Result<Data>>): Promise<NonNullable<Data>> {
  return (await answered(request)).data;
}

/** Like `unwrap`, but also returns the response, whose headers a caller may need. */
export async function answered<Data>(
  request: Promise<Result<Data>>,
): Promise<{ data: NonNullable<Data>; response: Response }> {
  let result: Result<Data>;
  try {
    result = await request;
  } catch (cause) {
    throw failure(cause);
  }
  const { data, error, response } = result;
  if (!response.ok || data === undefined || data === null) throw refusal(response, error);
  return { data, response };
}

/** Returns the error for a request that got no response. An aborted request keeps its own error. */
function failure(cause: unknown): unknown {
  // fetch rejects with a TypeError if no response arrives. Every other error has another cause, such as an abort or a
  // function of the page that returns tokens.
  const lost = cause instanceof TypeError || (cause instanceof DOMException && cause.name === "TimeoutError");
  if (!lost) return cause;
  return new ApiError("No response arrived: check the network and the API's allowed origins", {
    code: "NetworkError",
    status: 0,
    cause,
  });
}

function refusal(response: Response, error: unknown): ApiError {
  const body: ErrorBody = typeof error === "object" && error !== null ? error : {};
  const { headers, status } = response;
  const message = text(body.message) ?? `HTTP status ${status}`;
  return new ApiError(message, {
    code: text(body.code) ?? codeOf(status),
    status,
    requestId: text(body.request_id) ?? headers.get("x-amzn-requestid") ?? headers.get("apigw-requestid") ?? undefined,
    orderId: text(body.order_id),
    details: body.details,
    retryAfterMs: retryAfterMs(response),
  });
}

/** Returns the milliseconds in the header `Retry-After`, or undefined if the response lacks the header. */
export function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get("Retry-After") || Number.NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

const CODES_BY_STATUS: Partial<Record<number, ErrorCode>> = {
  400: "ValidationError",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  413: "PayloadTooLarge",
  415: "UnsupportedMediaType",
  429: "TooManyRequests",
  504: "Timeout",
};

/** Returns the code for a response without one: the HTTP API's gateway and proxies return only a status. */
function codeOf(status: number): ErrorCode {
  return CODES_BY_STATUS[status] ?? "InternalError";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
