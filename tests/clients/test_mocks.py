"""Tests that the mocks of the TypeScript client respond as the OpenAPI documents say."""

from __future__ import annotations

import json
from typing import Any, Final

from components.aws import openapi
from tests.clients.package import results
from tests.contracts.answers import faults
from tests.fakes.gateway import Answer


def _order(*product_ids: str) -> dict[str, Any]:
    return {"items": [{"product_id": product_id, "quantity": 1} for product_id in product_ids]}


ORDER: Final = _order("teapot")
KEY: Final = {"Idempotency-Key": "k"}
NAMES: Final = {"content-type": "Content-Type", "location": "Location", "retry-after": "Retry-After"}
TEXT: Final = {"Content-Type": "text/plain"}
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
    ({"api": "rest", "method": "POST", "path": "/process", "headers": KEY, "body": _order("cup")}, 409),
    ({"api": "rest", "method": "POST", "path": "/process", "body": _order("vase")}, 409),
    ({"api": "rest", "method": "GET", "path": "/orders/{order_id}"}, 200),
    ({"api": "rest", "method": "POST", "path": "/process", "body": _order("no")}, 404),
    ({"api": "rest", "method": "POST", "path": "/process", "body": _order("bento", "cup")}, 400),
    ({"api": "rest", "method": "POST", "path": "/process", "body": {**ORDER, "expected_total": 1}}, 409),
    ({"api": "rest", "method": "GET", "path": "/orders?limit=2"}, 200),
    ({"api": "rest", "method": "GET", "path": "/orders?limit=0"}, 400),
    ({"api": "rest", "method": "GET", "path": "/orders?cursor=no"}, 400),
    ({"api": "rest", "method": "GET", "path": "/orders/0f8fad5b-d9cb-469f-a165-70867728950e"}, 404),
    ({"api": "rest", "method": "GET", "path": "/orders", "headers": {"Authorization": ""}}, 401),
    ({"api": "rest", "method": "POST", "path": "/orders", "body": ORDER, "headers": TEXT}, 415),
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
        assert _faults(step, answer) == [], (step, answer)


def test_mocks_can_respond_with_the_examples_of_the_contract() -> None:
    steps = [
        {
            "api": api,
            "method": operation.method,
            "path": operation.path.replace("{", "").replace("}", ""),
            "examples": True,
        }
        for api in ("rest", "http")
        for operation in openapi.operations(openapi.load(f"{api}-api.yaml"))
    ]
    assert len(steps) > 5
    for step, answer in zip(steps, results("mock-answers.js", steps), strict=True):
        assert answer["status"] < 300, (step, answer)
        assert _faults(step, answer) == [], (step, answer)


def _faults(step: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """Return the differences between the mock's response `answer` to the request `step` and the OpenAPI document."""
    # Node.js converts header names to lower case, so restore the names that the document uses.
    headers = {NAMES.get(name, name): value for name, value in answer["headers"].items()}
    response = {"statusCode": answer["status"], "headers": headers, "body": json.dumps(answer["body"])}
    return faults(f"{step['api']}-api.yaml", step["method"], answer["path"].partition("?")[0], Answer(response))
