"""Journey: if the platform's AWS calls fail, responses reveal no internal details, and no order stays PENDING."""

from __future__ import annotations

import pytest

from contracts.orders import RETRY_AFTER_S
from local.client import Answer
from tests.journeys.breakages import denied
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, lines, unique
from tests.journeys.stack import Stack

INSIDE = ("arn:", "orders-local", "AccessDenied", "dynamodb", "DynamoDB", "Traceback", "Exception", ".py")


def tells_nothing(answer: Answer, *, status: int = 500, code: str = "InternalError") -> None:
    assert (answer.status, answer.json()["code"]) == (status, code)
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


@pytest.mark.parametrize(
    "missing",
    [
        ("order-express", "dynamodb:*"),
        ("order-express", "lambda:InvokeFunction"),
        ("order-standard", "states:StartSyncExecution"),
    ],
)
def test_order_stays_pending_during_an_outage_and_is_confirmed_afterwards(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, missing: tuple[str, str]
) -> None:
    product = admin.put(5)
    with denied(stack, *missing):
        order_id = customer.order({product: 2})["order_id"]
        watcher.until(lambda: "WaitToRetry" in stack.states(order_id), "the workflow waits", order_id)
        assert customer.read(order_id)["status"] == "PENDING"
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    assert watcher.ended(order_id)["status"] == "SUCCEEDED"
    watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert stack.stock(product) == 3


def test_synchronous_order_returns_503_during_an_outage_and_a_retry_confirms_it(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    key = unique("key")
    with denied(stack, "order-express", "dynamodb:BatchGetItem"):
        refused = customer.process({product: 2}, key=key)
        tells_nothing(refused, status=503, code="ServiceUnavailable")
        assert int(refused.headers["retry-after"]) == RETRY_AFTER_S
    order_id = refused.json()["order_id"]
    assert customer.read(order_id)["status"] == "PENDING"
    answer = customer.process({product: 2}, key=key)
    assert (answer.status, answer.json()["order_id"]) == (200, order_id)
    watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert stack.stock(product) == 3


def test_order_is_confirmed_even_if_its_notification_cannot_be_sent(
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
