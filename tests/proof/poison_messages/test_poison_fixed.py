"""Messages that failed because a function was broken are processed exactly once after the fix and a redrive.

The tests named test_attack_detects_... introduce a defect on purpose, and the attack must find it: the event source
mapping of the stream doesn't split failed batches, `record_analytics` uses Powertools' batch processor for FIFO queues,
or the event source mapping of the queue doesn't accept partial batch responses.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.journeys.breakages import closed_bucket, queue_attributes, received_at_most, without_permission
from tests.journeys.patience import Watcher
from tests.journeys.people import Person
from tests.journeys.stack import Stack
from tests.proof.plugin import Proof
from tests.proof.poison_messages.failures import ANALYTICS, STREAM, FailureQueues, are_mailed_once, attribute, send
from tests.proof.poison_messages.poison import detail, fact, order
from tests.proof.repeated_events.broken import broken
from tests.proof.repeated_events.delivery import held

pytestmark = [pytest.mark.attack("poison-messages"), pytest.mark.emulator, pytest.mark.full]
RELAY, RECORDER = "publish_order_events", "record_analytics"
OF_THE_SWEEP = {"mark-late-orders-stream"}
"""Failure queue that these tests leave empty, because Lambda retries the batches of `mark_late_orders` for 24 h."""
RETURNING = {"analytics-delivery", "send-email-delivery"}
"""Failure queues that these tests leave empty, because `record_analytics` and `send_email` read them themselves."""
RECEIVED = 3
"""Number of deliveries after which a message goes to a failure queue in these tests, instead of after six hours."""
REFUSES = """
    import json
    if {text!r} in json.dumps(event):
        raise RuntimeError("broken by a test")
    return as_it_was.lambda_handler(event, context)
"""
DIES = REFUSES.replace('raise RuntimeError("broken by a test")', "import os\n        os._exit(1)")
CANNOT_WRITE = """
    write = as_it_was._write
    def refuse(record):
        if {text!r} in record["event_id"]:
            raise RuntimeError("broken by a test")
        return write(record)
    as_it_was._write = refuse
    try:
        return as_it_was.lambda_handler(event, context)
    finally:
        as_it_was._write = write
"""
CANNOT_MAIL = """
    mail = as_it_was._mail
    def refuse(detail, context):
        if {text!r} in detail["event_id"]:
            raise RuntimeError("broken by a test")
        mail(detail, context)
    as_it_was._mail = refuse
    try:
        return as_it_was.lambda_handler(event, context)
    finally:
        as_it_was._mail = mail
"""
IN_SEQUENCE = """
    from contextlib import nullcontext
    from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
    as_it_was.processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    as_it_was.queue.handling = nullcontext
    return as_it_was.lambda_handler(event, context)
