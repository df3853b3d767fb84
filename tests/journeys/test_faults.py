"""Journey: internal errors. No order stays PENDING, and responses reveal no internal details."""

from __future__ import annotations

import json

import pytest

from local.client import Answer
from tests.journeys.breakages import denied
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, lines
from tests.journeys.stack import Stack

INSIDE = ("arn:", "orders-local", "AccessDenied", "dynamodb", "DynamoDB", "Traceback", "Exception", ".py")


def tells_nothing(answer: Answer) -> None:
    assert (answer.status, answer.json()["code"]) == (500, "InternalError")
    assert not [word for word in INSIDE if word in answer.text], answer.text


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("users-api", "GET", "/users/{sub}"),
        ("users-api", "POST", "/users"),
        ("orders-api", "GET", "/orders"),
        ("orders-api", "POST", "/orders"),
    ],
)
def test_failing_rest_api_function_returns_500_without_details(
    people: People, stack: Stack, role: str, method: str, path: str
) -> None:
    somebody = people.somebody()
    bodies = {
        "/users": {"name": somebody.name, "email": somebody.email},
        "/orders": lines({"apple": 1}),
    }
    body = bodies[path] if method == "POST" else None
    with denied(stack, role, "dynamodb:*"):
        tells_nothing(somebody.rest(method, path.format(sub=somebody.sub), body))


def test_failing_http_api_function_returns_500_without_details(customer: Person, stack: Stack) -> None:
    assert customer.access_token
    with denied(stack, "catalog-api", "dynamodb:*"):
        tells_nothing(customer.http("GET", "/products"))
        tells_nothing(customer.http("GET", "/products/apple"))


def test_order_becomes_failed_if_it_cannot_be_processed(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    with denied(stack, "order-express", "dynamodb:BatchGetItem"):
        order_id = customer.order({product: 2})["order_id"]
        order = watcher.decided(customer, order_id)
    assert (order["status"], order["reason"]["code"]) == ("FAILED", "InternalError")
    assert not [word for word in INSIDE if word in order["reason"]["message"]]
    assert stack.stock(product) == 5
    execution = watcher.ended(order_id)
    assert (execution["status"], execution["error"]) == ("FAILED", "ProcessingFailed")
    watcher.told(order_id, "OrderCreated", "OrderFailed")
    watcher.until(
        lambda: [mail for mail in stack.mails(customer.email) if mail["Subject"] == "Your order has failed"],
        "the email about the failure arrives",
        order_id,
    )
    # The log of the STANDARD execution contains the failure.
    logged = [json.loads(line)["type"] for line in stack.log("standard") if order_id in line]
    assert "ExecutionFailed" in logged


def test_order_becomes_failed_if_its_execution_cannot_record_the_failure(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    with denied(stack, "order-express", "dynamodb:*"):
        order_id = customer.order({product: 2})["order_id"]
        execution = watcher.ended(order_id)
    assert (execution["status"], execution["error"]) == ("FAILED", "NotRecorded")
    order = watcher.decided(customer, order_id)
    assert (order["status"], order["reason"]["code"]) == ("FAILED", "InternalError")
    watcher.told(order_id, "OrderCreated", "OrderFailed")
    assert stack.stock(product) == 5


def test_synchronous_order_returns_500_and_becomes_failed(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    with denied(stack, "order-express", "dynamodb:BatchGetItem"):
        tells_nothing(customer.process({product: 2}))
    (order,) = customer.rest("GET", "/orders").json()["orders"]
    assert (order["status"], order["reason"]["code"]) == ("FAILED", "InternalError")
    assert stack.stock(product) == 5
    watcher.told(order["order_id"], "OrderCreated", "OrderFailed")


def test_failed_notification_does_not_stop_an_order(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    with denied(stack, "order-express", "sns:Publish"):
        order_id = customer.order({product: 2})["order_id"]
        assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
        assert watcher.ended(order_id)["status"] == "SUCCEEDED"
        assert customer.process({product: 1}).status == 200
    assert "NotificationNotSent" in stack.states(order_id)
    assert stack.stock(product) == 2
