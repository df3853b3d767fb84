// The compiler must refuse the line after each @ts-expect-error. expected-errors.test.ts checks that too.
import {
  createOrdersClient,
  type Currency,
  errorText,
  formatMoney,
  isNewOrder,
  type Order,
  type OrdersClient,
  payNow,
  placeOrder,
  type RestPaths,
} from "@orders/client";
import { createMocks } from "@orders/client/mocks";

declare const client: OrdersClient;
declare const order: Order;
declare const body: unknown;
type ConflictCode = RestPaths["/users"]["post"]["responses"]["409"]["content"]["application/json"]["code"];

export async function correct(): Promise<string> {
  const placed = await placeOrder(client, [{ product_id: "cup", quantity: 1 }], { expectedTotal: 5, key: undefined });
  if (isNewOrder(body)) await payNow(client, body.items);
  const { data } = await client.http.GET("/products/{product_id}", { params: { path: { product_id: "cup" } } });
  if (order.status === "CONFIRMED" && data) return formatMoney(data.unit_price, data.currency, "en");
  return placed.status === "REJECTED" ? errorText(placed.reason) : placed.order_id;
}

export function wrong(): void {
  // @ts-expect-error: a line needs a quantity
  void placeOrder(client, [{ product_id: "cup" }]);
  // @ts-expect-error: a line has no price
  void placeOrder(client, [{ product_id: "cup", quantity: 1, unit_price: 5 }]);
  // @ts-expect-error: the REST API has no products
  void client.rest.GET("/products");
  // @ts-expect-error: the path needs the id of the order
  void client.rest.GET("/orders/{order_id}");
  // @ts-expect-error: a product has more fields
  void client.http.PUT("/products/{product_id}", { params: { path: { product_id: "cup" } }, body: { name: "Cup" } });
  // @ts-expect-error: no such status
  void (order.status === "SHIPPED");
  // @ts-expect-error: no such currency
  void ("EURO" satisfies Currency);
  // @ts-expect-error: the client needs tokens
  createOrdersClient({ config: { restApi: { url: "/" }, httpApi: { url: "/" } } });
  // @ts-expect-error: only a confirmed order has a total
  void order.total;
  // @ts-expect-error: a list may have no such entry
  void order.items[7].quantity;
  // @ts-expect-error: an optional field of a request is left out instead of undefined
  void client.rest.GET("/orders", { params: { query: { cursor: undefined } } });
  // @ts-expect-error: a conflict of a profile has one code
  void ((code: ConflictCode) => code === "OutOfStock");
  // @ts-expect-error: no such operation
  createMocks().failNext("deleteOrder", "NotFound");
}
