import type { components as Http } from "./generated/http.js";
import type { operations, components as Rest } from "./generated/rest.js";

/** The expected and the actual total of an order with the code `PriceChanged`. */
export type ChangedPrice = Rest["schemas"]["ChangedPrice"];
/** A product with too little stock. */
export type Shortage = Rest["schemas"]["Shortage"];
/** An invalid field of a request body. */
export type InvalidField = Rest["schemas"]["InvalidField"];
export type NewOrder = Rest["schemas"]["NewOrder"];
export type NewOrderLine = Rest["schemas"]["NewOrderLine"];
export type NewProduct = Http["schemas"]["NewProduct"];
export type NewUser = Rest["schemas"]["NewUser"];
export type Order = Rest["schemas"]["Order"];
export type OrderLine = Rest["schemas"]["OrderLine"];
export type OrderStatus = Order["status"];
export type Product = Http["schemas"]["Product"];
/** Why an order was rejected or failed. */
export type Reason = ReasonOf<Order>;
export type User = Rest["schemas"]["User"];
/** An order that is no longer PENDING. */
export type DecidedOrder = Exclude<Order, { status: "PENDING" }>;
/** The response of `POST /process`. */
export type PaidOrder = operations["processOrder"]["responses"][200]["content"]["application/json"];
/** The response of `POST /orders/{order_id}/cancel`. */
export type CancelledOrder = operations["cancelOrder"]["responses"][200]["content"]["application/json"];

type ReasonOf<Each> = Each extends { reason?: unknown } ? NonNullable<Each["reason"]> : never;
