"""Journey 7: `POST /process` returns the confirmed order or an error.

An order from `POST /process` causes the same events and emails as an order from `POST /orders`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.people import Person, at_once, lines, unique
from tests.journeys.stack import Stack
from tests.support.published import as_published


def test_response_contains_the_confirmed_order(admin: Person, customer: Person, stack: Stack) -> None:
    first, second = admin.put(5, unit_price=100), admin.put(5, unit_price=7)
    answer = customer.process({first: 2, second: 5})
    order = answer.json()
    assert (answer.status, order["status"], order["total"], order["currency"]) == (200, "CONFIRMED", 235, "JPY")
    assert customer.read(order["order_id"]) == order
    assert (stack.stock(first), stack.stock(second)) == (3, 0)
    assert customer.rest("GET", "/orders").json()["orders"] == [order]


def test_synchronous_order_causes_the_same_events_and_email_as_an_accepted_order(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    order = customer.process({admin.put(5): 2}).json()
    order_id = order["order_id"]
    _, confirmed = watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert confirmed["detail"]["order"] == as_published(order)
    watcher.until(lambda: stack.handled_mails(order_id) == 2, "send_email handles the order's two events", order_id)
    assert "Your order is confirmed" in [mail["Subject"] for mail in stack.mails(customer.email)]
    watcher.until(
        lambda: len(stack.analytics(order_id)) == 2, "the order's two events have an analytics record", order_id
    )
    watcher.until(lambda: stack.records("process_order", order_id), "process_order logs the event", order_id)
    # Check that only an EXPRESS execution ran. Step Functions does not store EXPRESS executions, so the test searches
    # their log.
    assert stack.execution(order_id) is None
    ended = [line for line in map(json.loads, stack.log("express")) if order_id in json.dumps(line)]
    assert "ExecutionSucceeded" in {line["type"] for line in ended}


def test_synchronous_order_can_be_cancelled(admin: Person, customer: Person, stack: Stack) -> None:
    product = admin.put(5)
    order_id = customer.process({product: 2}).json()["order_id"]
    assert customer.rest("POST", f"/orders/{order_id}/cancel").status == 200
    assert stack.stock(product) == 5


@dataclass(frozen=True)
class Case:
    """An order that the workflow must reject, with the expected status and error code of the response."""

    status: int
    code: str
    items: dict[str, int]
    stock: dict[str, int]


@pytest.fixture(params=["ValidationError", "ProductNotFound", "OutOfStock"])
def case(request: pytest.FixtureRequest, admin: Person) -> Case:
    enough = admin.put(5)
    if request.param == "ValidationError":
        foreign = admin.put(5, currency="USD")
        return Case(400, request.param, {enough: 1, foreign: 1}, {enough: 5, foreign: 5})
    if request.param == "ProductNotFound":
        return Case(404, request.param, {enough: 1, unique("unknown"): 1}, {enough: 5})
    short = admin.put(1)
    return Case(409, request.param, {enough: 1, short: 2}, {enough: 5, short: 1})


def test_rejected_order_is_returned_and_stored_with_its_reason(
    case: Case, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    answer = customer.process(case.items)
    assert (answer.status, answer.json()["code"]) == (case.status, case.code)
    (order,) = customer.rest("GET", "/orders").json()["orders"]
    error = answer.json()
    del error["request_id"]
    assert order["status"] == "REJECTED"
    assert error == {**order["reason"], "order_id": order["order_id"]}
    assert {product: stack.stock(product) for product in case.stock} == case.stock
    watcher.told(order["order_id"], "OrderCreated", "OrderRejected")


def test_repeated_request_for_a_rejected_order_returns_the_same_error(
    case: Case, customer: Person, admin: Person
) -> None:
    key = unique("key")
    first = customer.process(case.items, key)
    # Add stock. The repeated order must still be rejected, although a new order could now be confirmed.
    for product in case.stock:
        admin.put(100, product_id=product)
    second = customer.process(case.items, key)
    assert (second.status, second.json()["code"]) == (case.status, case.code)
    assert second.json() | {"request_id": ""} == first.json() | {"request_id": ""}
    assert len(customer.rest("GET", "/orders").json()["orders"]) == 1


def test_repeated_request_for_a_confirmed_order_reduces_the_stock_once(
    admin: Person, customer: Person, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    first, second = customer.process({product: 2}, key), customer.process({product: 2}, key)
    assert (first.status, second.status, second.json()) == (200, 200, first.json())
    assert stack.stock(product) == 3


def test_concurrent_requests_with_one_key_create_one_synchronous_order(
    admin: Person, customer: Person, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    answers = at_once(4, lambda: customer.process({product: 1}, key))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert stack.stock(product) == 4


def test_repeated_request_for_a_cancelled_order_returns_409(admin: Person, customer: Person) -> None:
    product, key = admin.put(5), unique("key")
    order_id = customer.process({product: 1}, key).json()["order_id"]
    customer.rest("POST", f"/orders/{order_id}/cancel")
    answer = customer.process({product: 1}, key)
    assert (answer.status, answer.json()["code"]) == (409, "InvalidTransition")


def test_invalid_order_creates_no_row(admin: Person, customer: Person) -> None:
    twice: dict[str, Any] = {"items": lines({admin.put(5): 1})["items"] * 2}
    answer = customer.rest("POST", "/process", twice)
    assert (answer.status, answer.json()["code"]) == (400, "ValidationError")
    assert customer.rest("GET", "/orders").json()["orders"] == []
