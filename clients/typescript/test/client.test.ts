import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, createOrdersClient, invalidFields, unwrap } from "@orders/client";
import { CONFIG, error, harness, jwt, tokensOf } from "./support.js";

const PRODUCTS = { status: 200, body: { products: [] } };
const NOW_S = Date.now() / 1000;

async function caught(promise: Promise<unknown>): Promise<ApiError> {
  const [outcome] = await Promise.allSettled([promise]);
  assert.equal(outcome.status, "rejected");
  assert.ok(outcome.reason instanceof ApiError, String(outcome.reason));
  return outcome.reason;
}

test("the REST API receives the ID token, and the HTTP API the access token", async () => {
  const { client, requests } = harness([{ status: 200, body: { orders: [] } }, PRODUCTS]);
  await unwrap(client.rest.GET("/orders"));
  await unwrap(client.http.GET("/products"));
  const sent = requests.map(({ url, headers }) => [url, headers.get("Authorization")]);
  assert.deepEqual(sent, [
    ["http://rest.test/stage/orders", "Bearer id-token"],
    ["http://http.test/products", "Bearer access-token"],
  ]);
});

test("proxies on the page's origin replace the URLs of the stack", async () => {
  const urls: string[] = [];
  const fake = (input: RequestInfo | URL): Promise<Response> => {
    urls.push((input as Request).url);
    return Promise.resolve(Response.json({ products: [], orders: [] }));
  };
  const baseUrls = { rest: "http://page.test/api/rest/", http: "http://page.test/api/http" };
  const client = createOrdersClient({ config: CONFIG, tokens: tokensOf, baseUrls, fetch: fake });
  await unwrap(client.rest.GET("/orders"));
  await unwrap(client.http.GET("/products"));
  assert.deepEqual(urls, ["http://page.test/api/rest/orders", "http://page.test/api/http/products"]);
});

test("a signed-out user gets Unauthorized without a request", async () => {
  const { client, requests } = harness([], { tokens: () => undefined });
  const { code, status } = await caught(unwrap(client.http.GET("/products")));
  assert.deepEqual([code, status, requests.length], ["Unauthorized", 401, 0]);
});

test("a refused token is refreshed, and the request is repeated once with its body", async () => {
  const body = { name: "Ann", email: "ann@example.com" };
  const { client, requests } = harness([{ status: 401 }, { status: 201, body: { user_id: "u" } }], {
    tokens: (_, { refresh }) => (refresh ? "new" : "old"),
  });
  await unwrap(client.rest.POST("/users", { body }));
  assert.deepEqual(
    requests.map(({ headers }) => headers.get("Authorization")),
    ["Bearer old", "Bearer new"],
  );
  assert.deepEqual(await requests[1]?.json(), body);
});

test("requests at the same time share one refresh", async () => {
  let refreshes = 0;
  const tokens = async (_: string, { refresh }: { refresh: boolean }): Promise<string> => {
    if (refresh) refreshes += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return refresh ? "new" : "old";
  };
  const { client } = harness([{ status: 401 }, { status: 401 }, PRODUCTS, PRODUCTS], { tokens });
  await Promise.all([1, 2].map(() => unwrap(client.http.GET("/products"))));
  assert.equal(refreshes, 1);
});

test("a request is not repeated if the refreshed token is the same or is refused too", async () => {
  const same = harness([{ status: 401 }]);
  assert.equal((await caught(unwrap(same.client.rest.GET("/orders")))).code, "Unauthorized");
  const refused = harness([{ status: 401 }, { status: 401 }], {
    tokens: (_, { refresh }) => (refresh ? "new" : "old"),
  });
  assert.equal((await caught(unwrap(refused.client.rest.GET("/orders")))).code, "Unauthorized");
});

test("an expired token is refreshed before the request", async () => {
  const fresh = jwt({ exp: NOW_S + 60 });
  const tokens = (_: string, { refresh }: { refresh: boolean }): string => (refresh ? fresh : jwt({ exp: NOW_S - 1 }));
  const { client, requests } = harness([PRODUCTS], { tokens });
  await unwrap(client.http.GET("/products"));
  assert.equal(requests[0]?.headers.get("Authorization"), `Bearer ${fresh}`);
});

test("a token of the wrong kind or without the scope is reported in words", async () => {
  const id = harness([], { tokens: () => jwt({ token_use: "id" }) });
  const wrong = await caught(unwrap(id.client.http.GET("/products")));
  assert.equal(wrong.code, "Unauthorized");
  assert.match(wrong.message, /requires the access token, and the token is the id token/);
  const password = harness([], { tokens: () => jwt({ token_use: "access", scope: "aws.cognito.signin.user.admin" }) });
  const unscoped = await caught(unwrap(password.client.http.GET("/products")));
  assert.equal(unscoped.code, "Forbidden");
  assert.match(unscoped.message, /lacks the scope email/);
});

test("an error has the fields of the response", async () => {
  const details = [{ pointer: "/name", rule: "minLength", message: "too short" }];
  const body = { ...error("ValidationError"), details, order_id: "order-1" };
  const { client } = harness([{ status: 400, body, headers: { "Retry-After": "3" } }]);
  const found = await caught(unwrap(client.rest.GET("/orders")));
  assert.deepEqual(
    { ...found, message: found.message },
    {
      name: "ApiError",
      message: "for developers",
      code: "ValidationError",
      status: 400,
      requestId: "request-1",
      orderId: "order-1",
      details,
      retryAfterMs: 3000,
    },
  );
});

test("invalidFields returns the fields of a ValidationError only", () => {
  const details = [{ pointer: "/name", rule: "minLength", message: "too short" }];
  const fields = { code: "ValidationError", status: 400 };
  assert.deepEqual(invalidFields(new ApiError("no", { ...fields, details })), details);
  for (const other of [
    new ApiError("no", fields),
    new ApiError("no", { code: "OutOfStock", status: 409, details }),
    5,
  ]) {
    assert.deepEqual(invalidFields(other), []);
  }
});

test("an error of the gateway gets its code from the status, and its request id from the header", async () => {
  for (const [status, code] of [
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [429, "TooManyRequests"],
    [503, "InternalError"],
  ] as const) {
    const { client } = harness([{ status, body: { message: "no" }, headers: { "apigw-requestid": "gateway-1" } }]);
    const found = await caught(unwrap(client.http.GET("/products")));
    assert.deepEqual([found.code, found.message, found.requestId], [code, "no", "gateway-1"]);
  }
});

test("a lost connection is a NetworkError, and an aborted request keeps the reason", async () => {
  const { client } = harness(["lost"]);
  const lost = await caught(unwrap(client.http.GET("/products")));
  assert.deepEqual([lost.code, lost.status, lost.transient], ["NetworkError", 0, true]);
  const real = createOrdersClient({ config: CONFIG, tokens: tokensOf });
  const signal = AbortSignal.abort();
  await assert.rejects(unwrap(real.http.GET("/products", { signal })), { name: "AbortError" });
});
