"""Tests of the API functions while DynamoDB is overloaded. For each DynamoDB call, one test makes the call fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from components.apis import routes
from components.aws import openapi
from shared.domain.cursors import encode
from shared.domain.orders import new_order, order_id_for, request_hash
from shared.domain.times import utc_now
from shared.rows import order_row
from tests.fakes.dynamodb import FakeDynamoDB, cancelled_transaction
from tests.fakes.faults import LASTING, client_error
from tests.fakes.gateway import USER, Answer, Request
from tests.functions.conftest import Load, http_client, rest_client

CODES: Final = (
    "TransactionConflictException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
)
REASONS: Final = {"TransactionConflictException": "TransactionConflict", "ThrottlingException": "ThrottlingError"}
"""Maps the error code of a single call to the cancellation reason of a transaction with the same cause."""

LINES: Final[Any] = [{"product_id": "tea", "quantity": 1}]
PENDING: Final = order_id_for(USER, "pending")
CONFIRMED: Final = order_id_for(USER, "confirmed")
PRODUCT: Final = {"name": "Tea", "unit_price": 500, "currency": "JPY", "quantity": 10}
USER_CONTENT: Final = {"name": "Ada", "email": "ada@example.com"}

REQUESTS: Final[Mapping[str, tuple[Request, ...]]] = {
    "createUser": (Request(method="POST", path="/users", body=USER_CONTENT),),
    "getUser": (Request(method="GET", path=f"/users/{USER}"),),
    "createOrder": (Request(method="POST", path="/orders", body={"items": LINES}),),
    "listOrders": (Request(method="GET", path="/orders", query={"cursor": encode(PENDING)}),),
    "getOrder": (Request(method="GET", path=f"/orders/{PENDING}"),),
    "cancelOrder": (
        Request(method="POST", path=f"/orders/{PENDING}/cancel"),
        Request(method="POST", path=f"/orders/{CONFIRMED}/cancel"),
    ),
    "listProducts": (Request(method="GET", path="/products", query={"cursor": encode("cup")}),),
    "getProduct": (Request(method="GET", path="/products/tea"),),
    "putProduct": (
        Request(method="PUT", path="/products/tea", body=PRODUCT, groups=["admin"]),
        Request(method="PUT", path="/products/new", body=PRODUCT, groups=["admin"]),
    ),
}
"""Maps each operation to requests that together cause all DynamoDB calls of the operation."""

Send = Callable[[Request], Answer]


def each_request() -> Iterator[tuple[str, Request]]:
    for operation_id, requests in REQUESTS.items():
        for request in requests:
            yield operation_id, request


@pytest.fixture
def tables(dynamodb: FakeDynamoDB, stock: Callable[..., None]) -> FakeDynamoDB:
    """A fake DynamoDB with products, a PENDING order and a CONFIRMED order."""
    stock("cup")
    stock("tea")
    for order_id, status in ((PENDING, "PENDING"), (CONFIRMED, "CONFIRMED")):
        row = order_row(
            new_order(order_id, USER, LINES, utc_now()), request_hash=request_hash(LINES), synchronous=False
        )
        dynamodb.put("orders", {**row, "status": {"S": status}})
    return dynamodb


@pytest.fixture
def send(load: Load, request: pytest.FixtureRequest) -> Send:
    """Return a client of the API to which the operation in the test's parameter `operation_id` belongs.

    The client checks each response against the OpenAPI document.
    """
    operation_id: str = request.getfixturevalue("operation_id")
    client = http_client if operation_id in documented(routes.HTTP_API) else rest_client
    return client(load(routes.function_of(operation_id)))


def documented(document: str) -> set[str]:
    return {operation.operation_id for operation in openapi.operations(openapi.load(document))}


def refusal(operation: str, code: str) -> Exception:
    if operation == "transact_write_items":
        return cancelled_transaction([{"Code": REASONS.get(code, code)}, {"Code": "None"}])
    return client_error(code, operation)


def test_every_operation_of_both_apis_has_a_test_request() -> None:
    assert set(REQUESTS) | {"processOrder"} == documented(routes.REST_API) | documented(routes.HTTP_API)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("operation_id", "asked"), list(each_request()))
def test_refused_dynamodb_call_never_causes_status_500(
    operation_id: str, asked: Request, code: str, send: Send, tables: FakeDynamoDB
) -> None:
    del operation_id
    before = {name: dict(table.items) for name, table in tables.tables.items()}
    assert send(asked).status < 500
    calls = [name for name, _ in tables.faults.calls]
    assert calls
    for number, call in enumerate(calls):
        for name, rows in before.items():
            tables.tables[name].items = dict(rows)
        tables.faults.clear()
        for _ in range(calls[:number].count(call)):
            tables.faults.before(call, lambda: None)
        tables.faults.refuse(call, refusal(call, code), times=LASTING)
        answer = send(asked)
        assert (answer.status, answer.body["code"]) == (429, "TooManyRequests"), (call, code)
        assert answer.headers["Retry-After"] == "1"


def test_log_says_which_error_of_dynamodb_caused_a_429(
    load: Load, tables: FakeDynamoDB, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    tables.faults.refuse("get_item", "ThrottlingException")
    assert rest_client(load("orders_api"))(REQUESTS["getOrder"][0]).status == 429
    (line,) = [line for line in logs() if line["message"] == "request rejected"]
    assert (line["code"], line["cause"]) == ("TooManyRequests", "ThrottlingException")
