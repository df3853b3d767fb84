"""record_analytics: each event is kept once, and what cannot be kept holds up none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.orders import new_order
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeS3, FakeSqs
from tests.functions.conftest import Load

ORDER_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def record_analytics(load: Load) -> LoadedFunction:
    return load("record_analytics")


def fact_about(number: int = 1) -> dict[str, Any]:
    order_id = f"00000000-0000-4000-8000-{number:012d}"
    about = new_order(order_id, USER, [{"product_id": "tea", "quantity": 2}], datetime(2026, 1, 2, 23, 59, tzinfo=UTC))
    return {"event_id": f"{order_id}:PENDING", "detail_type": "OrderCreated", "order": about}


def batch(*facts: Any, received: int = 1) -> dict[str, Any]:
    """Messages m0, m1, … of one group."""
    attributes = {"MessageGroupId": "orders", "ApproximateReceiveCount": str(received)}
    return {
        "Records": [
            {
                "messageId": f"m{position}",
                "eventSource": "aws:sqs",
                "attributes": attributes,
                "body": fact if isinstance(fact, str) else json.dumps(fact),
            }
            for position, fact in enumerate(facts)
        ]
    }


def kept(s3: FakeS3) -> list[int]:
    """Numbers of the orders whose events are kept."""
    return [int(key.rpartition("-")[2].partition("_")[0]) for _, key in s3.objects]


def test_an_event_is_an_object_under_its_day(record_analytics: LoadedFunction, s3: FakeS3) -> None:
    fact = fact_about()
    assert record_analytics(batch(fact)) == {"batchItemFailures": []}
    key = f"orders/dt=2026-01-02/{ORDER_ID}_PENDING.json"
    assert json.loads(s3.objects["analytics", key]) == fact
    assert len(s3.objects) == 1


def test_an_event_that_comes_twice_is_one_object_and_counted_once(
    record_analytics: LoadedFunction, s3: FakeS3, counted: Callable[[], dict[str, int]]
) -> None:
    record_analytics(batch(fact_about()))
    assert record_analytics(batch(fact_about())) == {"batchItemFailures": []}
    assert len(s3.objects) == 1
    assert counted() == {"OrderAnalysed": 1}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("not json", "body: got no JSON"),
        ('{"event_id": "\\ud800"}', "body: got no JSON"),
        ("[" * 100_000, "body: got no JSON"),
        ("[]", "body.detail_type: got none that is known"),
        ('{"detail_type": "OrderShipped"}', "body.detail_type: got none that is known"),
        ('{"detail_type": ["OrderCreated"]}', "body.detail_type: got none that is known"),
        ('{"detail_type": "OrderCreated"}', "detail: lacks properties; required: event_id, order"),
        ({"event_id": "../../x:PENDING"}, "detail.event_id: got 15 characters"),
        ({"more": 1}, "detail: got unknown properties"),
        ({"detail_type": "OrderConfirmed"}, "detail.event_id: got 44 characters"),
    ],
)
def test_what_is_no_event_is_set_aside_with_its_reason_and_holds_up_none(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs, body: Any, says: str
) -> None:
    poison = body if isinstance(body, str) else {**fact_about(), **body}
    event = batch(fact_about(1), poison, fact_about(3))
    assert record_analytics(event) == {"batchItemFailures": []}
    assert kept(s3) == [1, 3]
    (aside,) = sqs.sent
    assert (aside["QueueUrl"], aside["MessageBody"]) == ("https://queue/failures", event["Records"][1]["body"])
    assert (aside["MessageGroupId"], aside["MessageDeduplicationId"]) == ("m1", "m1")
    reason = {name: value["StringValue"] for name, value in aside["MessageAttributes"].items()}
    assert reason["ERROR_CODE"] == "ValidationError"
    assert says in reason["ERROR_MESSAGE"]


def test_a_message_that_s3_refuses_comes_again_and_holds_up_none(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    answer = record_analytics(batch(fact_about(1), fact_about(2)))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0"]
    assert kept(s3) == [2]
    assert sqs.sent == []


def test_a_message_that_s3_refuses_the_last_time_is_set_aside_with_the_reason(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    s3.faults.refuse("put_object", "SlowDown")
    assert record_analytics(batch(fact_about(1), fact_about(2), received=5)) == {"batchItemFailures": []}
    assert [sent["MessageAttributes"]["ERROR_CODE"]["StringValue"] for sent in sqs.sent] == ["SlowDown"]


def test_a_message_that_cannot_be_set_aside_comes_again(
    record_analytics: LoadedFunction, s3: FakeS3, sqs: FakeSqs
) -> None:
    sqs.faults.refuse("send_message", "ServiceUnavailable")
    answer = record_analytics(batch("not json", fact_about(2)))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0"]
    assert kept(s3) == [2]


def test_why_a_message_failed_is_in_the_log(
    record_analytics: LoadedFunction, s3: FakeS3, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    s3.faults.refuse("put_object", "AccessDenied")
    record_analytics(batch(fact_about(), fact_about(2)))
    (failure,) = [record for record in logs() if record["level"] == "WARNING"]
    assert failure["correlation_id"] == ORDER_ID
    assert "AccessDenied" in failure["exception"]


def test_the_log_of_a_message_that_was_set_aside_names_it_and_no_other_order(
    record_analytics: LoadedFunction, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    record_analytics(batch(fact_about(), "not json"))
    (failure,) = [record for record in logs() if record["level"] == "ERROR"]
    assert (failure["message_id"], failure["code"]) == ("m1", "ValidationError")
    assert failure.get("correlation_id") is None
