"""Tests of the outbox relay: each status change in the orders table becomes one event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction
from tests.fakes.services import FakeEventBridge, FakeSqs
from tests.functions.conftest import Load

DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def relay(load: Load) -> LoadedFunction:
    return load("publish_order_events")


def order_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def row(number: int) -> dict[str, Any]:
    return {
        "order_id": {"S": order_id(number)},
        "user_id": {"S": "5a9d3c1e-0000-4000-8000-00000000000a"},
        "status": {"S": "PENDING"},
        "items": {"L": [{"M": {"product_id": {"S": "tea"}, "quantity": {"N": "2"}}}]},
        "created_at": {"S": "2026-01-02T03:04:05.678Z"},
        "updated_at": {"S": "2026-01-02T03:04:05.678Z"},
        "request_hash": {"S": "internal"},
        "synchronous": {"BOOL": False},
    }


def batch(dynamodb: FakeDynamoDB, *rows: dict[str, Any]) -> dict[str, Any]:
    """Write `rows` into the orders table, and return the resulting stream records as one batch."""
    before = len(dynamodb.tables["orders"].stream)
    for item in rows:
        dynamodb.put("orders", item)
    return {"Records": dynamodb.tables["orders"].stream[before:]}


def failed(dynamodb: FakeDynamoDB, position: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number_of(dynamodb, position)}]}


def set_aside(sqs: FakeSqs) -> list[tuple[str, str]]:
    """Return (sequence number, error code) of each record that the relay sent to the failure queue."""
    found: list[tuple[str, str]] = []
    for message in sqs.sent:
        (record,) = json.loads(message["MessageBody"])["Records"]
        number = record["dynamodb"]["SequenceNumber"]
        found.append((number, message["MessageAttributes"]["ERROR_CODE"]["StringValue"]))
    return found


def number_of(dynamodb: FakeDynamoDB, position: int) -> str:
    return dynamodb.tables["orders"].stream[position]["dynamodb"]["SequenceNumber"]


def ids(eventbridge: FakeEventBridge) -> list[str]:
    return [json.loads(entry["Detail"])["event_id"] for entry in eventbridge.entries]


def test_event_contains_only_fields_that_consumers_of_release_0_1_0_know(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    line = {"product_id": {"S": "tea"}, "quantity": {"N": "2"}, "unit_price": {"N": "5"}, "name": {"S": "Tea"}}
    prices = {"items": {"L": [{"M": line}]}, "total": {"N": "10"}, "currency": {"S": "JPY"}}
    reason = {"code": {"S": "PriceChanged"}, "message": {"S": "why"}, "details": {"S": "[]"}}
    confirmed = {**row(1), **prices, "status": {"S": "CONFIRMED"}}
    rejected = {**row(2), "status": {"S": "REJECTED"}, "reason": {"M": reason}, "expected_total": {"N": "9"}}
    assert relay(batch(dynamodb, confirmed, rejected)) == DONE
    first, second = (json.loads(entry["Detail"])["order"] for entry in eventbridge.entries)
    assert first["items"] == [{"product_id": "tea", "quantity": 2, "unit_price": 5}]
    assert second["reason"] == {"code": "ValidationError", "message": "why"}
    assert "expected_total" not in second


def test_new_order_event_has_no_internal_attributes(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    assert relay(batch(dynamodb, row(1))) == DONE
    (entry,) = eventbridge.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("orders-bus", "orders.api", "OrderCreated")
    assert json.loads(entry["Detail"]) == {
        "event_id": f"{order_id(1)}:PENDING",
        "order": {
            "order_id": order_id(1),
            "user_id": "5a9d3c1e-0000-4000-8000-00000000000a",
            "status": "PENDING",
            "items": [{"product_id": "tea", "quantity": 2}],
            "created_at": "2026-01-02T03:04:05.678Z",
            "updated_at": "2026-01-02T03:04:05.678Z",
        },
    }


@pytest.mark.parametrize(
    ("extra", "detail_type"),
    [
        (
            {
                "status": {"S": "REJECTED"},
                "reason": {"M": {"code": {"S": "OutOfStock"}, "message": {"S": "none left"}}},
            },
            "OrderRejected",
        ),
        (
            {"status": {"S": "FAILED"}, "reason": {"M": {"code": {"S": "InternalError"}, "message": {"S": "a fault"}}}},
            "OrderFailed",
        ),
        ({"status": {"S": "CANCELLED"}}, "OrderCancelled"),
        (
            {
                "status": {"S": "CONFIRMED"},
                "items": {"L": [{"M": {"product_id": {"S": "tea"}, "quantity": {"N": "2"}, "unit_price": {"N": "5"}}}]},
                "total": {"N": "10"},
                "currency": {"S": "JPY"},
            },
            "OrderConfirmed",
        ),
    ],
)
def test_each_status_change_is_published(
    relay: LoadedFunction,
    dynamodb: FakeDynamoDB,
    eventbridge: FakeEventBridge,
    extra: dict[str, Any],
    detail_type: str,
) -> None:
    batch(dynamodb, row(1))
    assert relay(batch(dynamodb, row(1) | extra)) == DONE
    (entry,) = eventbridge.entries
    assert entry["DetailType"] == detail_type
    assert json.loads(entry["Detail"])["event_id"] == f"{order_id(1)}:{extra['status']['S']}"


def test_change_of_other_attributes_is_not_published(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    batch(dynamodb, row(1))
    assert relay(batch(dynamodb, row(1) | {"synchronous": {"BOOL": True}})) == DONE
    assert eventbridge.entries == []


def test_deleted_row_is_not_published(relay: LoadedFunction, eventbridge: FakeEventBridge) -> None:
    removal = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "1", "OldImage": row(1)}}
    assert relay({"Records": [removal]}) == DONE
    assert eventbridge.entries == []


def test_put_events_calls_have_at_most_ten_entries_in_stream_order(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    assert relay(batch(dynamodb, *[row(number) for number in range(23)])) == DONE
    assert [len(call["Entries"]) for call in eventbridge.faults.of("put_events")] == [10, 10, 3]
    assert ids(eventbridge) == [f"{order_id(number)}:PENDING" for number in range(23)]


def test_only_refused_entries_are_retried(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    eventbridge.refusals = [{1, 3}, {1}]
    assert relay(batch(dynamodb, *[row(number) for number in range(4)])) == DONE
    assert [len(call["Entries"]) for call in eventbridge.faults.of("put_events")] == [4, 2, 1]
    assert sorted(ids(eventbridge)) == [f"{order_id(number)}:PENDING" for number in range(4)]


def test_first_refused_record_is_reported_as_the_batch_failure(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    eventbridge.refusals = [{1, 3}, {0, 1}, {0, 1}]
    assert relay(batch(dynamodb, *[row(number) for number in range(4)])) == failed(dynamodb, 1)


def test_poison_record_moves_to_the_failure_queue_with_its_error_and_others_are_published(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs
) -> None:
    poison = row(1)
    del poison["items"]
    event = batch(dynamodb, row(0), poison, row(2))
    assert relay(event) == DONE
    assert ids(eventbridge) == [f"{order_id(0)}:PENDING", f"{order_id(2)}:PENDING"]
    (message,) = sqs.sent
    assert message["QueueUrl"] == ENVIRONMENT["FAILURE_QUEUE_URL"]
    assert json.loads(message["MessageBody"]) == {"Records": [event["Records"][1]]}
    reason = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert reason == {"ERROR_CODE": "KeyError", "ERROR_MESSAGE": "'items'"}


@pytest.mark.parametrize(
    "change", [{"status": {"S": "LOST"}}, {"status": {"S": "CONFIRMED"}}, {"user_id": {"S": "Ada Lovelace"}}]
)
def test_record_of_a_row_that_violates_the_schema_moves_to_the_failure_queue(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs, change: dict[str, Any]
) -> None:
    assert relay(batch(dynamodb, row(0) | change)) == DONE
    assert eventbridge.entries == []
    assert set_aside(sqs) == [(number_of(dynamodb, 0), "ValidationError")]


def test_poison_record_stays_in_the_stream_if_the_failure_queue_refuses_it(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs
) -> None:
    sqs.faults.refuse("send_message", "AccessDenied")
    event = batch(dynamodb, row(0), row(1) | {"status": {"S": "LOST"}}, row(2))
    assert relay(event) == failed(dynamodb, 1)
    assert ids(eventbridge) == [f"{order_id(0)}:PENDING"]
    assert relay({"Records": event["Records"][1:]}) == DONE
    assert ids(eventbridge) == [f"{order_id(0)}:PENDING", f"{order_id(2)}:PENDING"]
    assert set_aside(sqs) == [(number_of(dynamodb, 1), "ValidationError")]


def test_poison_record_moves_to_the_failure_queue_only_after_earlier_records_are_published(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs
) -> None:
    """Lambda retries a batch from its first failed record, so each retry contains the poison record again.

    If each attempt sent the poison record to the failure queue, the queue would receive the record many times.
    """
    eventbridge.faults.refuse("put_events", "InternalException")
    assert relay(batch(dynamodb, row(0), row(1) | {"status": {"S": "LOST"}})) == failed(dynamodb, 0)
    assert sqs.sent == []


def test_poison_record_too_long_for_sqs_is_replaced_by_its_key_in_the_failure_queue(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    sqs.faults.refuse("send_message", "InvalidParameterValue")
    assert relay(batch(dynamodb, row(0) | {"status": {"S": "LOST"}})) == DONE
    (message,) = sqs.sent
    assert json.loads(message["MessageBody"])["keys"] == {"order_id": {"S": order_id(0)}}
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "ValidationError"


def test_reason_of_a_poison_record_contains_only_characters_that_sqs_accepts(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    poison = row(0) | {"items": {"L": [{"M": {"product_id": {"S": "tea"}, "quantity": {"\x00\ud800": "1"}}}]}}
    assert relay(batch(dynamodb, poison)) == DONE
    (message,) = sqs.sent
    reason = message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert reason.encode().decode().isprintable()
    assert message["MessageBody"].isascii()


def test_first_failed_record_is_found_by_its_position_in_the_batch(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    sqs.faults.refuse("send_message", "AccessDenied")
    event = batch(dynamodb, row(0) | {"status": {"S": "LOST"}}, row(1) | {"status": {"S": "LOST"}})
    for record, number in zip(event["Records"], ("999", "1000"), strict=True):
        record["dynamodb"]["SequenceNumber"] = number
    assert relay(event) == {"batchItemFailures": [{"itemIdentifier": "999"}]}


def test_batch_fails_at_the_first_record_of_a_refused_put_events_call(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge
) -> None:
    eventbridge.faults.before("put_events", lambda: None)
    eventbridge.faults.refuse("put_events", client_error("InternalException", "PutEvents"))
    assert relay(batch(dynamodb, *[row(number) for number in range(35)])) == failed(dynamodb, 10)
    assert len(eventbridge.faults.of("put_events")) == 2


def giant(number: int) -> dict[str, Any]:
    """Return the row of an order whose event exceeds EventBridge's size limit."""
    reason = {"M": {"code": {"S": "OutOfStock"}, "message": {"S": "x" * 300_000}}}
    return row(number) | {"status": {"S": "REJECTED"}, "reason": reason}


