"""Tests of `make redrive` with queues in memory: each message returns to where it failed, and no message is lost."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, cast

import pytest

from operations import redrive as command
from operations.failed_messages import Redriver
from operations.failure_reasons import Reasons
from tests.operations.redrive_world import (
    ALIAS,
    EVENT,
    FAILER,
    FIFO,
    FIRST,
    MAIL_QUEUE,
    QUEUES,
    RELAY,
    SHARD,
    STREAM,
    World,
    envelope,
    stream_records,
    stream_report,
)

_WITHIN_S = 120
"""Time limit in seconds that ends a hanging test."""


def test_failed_event_is_sent_to_its_function_again(world: World) -> None:
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 0
    assert world.functions.invocations == [(ALIAS, "Event", EVENT)]
    assert not world.sqs.queues["process-order-failures"]


def test_dead_letter_without_an_envelope_is_sent_to_its_function(world: World) -> None:
    world.sqs.put("fail-order-dlq", EVENT, RequestID="r-2", ErrorMessage="mail: SES answered MessageRejected")
    assert world.redrive() == 0
    assert world.functions.invocations == [(FAILER, "Event", EVENT)]


def test_event_in_both_failure_queues_of_a_function_is_sent_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.sqs.put("process-order-dlq", EVENT, RequestID="r-1")
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 1
    assert not world.sqs.queues["process-order-dlq"]
    assert "process-order-dlq: o-1:PENDING" in capsys.readouterr().out


def test_event_in_failure_queues_of_two_functions_is_sent_to_both(world: World) -> None:
    world.sqs.put("fail-order-dlq", EVENT, RequestID="r-1")
    world.sqs.put("process-order-failures", envelope())
    world.redrive()
    assert [arn for arn, _, _ in world.functions.invocations] == [ALIAS, FAILER]


def test_interrupted_redrive_completes_only_the_message_in_progress(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for request_id in ("r-1", "r-2"):
        world.sqs.put("process-order-failures", envelope(request_id=request_id))
    (queue,) = [each for each in command.failure_queues(world.outputs) if each.name == "process-order-failures"]
    redriver = Redriver(sqs=world.sqs, functions=world.functions, streams=world.stream)
    run = command.Run(redriver, Reasons(logs=world.logs, groups={}), dry_run=False, started_s=time.time())
    invoked, interrupted, invoke = threading.Event(), threading.Event(), world.functions.invoke

    def slow(**arguments: Any) -> Any:
        invoked.set()
        interrupted.wait()
        return invoke(**arguments)

    monkeypatch.setattr(world.functions, "invoke", slow)
    threading.Thread(target=run.work_off, args=(queue,), daemon=True).start()
    invoked.wait()
    stopping = threading.Thread(target=run.stop)
    stopping.start()
    while not world.sqs.visible(queue.url):
        time.sleep(0.01)
    interrupted.set()
    stopping.join()

    assert len(world.functions.invocations) == 1
    assert [json.loads(body)["requestContext"]["requestId"] for body in world.sqs.visible(queue.url)] == ["r-2"]


def test_message_that_cannot_be_redriven_stays_visible(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("process-order-failures", envelope())
    world.functions.faults.refuse("invoke", "TooManyRequestsException")
    assert world.redrive() == 1
    assert len(world.sqs.visible("process-order-failures")) == 1
    assert "TooManyRequestsException" in capsys.readouterr().out


def test_undelivered_event_is_sent_to_its_function(world: World) -> None:
    world.sqs.put("process-order-delivery", EVENT, ERROR_CODE="NO_PERMISSIONS")
    assert world.redrive() == 0
    assert world.functions.invocations == [(ALIAS, "Event", EVENT)]


def test_undelivered_event_is_sent_to_the_analytics_queue_as_eventbridge_transforms_it(world: World) -> None:
    from components.events.analytics_queue import target_options  # noqa: PLC0415 - the import is slow, and only this test needs it

    number = world.sqs.put("analytics-delivery", EVENT, ERROR_CODE="NO_PERMISSIONS")
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    options = target_options(EVENT["detail"]["event_id"][0])
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
    # The deduplication id must be new. SQS drops a message if it received one with the same deduplication id in the
    # last five minutes.
    assert sent["MessageDeduplicationId"] == number


def test_failed_email_is_sent_to_its_queue_again(world: World) -> None:
    world.sqs.put("send-email-failures", EVENT, ERROR_CODE="MailRefused")
    assert world.redrive() == 0
    assert world.functions.invocations == []
    (sent,) = world.sqs.faults.of("send_message")
    assert (sent["QueueUrl"], json.loads(sent["MessageBody"])) == (MAIL_QUEUE, EVENT)
    # This queue is not a FIFO queue, so the redrive sends neither a message group id nor a deduplication id.
    assert set(sent) == {"QueueUrl", "MessageBody"}


def test_failed_send_email_invocation_of_release_0_1_0_is_sent_to_its_queue(world: World) -> None:
    world.sqs.put("send-email-failures", envelope())
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    assert (sent["QueueUrl"], json.loads(sent["MessageBody"])) == (MAIL_QUEUE, EVENT)


def test_failed_analytics_message_is_sent_to_its_fifo_queue_unchanged(world: World) -> None:
    body = {"event_id": "o-1:PENDING", "detail_type": "OrderCreated", "order": {"order_id": "o-1"}}
    world.sqs.put("analytics-dlq", body)
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    assert (sent["QueueUrl"], json.loads(sent["MessageBody"])) == (FIFO, body)
    assert not world.sqs.queues["analytics-dlq"]


def test_redrive_sends_exactly_the_failed_stream_records(world: World) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 0
    ((arn, kind, event),) = world.functions.invocations
    assert (arn, kind) == (RELAY, "RequestResponse")
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]]
    assert numbers == [FIRST, FIRST + 1, FIRST + 2]
    assert {record["eventSourceARN"] for record in event["Records"]} == {STREAM}
    (asked,) = world.stream.faults.of("get_shard_iterator")
    assert (asked["ShardId"], asked["SequenceNumber"]) == (SHARD, str(FIRST))


def test_records_after_an_empty_stream_page_are_sent(world: World) -> None:
    world.stream.pages = [stream_records(0), [], stream_records(1, 2)]
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 0
    assert len(world.functions.invocations[0][2]["Records"]) == 3


@pytest.mark.parametrize("closed", [True, False])
def test_no_records_are_sent_if_the_stream_returns_only_some(world: World, *, closed: bool) -> None:
    world.stream.pages, world.stream.closed = [stream_records(0, 1)], closed
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 1
    assert not world.functions.invocations
    assert world.sqs.visible("publish-order-events-stream")


def test_report_of_expired_stream_records_stays_in_the_queue(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    world.stream.faults.refuse("get_shard_iterator", "TrimmedDataAccessException")
    assert world.redrive() == 1
    assert world.sqs.visible("publish-order-events-stream")
    assert "archive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"batchItemFailures": [{"itemIdentifier": str(FIRST + 1)}]}, ""), ({"errorType": "KeyError"}, "Unhandled")],
)
def test_report_of_records_that_fail_again_stays_in_the_queue(world: World, answer: Any, error: str) -> None:
    world.functions.answer, world.functions.error = answer, error
    world.sqs.put("publish-order-events-stream", stream_report())
    assert world.redrive() == 1
    assert len(world.functions.invocations) == 1
    assert world.sqs.visible("publish-order-events-stream")


def test_invalid_stream_record_in_the_queue_is_sent_without_reading_the_stream(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message contains the record, so a redrive works even if the stream has deleted the record after 24 hours."""
    event = {"Records": stream_records(0)}
    world.sqs.put("publish-order-events-stream", event, ERROR_CODE="KeyError", ERROR_MESSAGE="'items'")
    assert world.redrive() == 0
    assert world.functions.invocations == [(RELAY, "RequestResponse", event)]
    assert not world.stream.faults.calls
    assert f"stream record {FIRST} (KeyError: 'items'): sent back 1 stream record(s)" in capsys.readouterr().out


