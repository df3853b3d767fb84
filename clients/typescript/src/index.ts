export { createOrdersClient, type OrdersClient, type OrdersClientOptions, type OrdersConfig } from "./client.js";
export {
  type AnyErrorCode,
  ApiError,
  type ApiErrorFields,
  changedPrice,
  type ClientErrorCode,
  type ErrorCode,
  invalidFields,
  shortages,
  unwrap,
} from "./errors.js";
export { ERROR_CODES } from "./generated/codes.js";
export type { paths as HttpPaths } from "./generated/http.js";
export type { paths as RestPaths } from "./generated/rest.js";
export { type KeyStorage, memoryStorage } from "./keys.js";
export { CURRENCIES, type Currency, currencyDigits, formatMoney, parseMoney } from "./money.js";
export {
  cancelOrder,
  getOrder,
  getProducts,
  isDecided,
  listOrders,
  listProducts,
  type OrderOptions,
  type PageOptions,
  payNow,
  placeOrder,
  type WaitOptions,
  waitForOrder,
} from "./orders.js";
export type { Clock, RetryOptions } from "./retries.js";
export { errorText } from "./texts.js";
export type { Tokens, TokenUse } from "./tokens.js";
export type {
  CancelledOrder,
  ChangedPrice,
  DecidedOrder,
  InvalidField,
  NewOrder,
  NewOrderLine,
  NewProduct,
  NewUser,
  Order,
  OrderLine,
  OrderStatus,
  PaidOrder,
  Product,
  Reason,
  Shortage,
  User,
} from "./types.js";
export {
  isNewOrder,
  isNewProduct,
  isNewUser,
  validateNewOrder,
  validateNewProduct,
  validateNewUser,
  type Violation,
} from "./validate.js";
