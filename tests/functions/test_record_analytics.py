"""Tests that record_analytics stores each event once, and that a failing message does not block other messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.queues import RECEIVED_AT_MOST, message_group
from shared.domain.orders import new_order
from tests.fakes import messages
from tests.fakes.faults import client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction
from tests.fakes.services import FakeS3, FakeSqs
from tests.functions.conftest import Load

ORDER_ID = "00000000-0000-4000-8000-000000000001"
FAILURES = f"{ENVIRONMENT['FAILURE_QUEUE_URL']}.fifo"


@pytest.fixture
def record_analytics(load: Load, monkeypatch: pytest.MonkeyPatch) -> LoadedFunction:
    """The function record_analytics, with a FIFO queue as its failure queue."""
    function = load("record_analytics")
    monkeypatch.setattr("record_analytics.handler.queue._failure_queue_url", FAILURES)
    return function


def record_about(number: int = 1) -> dict[str, Any]:
    order_id = f"00000000-0000-4000-8000-{number:012d}"
    about = new_order(order_id, USER, [{"product_id": "tea", "quantity": 2}], datetime(2026, 1, 2, 23, 59, tzinfo=UTC))
    return {"event_id": f"{order_id}:PENDING", "detail_type": "OrderCreated", "order": about}


def batch(*records: Any, received: int = 1) -> dict[str, Any]:
    """Return a batch of messages with the ids m0, m1 and so on, in one message group of a FIFO queue."""
    return messages.batch(*records, received=received, group=message_group(ORDER_ID))


def kept(s3: FakeS3) -> list[int]:
    """Return the numbers of the orders that have an analytics record in S3.

    The number of an order is the argument of `record_about`.
    """
    return [int(key.rpartition("-")[2].partition("_")[0]) for _, key in s3.objects]


def refuse_first(s3: FakeS3) -> None:
    """Make S3 refuse only the object of order 1.

    This function recognizes the object by its key, because record_analytics writes objects in random sequence.
    """
    put_object = s3.put_object

    def put(**arguments: Any) -> Any:
        if ORDER_ID in arguments["Key"]:
            raise client_error("SlowDown", "PutObject")
        return put_object(**arguments)

    s3.put_object = put  # pyright: ignore[reportAttributeAccessIssue]


def test_record_is_stored_under_its_date(record_analytics: LoadedFunction, s3: FakeS3) -> None:
    record = record_about()
    assert record_analytics(batch(record)) == {"batchItemFailures": []}
    key = f"orders/dt=2026-01-02/{ORDER_ID}_PENDING.json"
    assert json.loads(s3.objects["analytics", key]) == record
    assert len(s3.objects) == 1


def test_event_delivered_twice_is_stored_and_counted_once(
    record_analytics: LoadedFunction, s3: FakeS3, counted: Callable[[], dict[str, int]]
) -> None:
    record_analytics(batch(record_about()))
    assert record_analytics(batch(record_about())) == {"batchItemFailures": []}
    assert len(s3.objects) == 1
    assert counted() == {"OrderAnalysed": 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "body: not valid JSON"),
        ('{"event_id": "\\ud800"}', "body: not valid JSON"),
        ("[" * 100_000, "body: not valid JSON"),
        ("[]", "body.detail_type: unknown"),
        ('{"detail_type": "NoSuchEvent"}', "body.detail_type: unknown"),
        ('{"detail_type": ["OrderCreated"]}', "body.detail_type: unknown"),
        ('{"detail_type": "OrderCreated"}', "detail: missing properties; required: event_id, order"),
        ({"event_id": "../../x:PENDING"}, "detail.event_id: got 15 characters"),
        ({"more": 1}, "detail: unknown properties"),
        ({"detail_type": "OrderConfirmed"}, "detail.event_id: got 44 characters"),
    ],
)
def test_invalid_message_moves_to_the_failure_queue_with_its_error(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs, body: Any, reason: str
) -> None:
    poison = body if isinstance(body, str) else {**record_about(), **body}
    event = batch(record_about(1), poison, record_about(3))
    assert record_analytics(event) == {"batchItemFailures": []}
    assert kept(s3) == [1, 3]
    (aside,) = sqs.sent
    assert (aside["QueueUrl"], aside["MessageBody"]) == (FAILURES, event["Records"][1]["body"])
    assert (aside["MessageGroupId"], aside["MessageDeduplicationId"]) == ("m1", "m1")
    attributes = {name: value["StringValue"] for name, value in aside["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ValidationError"
    assert reason in attributes["ERROR_MESSAGE"]


def event_about(number: int = 1) -> dict[str, Any]:
    """Return the event about the order with this number, in the format in which EventBridge delivers it.

    The analytics record of the event is `record_about(number)`.
    """
    record = record_about(number)
    detail = {"event_id": record["event_id"], "order": record["order"]}
    return {"id": "1", "source": "orders.api", "detail-type": record["detail_type"], "detail": detail}


def undelivered(*events: Any, received: int = 1) -> dict[str, Any]:
    """Return a batch of messages from EventBridge's dead-letter queue `analytics-delivery`, a standard queue."""
    return messages.batch(*events, received=received, queue="analytics-delivery")