def test_record_too_long_for_the_queue_is_reported_with_a_remedy(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {"order_id": {"S": "o-1"}}
    world.sqs.put("publish-order-events-stream", {"tooLongFor": "SQS", "keys": keys}, ERROR_CODE="KeyError")
    assert world.redrive() == 1
    assert not world.functions.invocations
    assert f"correct or delete the row {json.dumps(keys)} of the orders table" in capsys.readouterr().out


DEEP = "[" * 100_000
ODD = {"requestContext": "x", "responsePayload": [1], "DDBStreamBatchInfo": {"startSequenceNumber": "one"}}


@pytest.mark.parametrize("body", ["not JSON", "[]", "{}", DEEP])
@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_unreadable_message_stays_in_the_queue(world: World, queue: str, body: str) -> None:
    world.sqs.put(queue, body)
    assert world.redrive() == 1
    assert world.sqs.visible(queue) == [body]
    assert not world.functions.invocations
    assert not world.sqs.faults.of("send_message")


@pytest.mark.parametrize("queue", sorted(QUEUES))
@pytest.mark.parametrize("dry_run", [True, False])
def test_malformed_messages_do_not_block_other_messages(world: World, queue: str, *, dry_run: bool) -> None:
    for body in (ODD, {"detail": "x"}, {"requestPayload": 7}, {"detail": {"event_id": ["o-1"]}}):
        world.sqs.put(queue, body)
    world.sqs.put("process-order-failures", envelope())
    world.redrive(dry_run=dry_run)
    assert (ALIAS, "Event", EVENT) in world.functions.invocations or dry_run


def test_malformed_undelivered_event_is_sent_to_the_analytics_queue(world: World) -> None:
    world.sqs.put("analytics-delivery", {"detail-type": "OrderCreated", "detail": {"order": "two teapots"}})
    assert world.redrive() == 0
    (sent,) = world.sqs.faults.of("send_message")
    body = {"event_id": None, "detail_type": "OrderCreated", "order": "two teapots"}
    assert json.loads(sent["MessageBody"]) == body


def test_unreadable_message_does_not_block_its_queue(world: World) -> None:
    world.sqs.put("process-order-failures", "not JSON")
    world.sqs.put("process-order-failures", envelope())
    assert world.redrive() == 1
    assert len(world.functions.invocations) == 1


def test_dry_run_prints_its_plan_and_changes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert "process-order-dlq: o-1:PENDING (no reason given): would be dropped as a copy" in said


def test_dry_run_counts_hidden_messages_of_a_fifo_queue(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        world.sqs.put("analytics-dlq", {"event_id": f"o-{number}:PENDING"})
    world.redrive(dry_run=True)
    said = capsys.readouterr().out
    assert "analytics-dlq: about 15 more messages would be sent back" in said
    assert "25 message(s) would be sent back" in said
    assert len(world.sqs.visible("analytics-dlq")) == 25


def test_unreadable_message_does_not_block_a_fifo_queue(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("analytics-dlq", "not JSON")
    for number in range(24):
        world.sqs.put("analytics-dlq", {"event_id": f"o-{number}:PENDING"})
    assert world.redrive() == 1
    assert len(world.sqs.faults.of("send_message")) == 24
    assert world.sqs.visible("analytics-dlq") == ["not JSON"]
    assert capsys.readouterr().out.count("stays: ") == 1


def test_redrive_receives_from_all_queues_concurrently(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On AWS, receiving from an empty queue takes 1 s. One after the other, the calls for 16 queues would take 16 s."""
    together = len(QUEUES) - len([kind for kind, _ in QUEUES.values() if kind == "dead-letter"])
    everybody = threading.Barrier(together, timeout=_WITHIN_S)
    received = world.sqs.receive_message

    def receive(**arguments: Any) -> dict[str, Any]:
        if QUEUES[arguments["QueueUrl"]][0] != "dead-letter":
            everybody.wait()
        return received(**arguments)

    monkeypatch.setattr(world.sqs, "receive_message", receive)
    assert world.redrive() == 0


def test_redrive_sends_more_messages_than_one_receive_returns(world: World) -> None:
    for number in range(25):
        world.sqs.put("process-order-failures", envelope(request_id=f"r-{number}"))
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 25


def test_message_that_arrives_during_the_redrive_stays(world: World) -> None:
    world.sqs.put("process-order-delivery", EVENT)
    world.sqs.put("process-order-failures", envelope(), sent_at_s=time.time() + 60)
    assert world.redrive() == 0
    assert len(world.functions.invocations) == 1
    assert len(world.sqs.visible("process-order-failures")) == 1


def test_redrive_on_aws_uses_the_credentials_of_the_caller(world: World) -> None:
    world.redrive()
    assert {service for service, _ in world.clients} == {"sqs", "lambda", "dynamodbstreams", "logs"}
    for _, keywords in world.clients:
        assert keywords["region_name"] == "ap-northeast-1"
        assert not {"endpoint_url", "aws_access_key_id"} & set(keywords)
