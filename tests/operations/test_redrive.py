"""`make redrive` against queues in memory: each kind of message goes back to where it failed, and nothing is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import pytest

from operations import redrive as command
from operations import stack_outputs
from tests.operations.redrive_fakes import FakeLambda, FakeSqs, FakeStream

ALIAS = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-process-order:live"
MAILER = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-send-email:live"
RELAY = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-publish-order-events:live"
FIFO = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/orders-dev-analytics.fifo"
STREAM = "arn:aws:dynamodb:ap-northeast-1:123456789012:table/orders-dev-orders/stream/2026-01-01T00:00:00.000"
SHARD = "shardId-00000001700000000000-a1b2c3d4"
FIRST = 100_000_000_000_000_000_101
"""Sequence number; DynamoDB's have 21 digits and more."""
QUEUES = {
    "process-order-dlq": ("dead-letter", ALIAS),
    "process-order-failures": ("invocation", ALIAS),
    "send-email-dlq": ("dead-letter", MAILER),
    "publish-order-events-stream": ("stream", RELAY),
    "analytics-dlq": ("queue", FIFO),
    "analytics-delivery": ("delivery", FIFO),
    "process-order-delivery": ("delivery", ALIAS),
}
EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "source": "orders.api",
    "detail-type": "OrderCreated",
    "detail": {"event_id": "o-1:PENDING", "order": {"order_id": "o-1", "status": "PENDING"}},
}


def envelope(event: Any = EVENT, *, request_id: str = "r-1") -> dict[str, Any]:
    """What Lambda sends to the destination of failures."""
    return {
        "version": "1.0",
        "requestContext": {"requestId": request_id, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "OrderNotFound", "errorMessage": "order o-1: there is none"},
    }


def stream_report() -> dict[str, Any]:
    """What Lambda sends to the destination of a stream's failures: not the three records, only where they are."""
    return {
        "requestContext": {"requestId": "r-9", "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": str(FIRST),
            "endSequenceNumber": str(FIRST + 2),
            "batchSize": 3,
            "streamArn": STREAM,
        },
    }


def stream_records(*positions: int) -> list[dict[str, Any]]:
    numbers = [FIRST + position for position in positions]
    return [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number)}} for number in numbers]


@dataclass
class World:
    """A stack's queues and what they lead to."""

    sqs: FakeSqs = field(default_factory=FakeSqs)
    functions: FakeLambda = field(default_factory=FakeLambda)
    stream: FakeStream = field(default_factory=lambda: FakeStream([stream_records(0, 1, 2, 3)]))
    clients: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    @property
    def outputs(self) -> dict[str, Any]:
        queues = {name: {"url": name, "kind": kind, "redriveTo": to} for name, (kind, to) in QUEUES.items()}
        return {"frontend": {"region": "ap-northeast-1"}, "ops": {"failureQueues": queues}}

    def client(self, service: str, **keywords: Any) -> Any:
        self.clients.append((service, keywords))
        return {"sqs": self.sqs, "lambda": self.functions, "dynamodbstreams": self.stream}[service]

    def redrive(self, *, dry_run: bool = False) -> int:
        return command.redrive(self.outputs, dry_run=dry_run)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(boto3, "client", made.client)
    return made


def test_an_event_that_a_function_failed_on_is_given_to_it_again(world: World) -> None:
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 0
    assert world.functions.invocations == [(ALIAS, "Event", EVENT)]
    assert not world.sqs.queues["process-order-failures"]


def test_a_dead_letter_without_its_envelope_is_given_to_its_function(world: World) -> None:
    world.sqs.put("send-email-dlq", EVENT, RequestID="r-2", ErrorMessage="mail: SES answered MessageRejected")
    assert world.redrive() == 0
    assert world.functions.invocations == [(MAILER, "Event", EVENT)]


