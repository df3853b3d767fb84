"""Invalid messages from the stream, the analytics queue and the bus reach failure queues. Valid ones are processed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from contracts.queues import message_group
from tests.journeys.patience import Watcher
from tests.journeys.people import Person
from tests.journeys.stack import Stack
from tests.proof.plugin import Proof
from tests.proof.poison_messages.failures import ANALYTICS, STREAM, FailureQueues, are_mailed_once, attribute, put, send
from tests.proof.poison_messages.poison import detail, fact, order, poison_details, poison_facts, poison_rows
from tests.proof.repeated_events.delivery import held

pytestmark = [pytest.mark.attack("poison-messages"), pytest.mark.emulator]
RELAY, RECORDER = "publish_order_events", "record_analytics"


@pytest.fixture
def queues(stack: Stack, watcher: Watcher, capsys: pytest.CaptureFixture[str]) -> Iterator[FailureQueues]:
    found = FailureQueues(stack, watcher, capsys)
    yield found
    found.empty()


def test_invalid_stream_records_reach_a_failure_queue_and_valid_records_are_processed(
    queues: FailureQueues, admin: Person, customer: Person, watcher: Watcher, proof: Proof
) -> None:
    """One batch of the stream contains invalid rows, with valid orders before, between and after them."""
    stack, product = queues.stack, admin.put(50)
    table, rows = stack.ops["tables"]["orders"], poison_rows()
    good: list[str] = []
    with held(stack, RELAY):
        for row in (None, *rows.values(), None):
            if row:
                stack.aws("dynamodb", "put_item", TableName=table, Item=row)
            good.append(customer.order({product: 1})["order_id"])
    try:
        for order_id in good:
            assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
        waiting = queues.waiting(STREAM, len(rows))
        assert records(waiting) == [row["order_id"] for row in rows.values()]
        assert {attribute(each, "ERROR_CODE") for each in waiting} == {"KeyError", "ValidationError"}
        said = queues.redrive(STREAM, dry_run=True)
        assert len(re.findall(r"stream record \d+ \((KeyError|ValidationError): .+\): would be sent", said)) == len(
            rows
        ), said
        queues.redrive(STREAM)
        # The redrive sends each record back. The record is still invalid, so it returns to the failure queue.
        again = queues.waiting(STREAM, len(rows))
        assert records(again) == records(waiting)
        assert not {each["MessageId"] for each in again} & {each["MessageId"] for each in waiting}
        watcher.until(lambda: are_mailed_once(stack, customer.email, good), "each email was sent once")
        proof.tried(poison_rows=len(rows), neighbours=len(good))
        proof.found(neighbours_passed=len(good), in_failure_queues=queues.poison)
    finally:
        for row in rows.values():
            stack.aws("dynamodb", "delete_item", TableName=table, Key={"order_id": row["order_id"]})


def records(messages: Collection[dict[str, Any]]) -> list[Any]:
    """Return the keys of the stream records in the messages."""
    return [json.loads(each["Body"])["Records"][0]["dynamodb"]["Keys"]["order_id"] for each in messages]


def test_invalid_analytics_messages_reach_a_failure_queue_and_valid_messages_are_recorded(
    queues: FailureQueues, watcher: Watcher, proof: Proof
) -> None:
    """The analytics queue contains invalid and valid messages in the same batches and in one message group."""
    stack, poison = queues.stack, poison_facts()
    bodies, good = list[str](), list[str]()
    for body in (*poison.values(), ""):
        about = detail(order())
        good.append(about["order"]["order_id"])
        bodies += [fact("OrderCreated", about), *([body] if body else [])]
    with held(stack, RECORDER):
        send(stack, bodies)
    for order_id in good:
        watcher.until(lambda order_id=order_id: stack.analytics(order_id), "the event is recorded", order_id)
    waiting = queues.waiting(ANALYTICS, len(poison))
    assert sorted(each["Body"] for each in waiting) == sorted(poison.values())
    assert {attribute(each, "ERROR_CODE") for each in waiting} == {"ValidationError"}
    assert all(attribute(each, "ERROR_MESSAGE").startswith(("body", "detail")) for each in waiting)

    said = queues.redrive(ANALYTICS, dry_run=True)
    assert said.count("(ValidationError: ") == len(poison)
    unreadable = len([kind for kind in poison if kind in ("not JSON", "a list", "deep")])
    queues.redrive(ANALYTICS, stay=unreadable)
    # The redrive sends each readable message back. The message fails again, and returns to the failure queue under a
    # new id. The unreadable messages never left the failure queue.
    again = queues.waiting(ANALYTICS, len(poison))
    assert sorted(each["Body"] for each in again) == sorted(poison.values())
    proof.tried(poison_messages=len(poison), neighbours=len(good))
    proof.found(neighbours_passed=len(good), in_failure_queues=len(again))


def test_invalid_events_on_the_bus_reach_failure_queues_and_valid_events_are_processed(
    queues: FailureQueues, admin: Person, customer: Person, watcher: Watcher, proof: Proof
) -> None:
    """Invalid events, and an event about a missing order, are published between the events of two valid orders."""
    stack, product, poison = queues.stack, admin.put(50), poison_details()
    good = [customer.order({product: 1})["order_id"]]
    put(stack, *poison.values())
    others = [("OrderCreated", detail(gone := order())), ("NoSuchEvent", detail(order()))]
    put(stack, *others)
    good.append(customer.order({product: 1})["order_id"])
    for order_id in good:
        assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
        watcher.until(
            lambda order_id=order_id: len(stack.analytics(order_id)) == 2, "both events are recorded", order_id
        )
    watcher.until(lambda: are_mailed_once(stack, customer.email, good), "each email was sent once")

    created = [kind for kind, (detail_type, _) in poison.items() if detail_type == "OrderCreated"]
    number, errors = len(created) + 1, {"ValidationError", "OrderNotFound"}
    found = [json.loads(each["Body"]) for each in queues.waiting("process-order-failures", number)]
    assert len(found) == number
    assert {each["responsePayload"]["errorType"] for each in found} == errors
    assert all(attribute(each, "ErrorMessage") for each in queues.waiting("process-order-dlq", number))
    said = queues.redrive("process-order-failures", dry_run=True)
    assert all(f"({error}: " in said for error in errors)
    # The rules that send events to the analytics queue match only ids that begin with a hexadecimal digit. Events
    # without a valid id therefore do not reach the queue.
    with_id = [about for _, about in poison.values() if is_in_a_group(about.get("event_id"))]
    for name, number in {"send-email-failures": len(poison), ANALYTICS: len(with_id)}.items():
        waiting = queues.waiting(name, number)
        assert len(waiting) == number
        assert {attribute(each, "ERROR_CODE") for each in waiting} == {"ValidationError"}
        assert queues.redrive(name, dry_run=True).count("(ValidationError: ") == number
    assert not [each for each in queues.messages("send-email-failures") if gone["order_id"] in each["Body"]]
    proof.tried(poison_events=len(poison) + len(others), neighbours=len(good))
    proof.found(neighbours_passed=len(good), in_failure_queues=queues.poison)


def is_in_a_group(event_id: Any) -> bool:
    """Return whether EventBridge sends an event with this id to the analytics queue.

    The first character of the id determines the event's message group in this queue. It must be a hexadecimal digit.
    """
    return isinstance(event_id, str) and message_group(event_id) != message_group("")