def test_event_from_the_dead_letter_queue_of_eventbridge_becomes_the_same_record(
    record_analytics: LoadedFunction, s3: FakeS3
) -> None:
    record_analytics(undelivered(event_about(1), record_about(2)))
    assert kept(s3) == [1, 2]
    objects = dict(s3.objects)
    s3.objects.clear()
    record_analytics(batch(record_about(1), record_about(2)))
    assert s3.objects == objects


@pytest.mark.parametrize("detail", [None, [], "text", {}, {"event_id": "x:PENDING", "order": None}])
def test_invalid_event_from_the_dead_letter_queue_of_eventbridge_moves_to_the_failure_queue(
    record_analytics: LoadedFunction, sqs: FakeSqs, detail: Any
) -> None:
    assert record_analytics(undelivered({**event_about(), "detail": detail})) == {"batchItemFailures": []}
    (aside,) = sqs.sent
    assert aside["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "ValidationError"
    # The failure queue is a FIFO queue, so each message needs a group id and a deduplication id. The function must add
    # both ids, because the original message comes from a standard queue and has neither.
    assert (aside["MessageGroupId"], aside["MessageDeduplicationId"]) == ("m0", "m0")


def test_failed_event_from_the_dead_letter_queue_of_eventbridge_stays_in_that_queue(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    # Powertools raises an error if all messages of a batch failed.
    with pytest.raises(Exception, match="All records failed"):
        record_analytics(undelivered(event_about()))
    assert [call["QueueUrl"] for call in sqs.delayed] == ["https://queue/analytics-delivery"]


def test_message_moved_to_the_failure_queue_is_counted_for_the_alarm(
    record_analytics: LoadedFunction, counted: Callable[[], dict[str, int]]
) -> None:
    record_analytics(batch("not json"))
    assert counted() == {"MessageSetAside": 1}


def test_message_that_s3_refuses_is_retried(record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs) -> None:
    refuse_first(s3)
    answer = record_analytics(batch(record_about(1), record_about(2)))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0"]
    assert kept(s3) == [2]
    assert sqs.sent == []


@pytest.mark.parametrize(("received", "allowed_s"), [(1, range(1, 3)), (3, range(4, 9)), (20, range(150, 301))])
def test_failed_message_delays_its_message_group_longer_after_more_attempts(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs, received: int, allowed_s: range
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    record_analytics(batch(record_about(1), record_about(2), received=received))
    ((receipt, pause_s),) = sqs.pauses_s.items()
    assert receipt in ("r0", "r1")
    assert pause_s in allowed_s


def test_failed_message_without_permission_to_delay_it_is_still_retried(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    sqs.faults.refuse("change_message_visibility", "AccessDenied")
    assert len(record_analytics(batch(record_about(1), record_about(2)))["batchItemFailures"]) == 1


def test_objects_of_a_batch_are_written_in_parallel(
    record_analytics: LoadedFunction, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The barrier blocks the put_object calls until all ten have started. If they do not run in parallel, the barrier
    # times out and the test fails.
    together = threading.Barrier(10, timeout=5)
    put_object = s3.put_object

    def put(**arguments: Any) -> Any:
        together.wait()
        return put_object(**arguments)

    monkeypatch.setattr(s3, "put_object", put)
    assert record_analytics(batch(*map(record_about, range(10)))) == {"batchItemFailures": []}
    assert sorted(kept(s3)) == list(range(10))


def test_message_moves_to_the_failure_queue_after_its_last_attempt(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    assert record_analytics(batch(record_about(1), record_about(2), received=RECEIVED_AT_MOST)) == {
        "batchItemFailures": []
    }
    assert [sent["MessageAttributes"]["ERROR_CODE"]["StringValue"] for sent in sqs.sent] == ["SlowDown"]


def test_message_that_cannot_be_moved_to_the_failure_queue_is_retried(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    sqs.faults.refuse("send_message", "ServiceUnavailable")
    answer = record_analytics(batch("not json", record_about(2)))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0"]
    assert kept(s3) == [2]


def test_reason_of_a_failed_message_is_logged(
    record_analytics: LoadedFunction, s3: FakeS3, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    refuse_first(s3)
    record_analytics(batch(record_about(), record_about(2)))
    (failure,) = [record for record in logs() if record["level"] == "WARNING"]
    assert failure["correlation_id"] == ORDER_ID
    assert "SlowDown" in failure["exception"]


def test_log_line_about_a_moved_message_contains_no_order_id_of_another_message(
    record_analytics: LoadedFunction, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    record_analytics(batch(record_about(), "not json"))
    (failure,) = [record for record in logs() if record["level"] == "ERROR"]
    assert (failure["message_id"], failure["code"]) == ("m1", "ValidationError")
    assert failure.get("correlation_id") is None
