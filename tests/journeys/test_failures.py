"""Journey 9: events that a consumer cannot handle wait in the right failure queue, and a redrive completes the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations import redrive as command
from operations import stack_outputs
from tests.journeys.breakages import closed_bucket, denied, queue_attributes, received_at_most, without_permission
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, unique
from tests.journeys.rows import pending, timestamp, write_undecided
from tests.journeys.stack import Stack

Redrive = Callable[..., list[str]]


@pytest.fixture
def redrive(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Redrive:
    """Return a function that redrives the given failure queues, and returns the lines that the command prints."""

    def run(*names: str, dry_run: bool = False, stay: int = 0) -> list[str]:
        queues = {name: stack.ops["failureQueues"][name] for name in names}
        capsys.readouterr()
        kept = command.redrive({**stack.outputs, "ops": {"failureQueues": queues}}, dry_run=dry_run)
        said = capsys.readouterr().out.splitlines()
        assert kept == stay, said
        return said

    return run


@pytest.fixture
def order(admin: Person, customer: Person) -> dict[str, Any]:
    """A PENDING order that is not in the orders table yet."""
    return pending(customer, admin.put(5))


def test_redrive_processes_an_event_that_failed(
    order: dict[str, Any], customer: Person, watcher: Watcher, stack: Stack, redrive: Redrive
) -> None:
    # Write the row of an order whose EXPRESS execution died after the first step. Because the creation time is in the
    # future, process_order assumes that the execution is still running. All three attempts of process_order therefore
    # fail.
    order_id = order["order_id"]
    write_undecided(stack, {**order, "created_at": timestamp(datetime.now(UTC) + timedelta(hours=1))})
    failed = watcher.until(lambda: stack.failed("process-order-failures", order_id), "the envelope arrives", order_id)
    (event,) = watcher.told(order_id, "OrderCreated")
    envelope = json.loads(failed[0]["Body"])
    assert envelope["requestPayload"]["detail"] == event["detail"]
    assert envelope["responsePayload"]["errorType"] == "OrderUndecided"
    assert envelope["requestContext"]["condition"] == "RetriesExhausted"
    assert envelope["requestContext"]["approximateInvokeCount"] == 3
    copies = watcher.until(
        lambda: stack.failed("process-order-dlq", order_id), "the event arrives in the dead-letter queue", order_id
    )
    assert json.loads(copies[0]["Body"])["detail"] == event["detail"]
    queues = ("process-order-failures", "process-order-dlq")

    said = redrive(*queues, dry_run=True)
    assert any(f"{order_id}:PENDING (OrderUndecided" in line and line.endswith("would be sent back") for line in said)
    assert any(order_id in line and line.endswith("would be dropped as a copy") for line in said)
    assert stack.failed("process-order-failures", order_id)
    assert customer.read(order_id)["status"] == "PENDING"

    # Move the creation time so far into the past that the EXPRESS execution must have ended. This time, process_order
    # therefore starts the STANDARD workflow.
    _write(stack, order_id, created_at=timestamp(datetime.now(UTC) - timedelta(minutes=1)))
    said = redrive(*queues)
    assert any(order_id in line and line.endswith("dropped as a copy of a message that was sent back") for line in said)
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    assert watcher.ended(order_id)["status"] == "SUCCEEDED"
    assert not [name for name in queues if stack.failed(name, order_id)]


def test_event_about_a_missing_order_fails_again_after_a_redrive(
    order: dict[str, Any], watcher: Watcher, stack: Stack, redrive: Redrive
) -> None:
    order_id = order["order_id"]
    _put_event(stack, "OrderCreated", order)

    def failed() -> list[Any]:
        return [json.loads(each["Body"]) for each in stack.failed("process-order-failures", order_id)]

    (first,) = watcher.until(failed, "the envelope arrives", order_id)
    assert first["responsePayload"]["errorType"] == "OrderNotFound"
    redrive("process-order-failures", "process-order-dlq")
    (second,) = watcher.until(failed, "the envelope arrives again", order_id)
    assert second["requestPayload"] == first["requestPayload"]
    assert second["requestContext"]["requestId"] != first["requestContext"]["requestId"]


def test_failed_email_is_sent_automatically_after_the_profile_is_repaired(
    people: People, admin: Person, watcher: Watcher, stack: Stack
) -> None:
    customer, users = people.somebody(), stack.ops["tables"]["users"]
    row = {"user_id": customer.sub, "name": customer.name, "created_at": timestamp(datetime.now(UTC))}
    broken = {name: {"S": value} for name, value in row.items()} | {"email_verified": {"BOOL": True}}
    stack.aws("dynamodb", "put_item", TableName=users, Item=broken)
    order_id = customer.order({admin.put(5): 2})["order_id"]
    # The email fails, but this must not prevent the order's confirmation.
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    watcher.until(lambda: [line for line in stack.log("send_email") if "KeyError" in line], "it fails", order_id)

    mended = {**broken, "email": {"S": customer.email}}
    stack.aws("dynamodb", "put_item", TableName=users, Item=mended)
    # Wait only for the email about the confirmation. send_email leaves out the email about the received order if SQS
    # delivers the message about the confirmation first.
    watcher.until(
        lambda: "Your order is confirmed" in [mail["Subject"] for mail in stack.mails(customer.email)],
        "the email about the confirmation arrives",
        order_id,
    )
    assert stack.failed("send-email-failures", order_id) == []


def test_event_delivered_twice_takes_effect_once(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, successes: Callable[[str], list[Any]]
) -> None:
    product = admin.put(5)
    order_id = customer.order({product: 2})["order_id"]
    watcher.decided(customer, order_id)
    watcher.until(lambda: len(successes(order_id)) == 1, "process_order succeeds", order_id)
    watcher.until(lambda: stack.handled_mails(order_id) == 2, "send_email handles the order's two events", order_id)
    mails = stack.mails(customer.email)
    watcher.until(
        lambda: len(stack.analytics(order_id)) == 2, "the order's two events have an analytics record", order_id
    )
    kept = stack.analytics(order_id)
    for event in watcher.told(order_id, "OrderCreated", "OrderConfirmed"):
        _put_event(stack, event["detail-type"], event["detail"]["order"])
    watcher.until(lambda: len(successes(order_id)) == 2, "process_order succeeds again", order_id)
    watcher.until(
        lambda: stack.handled_mails(order_id) == 4, "send_email handles the order's two events again", order_id
    )
    assert stack.mails(customer.email) == mails
    assert stack.analytics(order_id) == kept
    assert stack.stock(product) == 3


def test_replay_of_archived_events_sends_no_second_email_and_takes_no_stock(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, successes: Callable[[str], list[Any]]
) -> None:
    began, product = datetime.now(UTC), admin.put(5)
    order_id = customer.order({product: 2})["order_id"]
    before = watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    watcher.until(lambda: len(successes(order_id)) == 1, "process_order succeeds", order_id)
    watcher.until(lambda: stack.handled_mails(order_id) == 2, "send_email handles the order's two events", order_id)
    mails = stack.mails(customer.email)
    bus = stack.ops["eventBus"]
    stack.aws(
        "events",
        "start_replay",
        ReplayName=unique("replay"),
        EventSourceArn=stack.aws("events", "describe_archive", ArchiveName=bus["archive"])["ArchiveArn"],
        EventStartTime=began - timedelta(seconds=1),
        EventEndTime=datetime.now(UTC) + timedelta(seconds=1),
        Destination={"Arn": bus["arn"]},
    )
    watcher.until(lambda: len(successes(order_id)) == 2, "process_order succeeds again", order_id)
    watcher.until(
        lambda: stack.handled_mails(order_id) == 4, "send_email handles the order's two events again", order_id
    )
    again = watcher.events(order_id)[2:]
    assert [event["detail"] for event in again] == [event["detail"] for event in before]
    assert stack.mails(customer.email) == mails
    assert stack.stock(product) == 3


def test_redrive_delivers_an_event_that_eventbridge_could_not_deliver_to_a_function(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, redrive: Redrive
) -> None:
    with without_permission(stack, stack.ops["functions"]["process_order"]):
        order_id = customer.order({admin.put(5): 2})["order_id"]
        failed = watcher.until(
            lambda: stack.failed("process-order-delivery", order_id), "the event is in the failure queue", order_id
        )
    (event,) = watcher.told(order_id, "OrderCreated")
    assert json.loads(failed[0]["Body"])["detail"] == event["detail"]
    assert failed[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert customer.read(order_id)["status"] == "PENDING"
    redrive("process-order-delivery")
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"


def test_event_that_eventbridge_cannot_send_to_analytics_is_recorded_without_a_redrive(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    closed = json.dumps({"Version": "2012-10-17", "Statement": []})
    with queue_attributes(stack, stack.ops["failureQueues"]["analytics-delivery"]["redriveTo"], Policy=closed):
        order_id = customer.process({admin.put(5): 2}).json()["order_id"]
        # EventBridge cannot send to the analytics queue, so record_analytics receives the events from the dead-letter
        # queue of the EventBridge rule.
        watcher.until(
            lambda: len(stack.analytics(order_id)) == 2, "the order's two events have an analytics record", order_id
        )
    assert stack.failed("analytics-delivery", order_id) == []


def test_redrive_writes_an_analytics_record_that_s3_refused_before(
    order: dict[str, Any], watcher: Watcher, stack: Stack, redrive: Redrive
) -> None:
    order |= {"updated_at": "2001-01-01T00:00:00.000Z", "status": "CANCELLED"}
    order_id = order["order_id"]
    # Allow only two deliveries of the message. Without this limit, SQS would deliver it for six hours before moving it
    # to the dead-letter queue.
    with closed_bucket(stack, "orders/dt=2001-01-01/*"), received_at_most(stack, "record_analytics", 2):
        _put_event(stack, "OrderCancelled", order)
        failed = watcher.until(
            lambda: stack.failed("analytics-dlq", order_id), "the event is in the failure queue", order_id
        )
    assert json.loads(failed[0]["Body"])["order"] == order
    assert stack.analytics(order_id) == {}
    redrive("analytics-dlq")
    kept = watcher.until(lambda: stack.analytics(order_id), "the event has a record", order_id)
    assert [each["order"] for each in kept.values()] == [order]


@pytest.mark.parametrize("action", ["events:PutEvents", "dynamodb:GetRecords"])
def test_outbox_relay_publishes_waiting_events_after_its_permission_is_restored(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, action: str
) -> None:
    def refusals() -> list[str]:
        lines = stack.log("publish_order_events") + stack.instance.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if "bus refused the call" in line or f"does not allow {action}" in line]

    product, before = admin.put(5), len(refusals())
    with denied(stack, "publish-order-events", action):
        order_id = customer.order({product: 2})["order_id"]
        watcher.until(lambda: len(refusals()) > before, "the refusal is logged", order_id)
        assert customer.read(order_id)["status"] == "PENDING"
        assert watcher.events(order_id) == []
    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    watcher.told(order_id, "OrderCreated", "OrderConfirmed")
    assert not stack.failed("publish-order-events-stream", "")


def test_redrive_command_checks_all_failure_queues(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def outputs_file(port: int) -> Path:
        asked.append(port)
        return stack.instance.outputs

    monkeypatch.setattr(stack_outputs, "outputs_file", outputs_file)
    assert command.main(["local", "--dry-run", "--port", str(stack.instance.port)]) == 0
    assert asked == [stack.instance.port]
    assert "message(s) would be sent back" in capsys.readouterr().out


def _put_event(stack: Stack, detail_type: str, order: dict[str, Any]) -> None:
    detail = {"event_id": f"{order['order_id']}:{order['status']}", "order": order}
    entry = {"EventBusName": stack.ops["eventBus"]["name"], "Source": "orders.api", "DetailType": detail_type}
    answer = stack.aws("events", "put_events", Entries=[{**entry, "Detail": json.dumps(detail)}])
    assert answer["FailedEntryCount"] == 0


def _write(stack: Stack, order_id: str, **columns: str) -> None:
    """Set the attributes `columns` in the row of the order `order_id`."""
    stack.aws(
        "dynamodb",
        "update_item",
        TableName=stack.ops["tables"]["orders"],
        Key={"order_id": {"S": order_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in columns),
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in columns.items()},
    )
