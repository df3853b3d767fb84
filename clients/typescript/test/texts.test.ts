import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ERROR_CODES, errorText } from "@orders/client";

const GENERAL = "Something went wrong on our side. Please try again.";

test("every error code has a text in each language", () => {
  for (const locale of ["en", "ja"]) {
    const texts = ERROR_CODES.map((code) => errorText(new ApiError("for developers", { code, status: 400 }), locale));
    assert.ok(texts.every((text) => text.length > 5 && !text.includes("developers")));
    assert.equal(texts.filter((text) => text === errorText({ code: "InternalError" }, locale)).length, 1);
  }
});

test("the reason of a rejected order has a text", () => {
  assert.match(
    errorText({ code: "OutOfStock", message: "Not enough in stock: teapot" }),
    /enough of a product in stock/,
  );
  assert.match(errorText({ code: "OutOfStock", message: "" }, "ja-JP"), /在庫/);
});

test("an unknown code, another error and an unknown language have the general text", () => {
  assert.equal(errorText(new ApiError("new", { code: "BrandNew", status: 409 })), GENERAL);
  for (const error of [new Error("secret"), undefined, "text", { code: 7 }, { code: "constructor" }]) {
    assert.equal(errorText(error), GENERAL);
  }
  assert.equal(errorText(undefined, "fr"), GENERAL);
});
