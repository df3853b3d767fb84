import type { components as Http } from "./generated/http.js";
import type { components as Rest } from "./generated/rest.js";

export type NewOrder = Rest["schemas"]["NewOrder"];
export type NewOrderLine = Rest["schemas"]["NewOrderLine"];
export type NewProduct = Http["schemas"]["NewProduct"];
export type NewUser = Rest["schemas"]["NewUser"];
export type Order = Rest["schemas"]["Order"];
export type OrderLine = Rest["schemas"]["OrderLine"];
export type OrderStatus = Rest["schemas"]["OrderStatus"];
export type Product = Http["schemas"]["Product"];
export type Reason = Rest["schemas"]["Reason"];
export type User = Rest["schemas"]["User"];
