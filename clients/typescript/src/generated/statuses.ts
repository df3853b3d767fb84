// Generated from contracts/orders.py by `make client`. Do not edit.

/** The HTTP status of each error code. */
export const HTTP_STATUS = {
  ValidationError: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  UserNotFound: 404,
  OrderNotFound: 404,
  ProductNotFound: 404,
  UserAlreadyExists: 409,
  IdempotencyConflict: 409,
  InvalidTransition: 409,
  OutOfStock: 409,
  PriceChanged: 409,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  StockContention: 503,
  Timeout: 504,
} as const;