"""


@pytest.fixture
def queues(stack: Stack, watcher: Watcher, capsys: pytest.CaptureFixture[str]) -> Iterator[FailureQueues]:
    found = FailureQueues(stack, watcher, capsys)
    with received_at_most(stack, RECORDER, RECEIVED), received_at_most(stack, "send_email", RECEIVED):
        yield found
        found.empty()


def crash(queues: FailureQueues, product: str, customer: Person, **mapping: Any) -> tuple[list[str], list[str]]:
    """Let the outbox relay receive the stream records of five new orders in one batch, and fail for the third record.

    Repair the relay after Lambda has retried this record. `mapping` contains changed settings of the relay's event
    source mapping. Return the ids of all five orders, and the statuses of the first two orders just before the repair.
    """
    stack, watcher = queues.stack, queues.watcher
    with ExitStack() as until_then:
        with held(stack, RELAY) as uuid_of_mapping:
            stack.aws("lambda", "update_event_source_mapping", UUID=uuid_of_mapping, **mapping)
            ids = [customer.order({product: 1})["order_id"] for _ in range(5)]
            until_then.enter_context(broken(stack, RELAY, REFUSES.format(text=ids[2])))
            failures = len(failed_attempts(stack))
        # Wait for six failed attempts. In the first attempts, Lambda splits the batch of five records until a batch
        # contains only the failing record. Afterwards, it retries this record.
        watcher.until(lambda: len(failed_attempts(stack)) >= failures + 6, "Lambda has retried the record")
        if mapping.get("BisectBatchOnFunctionError", True):
            for order_id in ids[:2]:
                watcher.decided(customer, order_id)
        return ids, [customer.read(order_id)["status"] for order_id in ids[:2]]


def failed_attempts(stack: Stack) -> list[str]:
    """Return the log lines of the relay about attempts that failed because the test had broken the relay."""
    return [line for line in stack.log(RELAY) if "RuntimeError: broken by a test" in line]


def test_outbox_relay_publishes_the_failed_record_after_the_fix_without_a_redrive(
    queues: FailureQueues, admin: Person, customer: Person, watcher: Watcher, proof: Proof
) -> None:
    """The broken relay still publishes the records before the failed record. Later records wait in the stream."""
    ids, _ = crash(queues, admin.put(50), customer)
    for order_id in ids:
        assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
        watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert not queues.messages(STREAM)
    proof.tried(broken_functions=1, neighbours=len(ids) - 1)
    proof.found(neighbours_passed=len(ids) - 1, redriven=0)


def test_attack_detects_a_stream_mapping_that_does_not_split_failed_batches(
    queues: FailureQueues, admin: Person, customer: Person, watcher: Watcher
) -> None:
    try:
        ids, before = crash(queues, admin.put(50), customer, BisectBatchOnFunctionError=False)
    finally:
        with held(queues.stack, RELAY) as mapping:
            queues.stack.aws("lambda", "update_event_source_mapping", UUID=mapping, BisectBatchOnFunctionError=True)
    assert before == ["PENDING", "PENDING"], "orders were decided although Lambda did not split the batch"
    for order_id in ids:
        assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"


@pytest.mark.parametrize(("source", "body"), [("process_order", REFUSES), ("send_email", CANNOT_MAIL)])
def test_event_consumer_processes_a_redriven_event_once_after_the_fix(  # noqa: PLR0917 - the arguments are fixtures
    queues: FailureQueues, admin: Person, customer: Person, proof: Proof, source: str, body: str
) -> None:
    stack, watcher, product, name = queues.stack, queues.watcher, admin.put(50), source.replace("_", "-")
    with ExitStack() as until_then:
        with held(stack, RELAY):
            ids = [customer.order({product: 1})["order_id"] for _ in range(3)]
            until_then.enter_context(broken(stack, source, body.format(text=ids[1])))
        failed = queues.waiting(f"{name}-failures", 1, [ids[1]])
        neighbours = [order_id for order_id in ids if order_id != ids[1]]
        for order_id in neighbours:
            assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
        if source == "send_email":
            failed = queues.waiting(f"{name}-failures", 2, [ids[1]])
        # process_order is the only function with a dead-letter queue. Lambda sends a copy of each failed event to this
        # queue.
        copies = [f"{name}-dlq"] if source == "process_order" else []
        for queue in copies:
            queues.waiting(queue, len(failed), [ids[1]])
    said = queues.redrive(f"{name}-failures", *copies, dry_run=True)
    assert said.count("(RuntimeError: broken by a test): would be sent back") == len(failed)
    assert said.count("would be dropped as a copy") == len(copies) * len(failed)
    queues.redrive(f"{name}-failures", *copies)
    assert watcher.decided(customer, ids[1])["status"] == "CONFIRMED"
    watcher.until(lambda: are_mailed_once(stack, customer.email, ids), "each email was sent once")
    assert stack.stock(product) == 50 - len(ids)
    proof.tried(broken_functions=1, neighbours=len(neighbours))
    proof.found(neighbours_passed=len(neighbours), redriven=len(failed))


def recorded(stack: Stack, abouts: list[dict[str, Any]]) -> list[bool]:
    """Return a list that says for each event whether its analytics record exists."""
    return [bool(stack.analytics(about["order"]["order_id"])) for about in abouts]


@pytest.mark.parametrize("body", [CANNOT_WRITE, DIES], ids=["raises", "dies"])
def test_record_analytics_records_a_redriven_message_after_the_fix(
    queues: FailureQueues, watcher: Watcher, proof: Proof, body: str
) -> None:
    """If `record_analytics` raises an error for a message, this message waits in the failure queue with the error.

    If the function dies, its whole batch waits in the failure queue, and the messages contain no error. After the fix
    and a redrive, all messages are recorded.
    """
    stack, abouts, dies = queues.stack, [detail(order()) for _ in range(5)], body is DIES
    url = stack.ops["failureQueues"][ANALYTICS]["redriveTo"]
    with queue_attributes(stack, url, VisibilityTimeout="1"), ExitStack() as until_then:
        with held(stack, RECORDER):
            send(stack, [fact("OrderCreated", about) for about in abouts])
            until_then.enter_context(broken(stack, RECORDER, body.format(text=abouts[2]["event_id"])))
        waiting = queues.waiting(ANALYTICS, 5 if dies else 1)
        wanted = [not dies] * 5
        wanted[2] = False
        watcher.until(lambda: recorded(stack, abouts) == wanted, "the other messages are recorded")
    assert {attribute(each, "ERROR_CODE") for each in waiting} == {"" if dies else "RuntimeError"}
    said = queues.redrive(ANALYTICS, dry_run=True)
    without_response = "received too often: the function that consumes the queue ended without a response"
    reason = without_response if dies else "RuntimeError: broken by a test"
    assert said.count(f"({reason}") == len(waiting)
    queues.redrive(ANALYTICS)
    watcher.until(lambda: recorded(stack, abouts) == [True] * 5, "all events are recorded")
    proof.tried(broken_functions=1, neighbours=len(wanted) - 1)
    proof.found(neighbours_passed=sum(wanted), redriven=len(waiting))


def refused_by_s3(queues: FailureQueues, watcher: Watcher) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Send four events in one batch, let S3 reject the second, and wait until the queue is empty.

    Return the events and the failed messages.
    """
    stack = queues.stack
    abouts = [detail(order()) for _ in range(4)]
    abouts[1]["order"]["updated_at"] = "2001-01-01T00:00:00.000Z"
    url = stack.ops["failureQueues"][ANALYTICS]["redriveTo"]
    with closed_bucket(stack, "orders/dt=2001-01-01/*"), queue_attributes(stack, url, VisibilityTimeout="1"):
        with held(stack, RECORDER):
            send(stack, [fact("OrderCreated", about) for about in abouts])
        watcher.until(lambda: not stack.queued(url), "the queue is empty")
    return abouts, queues.messages(ANALYTICS)


