"""Tests that the outbox relay survives half an hour without EventBridge, because Lambda retries each batch."""

from __future__ import annotations

import random
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError

from emulator_fixes.stream_mapping import given_up
from tests.components.order_programs import record_event_bus
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeEventBridge, FakeSqs
from tests.functions.conftest import Load
from tests.functions.test_publish_order_events import batch, ids, order_id, row, set_aside

_OUTAGE_S: Final = 30 * 60
_PAUSE_S: Final = 60
OUTAGES: Final[list[Exception]] = [
    client_error("AccessDeniedException", "PutEvents"),
    EndpointConnectionError(endpoint_url="https://events"),
]


@pytest.fixture
def relay(load: Load) -> LoadedFunction:
    return load("publish_order_events")


@pytest.fixture(scope="module")
def limits() -> dict[str, int]:
    """Return the retry limits of the relay's event source mapping as {name in Lambda's API: limit}."""
    inputs = record_event_bus().one("EventSourceMapping", "publish-order-events-stream").inputs
    return {
        "MaximumRetryAttempts": int(inputs["maximumRetryAttempts"]),
        "MaximumRecordAgeInSeconds": int(inputs["maximumRecordAgeInSeconds"]),
    }


def work_off(relay: LoadedFunction, records: list[dict[str, Any]], limits: dict[str, int]) -> tuple[float, int]:
    """Invoke the relay with the batch `records`, and retry the batch in simulated time as Lambda does.

    Return (seconds until the last attempt, number of records that Lambda discards because of `limits`).
    """
    now_s, attempts = 0.0, 0
    for record in records:
        record["dynamodb"]["ApproximateCreationDateTime"] = now_s
    while True:
        attempts += 1
        failed = relay({"Records": records})["batchItemFailures"]
        if not failed:
            return now_s, 0
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        if done := numbers.index(failed[0]["itemIdentifier"]):
            records, attempts = records[done:], 1
        now_s += _PAUSE_S
        if given_up(limits, records[0], attempts, now_s):
            return now_s, len(records)


def changes(orders: int) -> list[dict[str, Any]]:
    """Return three rows for each of `orders` orders: first all PENDING rows, then all CONFIRMED, then all CANCELLED."""
    lines = {"L": [{"M": {"product_id": {"S": "tea"}, "quantity": {"N": "2"}, "unit_price": {"N": "5"}}}]}
    priced = {"items": lines, "total": {"N": "10"}, "currency": {"S": "JPY"}}
    confirmed: dict[str, Any] = {"status": {"S": "CONFIRMED"}, **priced}
    states: list[dict[str, Any]] = [{}, confirmed, confirmed | {"status": {"S": "CANCELLED"}}]
    return [row(number) | state for state in states for number in range(orders)]


def first_arrivals(eventbridge: FakeEventBridge) -> dict[str, list[str]]:
    """Return {order id: statuses} in the sequence in which the bus received the events, without repeated events."""
    found: dict[str, list[str]] = {}
    for event_id in dict.fromkeys(ids(eventbridge)):
        order, _, status = event_id.partition(":")
        found.setdefault(order, []).append(status)
    return found


@pytest.mark.parametrize("error", OUTAGES, ids=["denied", "unreachable"])
def test_all_events_arrive_after_the_bus_refused_them_for_half_an_hour(
    relay: LoadedFunction,
    dynamodb: FakeDynamoDB,
    clients: dict[str, Any],
    limits: dict[str, int],
    error: Exception,
) -> None:
    event, eventbridge = batch(dynamodb, *changes(3)), clients["events"]
    eventbridge.faults.refuse("put_events", error, times=_OUTAGE_S // _PAUSE_S)
    assert work_off(relay, event["Records"], limits) == (_OUTAGE_S, 0)
    expected = ["PENDING", "CONFIRMED", "CANCELLED"]
    assert first_arrivals(eventbridge) == {order_id(number): expected for number in range(3)}
    assert clients["sqs"].sent == []


def test_poison_record_moves_to_the_failure_queue_once_after_an_outage_and_other_events_arrive(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs, limits: dict[str, int]
) -> None:
    rows = [row(number) | ({"status": {"S": "LOST"}} if number in (0, 5, 11) else {}) for number in range(12)]
    event = batch(dynamodb, *rows)
    eventbridge.faults.refuse("put_events", "InternalException", times=_OUTAGE_S // _PAUSE_S)
    assert work_off(relay, event["Records"], limits) == (_OUTAGE_S, 0)
    assert ids(eventbridge) == [f"{order_id(number)}:PENDING" for number in range(12) if number not in (0, 5, 11)]
    numbers = [event["Records"][number]["dynamodb"]["SequenceNumber"] for number in (0, 5, 11)]
    assert set_aside(sqs) == [(number, "ValidationError") for number in numbers]


def test_poison_record_stays_in_the_stream_while_the_failure_queue_refuses_it(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs, limits: dict[str, int]
) -> None:
    event = batch(dynamodb, row(0), row(1) | {"status": {"S": "LOST"}}, row(2))
    sqs.faults.refuse("send_message", "AccessDenied", times=_OUTAGE_S // _PAUSE_S)
    assert work_off(relay, event["Records"], limits) == (_OUTAGE_S, 0)
    assert ids(eventbridge) == [f"{order_id(0)}:PENDING", f"{order_id(2)}:PENDING"]
    assert len(sqs.sent) == 1


@pytest.mark.parametrize("seed", range(8))
def test_events_of_an_order_arrive_in_sequence_while_the_bus_refuses_individual_entries(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, limits: dict[str, int], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - each run must be the same
    eventbridge.refusals = [{place for place in range(10) if chance.random() < 0.5} for _ in range(200)]
    _, discarded = work_off(relay, batch(dynamodb, *changes(4))["Records"], limits)
    assert discarded == 0
    expected = ["PENDING", "CONFIRMED", "CANCELLED"]
    assert first_arrivals(eventbridge) == {order_id(number): expected for number in range(4)}
