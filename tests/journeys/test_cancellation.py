"""Journey 6: a cancelled order returns its stock exactly once, even if several requests cancel it concurrently.

A workflow execution that runs at the same time or later does not change the cancelled order.
"""

from __future__ import annotations

import json

from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, at_once
from tests.journeys.rows import pending, write_undecided
from tests.journeys.stack import Stack
from tests.support.published import as_published


def test_cancelled_confirmed_order_returns_its_stock(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    products = [admin.put(5), admin.put(7)]
    order_id = customer.order(dict.fromkeys(products, 2))["order_id"]
    confirmed = watcher.decided(customer, order_id)
    answer = customer.rest("POST", f"/orders/{order_id}/cancel")
    assert (answer.status, answer.json()["status"]) == (200, "CANCELLED")
    assert answer.json()["total"] == confirmed["total"]
    assert [stack.stock(product) for product in products] == [5, 7]
    *_, cancelled = watcher.told(order_id, "OrderCreated", "OrderConfirmed", "OrderCancelled")
    assert cancelled["detail"] == {"event_id": f"{order_id}:CANCELLED", "order": as_published(answer.json())}
    watcher.until(
        lambda: [mail for mail in stack.mails(customer.email) if mail["Subject"] == "Your order is cancelled"],
        "the email about the cancellation arrives",
        order_id,
    )
    watcher.until(lambda: len(stack.analytics(order_id)) == 3, "all three events have an analytics record", order_id)


def test_second_cancellation_of_an_order_returns_409(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    order_id = customer.order({product: 2})["order_id"]
    watcher.decided(customer, order_id)
    first = customer.rest("POST", f"/orders/{order_id}/cancel")
    second = customer.rest("POST", f"/orders/{order_id}/cancel")
    assert (first.status, second.status, second.json()["code"]) == (200, 409, "InvalidTransition")
    assert stack.stock(product) == 5


def test_one_of_several_concurrent_cancellations_succeeds(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    order_id = customer.order({product: 2})["order_id"]
    watcher.decided(customer, order_id)
    answers = at_once(4, lambda: customer.rest("POST", f"/orders/{order_id}/cancel").status)
    assert sorted(answers) == [200, 409, 409, 409]
    assert stack.stock(product) == 5


def test_rejected_order_cannot_be_cancelled(admin: Person, customer: Person, watcher: Watcher) -> None:
    order_id = customer.order({admin.put(1): 2})["order_id"]
    watcher.decided(customer, order_id)
    answer = customer.rest("POST", f"/orders/{order_id}/cancel")
    assert (answer.status, answer.json()["code"]) == (409, "InvalidTransition")


def test_only_the_owner_can_cancel_an_order(people: People, admin: Person, customer: Person, watcher: Watcher) -> None:
    order_id = customer.order({admin.put(5): 2})["order_id"]
    watcher.decided(customer, order_id)
    for other in (people.somebody(), admin):
        answer = other.rest("POST", f"/orders/{order_id}/cancel")
        assert (answer.status, answer.json()["code"]) == (404, "OrderNotFound")
    assert customer.read(order_id)["status"] == "CONFIRMED"


def test_order_cancelled_immediately_after_its_creation_takes_no_stock(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    order_id = customer.order({product: 2})["order_id"]
    assert customer.rest("POST", f"/orders/{order_id}/cancel").status == 200
    execution = watcher.ended(order_id) if stack.execution(order_id) else None
    assert execution is None or execution["status"] in ("SUCCEEDED", "FAILED")
    assert customer.read(order_id)["status"] == "CANCELLED"
    assert stack.stock(product) == 5


def test_workflow_execution_does_not_change_a_cancelled_order(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product = admin.put(5)
    order = pending(customer, product)
    write_undecided(stack, order)
    assert customer.rest("POST", f"/orders/{order['order_id']}/cancel").json()["status"] == "CANCELLED"
    machine = stack.ops["stateMachines"]["standard"]
    stack.aws(
        "stepfunctions",
        "start_execution",
        stateMachineArn=machine,
        name=order["order_id"],
        input=json.dumps({"order": order}),
    )
    execution = watcher.ended(order["order_id"])
    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidTransition")
    assert customer.read(order["order_id"])["status"] == "CANCELLED"
    assert stack.stock(product) == 5
