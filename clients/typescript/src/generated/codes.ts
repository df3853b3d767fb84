// Generated from contracts/ by `make client`. Do not edit.

/** Every error code of the contract. */
export const ERROR_CODES = [
  "Forbidden",
  "IdempotencyConflict",
  "InternalError",
  "InvalidTransition",
  "NotFound",
  "OrderNotFound",
  "OutOfStock",
  "PayloadTooLarge",
  "PriceChanged",
  "ProductNotFound",
  "ServiceUnavailable",
  "Timeout",
  "TooManyRequests",
  "Unauthorized",
  "UnsupportedMediaType",
  "UserAlreadyExists",
  "UserNotFound",
  "ValidationError",
] as const;