@pytest.mark.parametrize("position", [0, 4, 9])
def test_record_of_a_too_large_event_moves_to_the_failure_queue_and_others_are_published(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs, position: int
) -> None:
    rows = [giant(number) if number == position else row(number) for number in range(12)]
    assert relay(batch(dynamodb, *rows)) == DONE
    assert ids(eventbridge) == [f"{order_id(number)}:PENDING" for number in range(12) if number != position]
    assert set_aside(sqs) == [(number_of(dynamodb, position), "ValidationException")]


def test_records_of_ten_too_large_events_move_to_the_failure_queue_and_others_are_published(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs
) -> None:
    rows = [giant(number) if number < 10 else row(number) for number in range(12)]
    assert relay(batch(dynamodb, *rows)) == DONE
    assert ids(eventbridge) == [f"{order_id(number)}:PENDING" for number in (10, 11)]
    assert len(set_aside(sqs)) == 10


@pytest.mark.parametrize("code", ["InvalidArgument", "MalformedDetail", "RedactionFailure"])
def test_record_of_an_entry_that_the_bus_never_accepts_moves_to_the_failure_queue(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, eventbridge: FakeEventBridge, sqs: FakeSqs, code: str
) -> None:
    eventbridge.refusals, eventbridge.refusal_code = [{1}], code
    assert relay(batch(dynamodb, row(0), row(1), row(2))) == DONE
    assert ids(eventbridge) == [f"{order_id(0)}:PENDING", f"{order_id(2)}:PENDING"]
    assert set_aside(sqs) == [(number_of(dynamodb, 1), code)]