def test_event_that_s3_rejects_reaches_the_failure_queue_with_its_error(
    queues: FailureQueues, watcher: Watcher, proof: Proof
) -> None:
    abouts, waiting = refused_by_s3(queues, watcher)
    assert recorded(queues.stack, abouts) == [True, False, True, True]
    assert [attribute(each, "ERROR_CODE") for each in waiting] == ["AccessDenied"]
    assert "(AccessDenied: " in queues.redrive(ANALYTICS, dry_run=True)
    queues.redrive(ANALYTICS)
    watcher.until(lambda: recorded(queues.stack, abouts) == [True] * 4, "all events are recorded")
    proof.tried(poison_messages=len(waiting), neighbours=len(abouts) - len(waiting))
    proof.found(neighbours_passed=len(abouts) - len(waiting), redriven=len(waiting))


def test_attack_detects_that_record_analytics_fails_all_messages_after_a_failed_one(
    queues: FailureQueues, watcher: Watcher
) -> None:
    """Powertools' batch processor for FIFO queues also reports the messages after a failed message as failed.

    These messages reach the failure queue, although they are recorded.
    """
    with broken(queues.stack, RECORDER, IN_SEQUENCE):
        abouts, waiting = refused_by_s3(queues, watcher)
    assert recorded(queues.stack, abouts) == [True, False, True, True]
    assert [attribute(each, "ERROR_CODE") for each in waiting] == ["", "", ""]