def test_the_copy_of_an_envelope_that_was_sent_back_is_dropped(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.sqs.put("process-order-dlq", EVENT, RequestID="r-1")
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 1
    assert not world.sqs.queues["process-order-dlq"]
    assert "process-order-dlq: o-1:PENDING" in capsys.readouterr().out


def test_the_same_event_of_another_function_is_no_copy(world: World) -> None:
    world.sqs.put("send-email-dlq", EVENT, RequestID="r-1")
    world.sqs.put("process-order-failures", envelope())
    world.redrive()
    assert [arn for arn, _, _ in world.functions.invocations] == [ALIAS, MAILER]


def test_what_cannot_be_sent_back_stays_and_is_visible_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("process-order-failures", envelope())
    world.functions.faults.refuse("invoke", "TooManyRequestsException")
    assert world.redrive() == 1
    assert len(world.sqs.visible("process-order-failures")) == 1
    assert "TooManyRequestsException" in capsys.readouterr().out


def test_an_event_that_could_not_be_delivered_to_a_function_is_given_to_it(world: World) -> None:
    world.sqs.put("process-order-delivery", EVENT, ERROR_CODE="NO_PERMISSIONS")
    assert world.redrive() == 0
    assert world.functions.invocations == [(ALIAS, "Event", EVENT)]


def test_an_event_that_could_not_be_delivered_to_the_queue_is_sent_as_its_target_would(world: World) -> None:
    from components.analytics_queue import target_options  # noqa: PLC0415 - slow to import, and for this test alone

    number = world.sqs.put("analytics-delivery", EVENT, ERROR_CODE="NO_PERMISSIONS")
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    options = target_options()
    paths = cast("dict[str, str]", options["input_transformer"]["input_paths"])
    body = options["input_transformer"]["input_template"]
    for name, path in paths.items():
        value: Any = EVENT
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        body = body.replace(f"<{name}>", json.dumps(value))
    assert json.loads(sent["MessageBody"]) == json.loads(body)
    assert sent["QueueUrl"] == FIFO
    assert sent["MessageGroupId"] == options["sqs_target"]["message_group_id"]
    # The queue knows the body from five minutes ago; it must not take this for a duplicate of the lost one.
    assert sent["MessageDeduplicationId"] == number


def test_a_message_of_the_fifo_queue_goes_back_as_it_was(world: World) -> None:
    body = {"event_id": "o-1:PENDING", "detail_type": "OrderCreated", "order": {"order_id": "o-1"}}
    world.sqs.put("analytics-dlq", body)
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    assert (sent["QueueUrl"], json.loads(sent["MessageBody"])) == (FIFO, body)
    assert not world.sqs.queues["analytics-dlq"]


def test_records_of_the_stream_are_read_again_and_no_others(world: World) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 0
    ((arn, kind, event),) = world.functions.invocations
    assert (arn, kind) == (RELAY, "RequestResponse")
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]]
    assert numbers == [FIRST, FIRST + 1, FIRST + 2]
    assert {record["eventSourceARN"] for record in event["Records"]} == {STREAM}
    (asked,) = world.stream.faults.of("get_shard_iterator")
    assert (asked["ShardId"], asked["SequenceNumber"]) == (SHARD, str(FIRST))


def test_records_behind_an_empty_page_of_the_stream_are_read_too(world: World) -> None:
    world.stream.pages = [stream_records(0), [], stream_records(1, 2)]
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 0
    assert len(world.functions.invocations[0][2]["Records"]) == 3


@pytest.mark.parametrize("closed", [True, False])
def test_records_that_are_not_all_found_are_not_replayed_in_part(world: World, *, closed: bool) -> None:
    world.stream.pages, world.stream.closed = [stream_records(0, 1)], closed
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 1
    assert not world.functions.invocations
    assert world.sqs.visible("publish-order-events-stream")


def test_records_that_the_stream_no_longer_has_stay_reported(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    world.stream.faults.refuse("get_shard_iterator", "TrimmedDataAccessException")
    assert world.redrive() == 1
    assert world.sqs.visible("publish-order-events-stream")
    assert "archive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"batchItemFailures": [{"itemIdentifier": str(FIRST + 1)}]}, ""), ({"errorType": "KeyError"}, "Unhandled")],
)
def test_records_that_fail_again_stay_reported(world: World, answer: Any, error: str) -> None:
    world.functions.answer, world.functions.error = answer, error
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 1
    assert len(world.functions.invocations) == 1
    assert world.sqs.visible("publish-order-events-stream")