def test_refused_record_and_its_error_are_logged(
    relay: LoadedFunction,
    dynamodb: FakeDynamoDB,
    eventbridge: FakeEventBridge,
    logs: Callable[[], list[dict[str, Any]]],
) -> None:
    eventbridge.faults.refuse("put_events", "AccessDeniedException")
    answer = relay(batch(dynamodb, row(0)))
    (refused,) = [record for record in logs() if record["message"] == "bus refused the call"]
    assert [{"itemIdentifier": refused["sequence_number"]}] == answer["batchItemFailures"]
    assert "AccessDeniedException" in refused["exception"]


def test_relay_counts_each_record_that_it_moves_to_the_failure_queue(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
) -> None:
    relay(batch(dynamodb, row(0), giant(1), giant(2)))
    assert counted() == {"OrderCreated": 1, "MessageSetAside": 2}


def test_relay_logs_each_record_that_it_moves_to_the_failure_queue_and_its_error(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    relay(batch(dynamodb, row(0), giant(1)))
    (line,) = [record for record in logs() if record["message"] == "record set aside"]
    assert line["sequence_number"] == number_of(dynamodb, 1)
    assert "ValidationException" in line["exception"]


def test_order_created_metric_omits_records_that_lambda_will_retry(
    relay: LoadedFunction,
    dynamodb: FakeDynamoDB,
    eventbridge: FakeEventBridge,
    counted: Callable[[], dict[str, int]],
) -> None:
    eventbridge.refusals = [{2}, {0}, {0}]
    event = batch(dynamodb, *[row(number) for number in range(5)])
    relay(event)
    assert counted() == {"OrderCreated": 2}
    relay({"Records": event["Records"][2:]})
    assert counted() == {"OrderCreated": 3}


def test_each_log_line_has_the_correlation_id_of_its_order(
    relay: LoadedFunction, dynamodb: FakeDynamoDB, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    relay(batch(dynamodb, row(1), row(2)))
    published = [record for record in logs() if record["message"] == "event published"]
    assert [record["correlation_id"] for record in published] == [order_id(1), order_id(2)]