def test_attack_detects_a_queue_mapping_without_partial_batch_responses(
    queues: FailureQueues, watcher: Watcher, stack: Stack
) -> None:
    """Without partial batch responses, Lambda deletes the whole batch. The event that S3 rejected is lost."""
    with held(stack, RECORDER) as mapping:
        stack.aws("lambda", "update_event_source_mapping", UUID=mapping, FunctionResponseTypes=[])
    try:
        abouts, waiting = refused_by_s3(queues, watcher)
    finally:
        with held(stack, RECORDER) as mapping:
            kinds = ["ReportBatchItemFailures"]
            stack.aws("lambda", "update_event_source_mapping", UUID=mapping, FunctionResponseTypes=kinds)
    assert not recorded(stack, abouts)[1]
    assert not waiting


def test_every_kind_of_failure_reaches_its_failure_queue(
    queues: FailureQueues, admin: Person, customer: Person, watcher: Watcher, proof: Proof
) -> None:
    """The test causes every kind of failure: broken functions, unreachable targets, and invalid messages."""
    stack, told = queues.stack, admin.put(50)
    functions: dict[str, str] = stack.ops["functions"]
    marks = {source: str(uuid.uuid4()) for source in functions}
    with ExitStack() as until_then:
        for source in functions:
            until_then.enter_context(broken(stack, source, REFUSES.format(text=marks[source])))
        for source, alias in functions.items():
            payload = json.dumps({"mark": marks[source]})
            stack.aws("lambda", "invoke", FunctionName=alias, InvocationType="Event", Payload=payload)
        for name in queues.of_kind("dead-letter", "invocation"):
            queues.waiting(name)
    assert set(queues.of_kind("dead-letter", "invocation")) == queues.met
    said = queues.redrive(*queues.of_kind("dead-letter", "invocation"), dry_run=True)
    assert len(re.findall(r"broken by a test\): would be ", said)) == len(queues.met)
    queues.empty()

    closed = json.dumps({"Version": "2012-10-17", "Statement": []})
    with ExitStack() as until_then:
        until_then.enter_context(without_permission(stack, functions["process_order"]))
        for name in (ANALYTICS, "send-email-failures"):
            queue = stack.ops["failureQueues"][name]["redriveTo"]
            until_then.enter_context(queue_attributes(stack, queue, Policy=closed))
        order_id = customer.order({told: 1})["order_id"]
        (undelivered,) = queues.waiting("process-order-delivery", 1, [order_id])
        assert attribute(undelivered, "ERROR_CODE") == "NO_PERMISSIONS"
        assert attribute(undelivered, "ERROR_MESSAGE")
        watcher.until(lambda: len(stack.analytics(order_id)) == 1, "the event is recorded without a redrive", order_id)
        watcher.until(lambda: stack.handled_mails(order_id) == 1, "the email is sent without a redrive", order_id)
    assert queues.redrive(*queues.of_kind("delivery"), dry_run=True).count("(NO_PERMISSIONS: ") == 1
    queues.redrive(*queues.of_kind("delivery"))
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    watcher.until(lambda: len(stack.analytics(order_id)) == 2, "both events are recorded", order_id)
    watcher.until(lambda: are_mailed_once(stack, customer.email, [order_id]), "each email was sent once", order_id)

    send(stack, ["not JSON"])
    queues.waiting(ANALYTICS)
    emails = stack.ops["failureQueues"]["send-email-failures"]["redriveTo"]
    stack.aws("sqs", "send_message", QueueUrl=emails, MessageBody="not JSON")
    queues.waiting("send-email-failures")
    table, bad = stack.ops["tables"]["orders"], {"order_id": {"S": str(uuid.uuid4())}}
    stack.aws("dynamodb", "put_item", TableName=table, Item=bad)
    queues.waiting(STREAM)
    stack.aws("dynamodb", "delete_item", TableName=table, Key=bad)
    assert queues.met == set(queues.names) - OF_THE_SWEEP - RETURNING
    proof.tried(failure_queues=len(queues.met))
    proof.found(failure_queues_met=len(queues.met))
