"""Tests that the mocks of the TypeScript client respond as the OpenAPI documents say."""

from __future__ import annotations

from typing import Any, Final

from tests.clients.package import results
from tests.contracts.answers import breaches, document, operation_of

ORDER: Final = {"items": [{"product_id": "teapot", "quantity": 1}]}
KEY: Final = {"Idempotency-Key": "k"}
PRODUCT: Final = {"name": "Fan", "unit_price": 1, "currency": "JPY", "quantity": 1}
USER: Final = {"name": "Ada", "email": "ada@example.com"}
STEPS: Final[tuple[tuple[dict[str, Any], int], ...]] = (
    ({"api": "rest", "method": "POST", "path": "/users", "body": USER}, 201),
    ({"api": "rest", "method": "POST", "path": "/users", "body": USER}, 409),
    ({"api": "rest", "method": "POST", "path": "/users", "body": {}}, 400),
    ({"api": "rest", "method": "GET", "path": "/users/8d6b0c1e-0000-4000-8000-000000000001"}, 200),
    ({"api": "rest", "method": "GET", "path": "/users/other"}, 404),
    ({"api": "rest", "method": "POST", "path": "/orders", "body": ORDER, "headers": KEY}, 202),
    ({"api": "rest", "method": "GET", "path": "/orders/{order_id}"}, 200),
    ({"api": "rest", "method": "GET", "path": "/orders/{order_id}"}, 200),
    ({"api": "rest", "method": "POST", "path": "/orders", "body": ORDER, "headers": KEY}, 202),
    ({"api": "rest", "method": "POST", "path": "/process", "body": {"items": []}, "headers": KEY}, 400),
    ({"api": "rest", "method": "POST", "path": "/orders/{order_id}/cancel"}, 200),
    ({"api": "rest", "method": "POST", "path": "/orders/{order_id}/cancel"}, 409),
    ({"api": "rest", "method": "POST", "path": "/process", "body": ORDER}, 200),
    (
        {"api": "rest", "method": "POST", "path": "/process", "headers": KEY,
         "body": {"items": [{"product_id": "cup", "quantity": 1}]}},
        409,
    ),
    ({"api": "rest", "method": "POST", "path": "/process", "body": {"items": [{"product_id": "vase", "quantity": 1}]}}, 409),
    ({"api": "rest", "method": "GET", "path": "/orders/{order_id}"}, 200),
    ({"api": "rest", "method": "POST", "path": "/process", "body": {"items": [{"product_id": "no", "quantity": 1}]}}, 404),
    (
        {"api": "rest", "method": "POST", "path": "/process",
         "body": {"items": [{"product_id": name, "quantity": 1} for name in ("bento", "cup")]}},
        400,
    ),
    ({"api": "rest", "method": "GET", "path": "/orders?limit=2"}, 200),
    ({"api": "rest", "method": "GET", "path": "/orders?limit=0"}, 400),
    ({"api": "rest", "method": "GET", "path": "/orders?cursor=no"}, 400),
    ({"api": "rest", "method": "GET", "path": "/orders/0f8fad5b-d9cb-469f-a165-70867728950e"}, 404),
    ({"api": "rest", "method": "GET", "path": "/orders", "headers": {"Authorization": ""}}, 401),
    ({"api": "rest", "method": "POST", "path": "/orders", "body": ORDER, "headers": {"Content-Type": "text/plain"}}, 415),
    (
        {"api": "rest", "method": "POST", "path": "/orders", "body": ORDER,
         "fail": {"operation": "createOrder", "code": "TooManyRequests"}},
        429,
    ),
    (
        {"api": "rest", "method": "POST", "path": "/process", "body": ORDER,
         "fail": {"operation": "processOrder", "code": "Timeout"}},
        504,
    ),
    ({"api": "http", "method": "GET", "path": "/products?limit=3"}, 200),
    ({"api": "http", "method": "GET", "path": "/products/teapot"}, 200),
    ({"api": "http", "method": "GET", "path": "/products/no"}, 404),
    ({"api": "http", "method": "PUT", "path": "/products/fan", "body": PRODUCT}, 403),
    ({"api": "http", "method": "PUT", "path": "/products/fan", "body": PRODUCT, "admin": True}, 201),
    ({"api": "http", "method": "PUT", "path": "/products/fan", "body": PRODUCT, "admin": True}, 200),
    (
        {"api": "http", "method": "GET", "path": "/products",
         "fail": {"operation": "listProducts", "code": "InternalError"}},
        500,
    ),
)  # fmt: skip


def test_mocks_respond_as_documented() -> None:
    found = results("mock-answers.js", [step for step, _ in STEPS])
    for (step, status), answer in zip(STEPS, found, strict=True):
        assert answer["status"] == status, (step, answer)
        path = answer["path"].partition("?")[0]
        operation = operation_of(f"{step['api']}-api.yaml", step["method"], path)
        assert operation is not None, step
        responses = operation["responses"]
        expected = responses.get(str(status), responses.get(f"{status // 100}XX"))
        assert expected is not None, step
        assert breaches(expected["content"]["application/json"]["schema"], answer["body"]) == [], (step, answer)
        assert _wrong_headers(expected, answer["headers"]) == [], (step, answer)


def test_steps_cover_every_operation() -> None:
    covered = {
        found["operationId"]
        for step, _ in STEPS
        if (found := operation_of(f"{step['api']}-api.yaml", step["method"], step["path"].partition("?")[0]))
    }
    every = {
        operation["operationId"]
        for name in ("rest-api.yaml", "http-api.yaml")
        for item in document(name)["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    }
    assert covered == every


def _wrong_headers(expected: dict[str, Any], headers: dict[str, str]) -> list[str]:
    """Return the documented headers that are missing although they are required, or that have an undocumented value."""
    wrong: list[str] = [] if headers["content-type"] == "application/json" else ["content-type"]
    for name, described in expected.get("headers", {}).items():
        value = headers.get(name.lower())
        if value is None:
            wrong += [name] if described.get("required") else []
        else:
            wrong += breaches(described["schema"], value)
    return wrong