@pytest.mark.parametrize("body", ["not JSON", "[]", "{}"])
@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_a_message_that_cannot_be_read_stays(world: World, queue: str, body: str) -> None:
    world.sqs.put(queue, body)
    assert world.redrive() == 1
    assert world.sqs.visible(queue) == [body]
    assert not world.functions.invocations
    assert not world.sqs.faults.of("send_message")


def test_one_that_cannot_be_sent_back_does_not_hold_up_the_others(world: World) -> None:
    world.sqs.put("process-order-failures", "not JSON")
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 1
    assert len(world.functions.invocations) == 1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("process-order-dlq", EVENT, RequestID="r-1")
    world.sqs.put("process-order-failures", envelope())
    world.sqs.put("publish-order-events-stream", stream_report())
    world.sqs.put("analytics-delivery", EVENT)
    assert world.redrive(dry_run=True) == 0
    assert not world.functions.invocations
    assert not [name for name, _ in world.sqs.faults.calls if name in ("send_message", "delete_message")]
    for queue in ("process-order-dlq", "process-order-failures", "publish-order-events-stream", "analytics-delivery"):
        assert len(world.sqs.visible(queue)) == 1
    said = capsys.readouterr().out
    assert "process-order-failures: o-1:PENDING (OrderNotFound: order o-1: there is none): would be sent back" in said
    assert "process-order-dlq: o-1:PENDING (received too often): would be dropped, a copy" in said


def test_more_messages_than_one_call_gives_are_all_sent_back(world: World) -> None:
    for number in range(25):
        world.sqs.put("process-order-failures", envelope(request_id=f"r-{number}"))
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 25


def test_what_fails_again_meanwhile_is_left_for_the_next_time(world: World) -> None:
    world.sqs.put("process-order-delivery", EVENT)
    world.sqs.put("process-order-failures", envelope(), sent_at_s=time.time() + 60)
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 1
    assert len(world.sqs.visible("process-order-failures")) == 1


def test_on_aws_the_caller_s_own_credentials_are_used(world: World) -> None:
    world.redrive()
    assert {service for service, _ in world.clients} == {"sqs", "lambda", "dynamodbstreams"}
    for _, keywords in world.clients:
        assert keywords["region_name"] == "ap-northeast-1"
        assert not {"endpoint_url", "aws_access_key_id"} & set(keywords)


Run = Callable[..., int]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    def read(_stack: str, *, port: int) -> dict[str, Any]:
        return {**world.outputs, "local": {"endpointUrl": f"http://127.0.0.1:{port}"}}

    def run_command(*arguments: str) -> int:
        monkeypatch.setattr(stack_outputs, "read", read)
        return command.main(list(arguments))

    return run_command


def test_the_command_ends_with_0_when_nothing_stays(run: Run) -> None:
    assert run("local") == 0


def test_the_command_ends_with_1_when_something_stays(run: Run, world: World) -> None:
    world.sqs.put("process-order-failures", "not JSON")
    assert run("local") == 1


def test_the_command_sends_nothing_back_with_dry_run(run: Run, world: World) -> None:
    world.sqs.put("process-order-failures", envelope())
    assert run("local", "--dry-run") == 0
    assert not world.functions.invocations


def test_the_command_speaks_to_the_emulator_of_its_port(run: Run, world: World) -> None:
    run("local", "--port", "4577")
    assert {keywords["endpoint_url"] for _, keywords in world.clients} == {"http://127.0.0.1:4577"}


def test_the_command_ends_with_2_and_the_remedy_when_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    assert command.main(["local", "--port", "4577"]) == 2
    assert "make up PORT=4577" in capsys.readouterr().err


def test_the_command_ends_with_2_and_the_remedy_without_the_pulumi_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert command.main(["dev"]) == 2
    assert "Pulumi CLI" in capsys.readouterr().err
