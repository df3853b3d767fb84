"""Short scenarios that together need every permission of the platform."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from contracts.queues import GROUP_DIGITS
from tests.journeys.breakages import closed_bucket, queue_attributes, rule_disabled, without_permission
from tests.journeys.people import unique
from tests.journeys.rows import OLD, make_older, pending, write_undecided
from tests.proof.least_privilege.audited_stack import AuditedStack
from tests.proof.least_privilege.deployments import function_deployed, machine_deployed, mapping_deployed
from tests.proof.least_privilege.scenario import Check, Scenario, ready

Give = Callable[[AuditedStack, dict[str, Any]], None]
"""Causes an event about an order."""
QUEUES: Final = {"record_analytics": "analytics-dlq", "send_email": "send-email-failures"}
"""The functions with a queue in front of them, each with the name of its failure queue."""


# Scenarios for requests


def profile_made(audited: AuditedStack) -> Generator[Check]:
    stranger = audited.people.somebody()
    assert stranger.id_token
    yield ready
    answer = audited.rest("POST", "/users", {"name": stranger.name, "email": stranger.email}, by=stranger)
    yield lambda: answer.status == 201


def profile_read(audited: AuditedStack) -> Generator[Check]:
    yield ready
    answer = audited.rest("GET", f"/users/{audited.customer.sub}")
    yield lambda: answer.status == 200


def orders_listed(audited: AuditedStack) -> Generator[Check]:
    yield ready
    answer = audited.rest("GET", "/orders")
    yield lambda: answer.status == 200


def order_read(audited: AuditedStack) -> Generator[Check]:
    order_id = audited.confirmed()
    yield ready
    answer = audited.rest("GET", f"/orders/{order_id}")
    yield lambda: answer.status == 200


def products_listed(audited: AuditedStack) -> Generator[Check]:
    audited.admin.put(1)
    yield ready
    answer = audited.http("GET", "/products")
    yield lambda: answer.json()["products"]


def product_read(audited: AuditedStack) -> Generator[Check]:
    product = audited.admin.put(1)
    yield ready
    answer = audited.http("GET", f"/products/{product}")
    yield lambda: answer.status == 200


def product_put(audited: AuditedStack) -> Generator[Check]:
    yield ready
    content = {"name": "Cup", "unit_price": 1, "currency": "JPY", "quantity": 1}
    answer = audited.http("PUT", f"/products/{unique('product')}", content)
    yield lambda: answer.status == 201


# Scenarios for orders


def order_confirmed(audited: AuditedStack) -> Generator[Check]:
    product = audited.admin.put(5)
    yield ready
    order_id = audited.order({product: 2})
    yield lambda: audited.ended(order_id, "CONFIRMED", events=2) and len(audited.notifications(order_id)) == 1


def order_rejected(audited: AuditedStack) -> Generator[Check]:
    product = audited.admin.put(1)
    yield ready
    order_id = audited.order({product: 2})
    yield lambda: audited.ended(order_id, "REJECTED", events=2)


def order_cancelled(audited: AuditedStack) -> Generator[Check]:
    order_id = audited.confirmed()
    audited.quiet()
    yield ready
    answer = audited.rest("POST", f"/orders/{order_id}/cancel")
    yield lambda: answer.status == 200 and audited.ended(order_id, "CANCELLED", events=3)


def order_lost_by_its_execution(audited: AuditedStack) -> Generator[Check]:
    order = pending(audited.customer, audited.admin.put(5), age=OLD)
    # While this rule is disabled, EventBridge does not start the workflow. The execution that is aborted below is
    # therefore the only one of the order.
    with rule_disabled(audited.stack, "order-created", audited.stack.ops["eventBus"]["name"]):
        write_undecided(audited.stack, order)
        audited.known(order["order_id"])
        audited.quiet()
    yield ready
    _end_its_execution(audited, order)
    yield lambda: audited.ended(order["order_id"], "FAILED", events=2)


def late_order_marked(audited: AuditedStack) -> Generator[Check]:
    order_id = _lost_order(audited)
    yield ready
    _mark(audited, order_id)
    yield lambda: "late_shard" in (audited.stack.row("orders", order_id=order_id) or {})


def late_order_restarted(audited: AuditedStack) -> Generator[Check]:
    order_id = _lost_order(audited)
    _mark(audited, order_id)
    # Let the first execution end without a decision. Step Functions does not accept the name of an ended execution
    # again, so the sweep must count the restart in the order's row, and use the count in the new name.
    with rule_disabled(audited.stack, "execution-ended", "default"):
        _end_its_execution(audited, {"order_id": order_id})
        audited.quiet()
    yield ready
    audited.call("lambda", "invoke", FunctionName=audited.stack.ops["functions"]["restart_late_orders"], Payload="{}")
    yield lambda: audited.ended(order_id, "CONFIRMED", events=2)


def sweep_scheduled(audited: AuditedStack) -> Generator[Check]:
    order_id = _lost_order(audited)
    _mark(audited, order_id)
    with _event_instead_of_schedule(audited):
        yield ready
        _put_on_the_default_bus(audited)
        yield lambda: audited.ended(order_id, "CONFIRMED", events=2)


def execution_that_comes_late(audited: AuditedStack) -> Generator[Check]:
    order_id = audited.confirmed()
    before = {**json.loads(audited.rest("GET", f"/orders/{order_id}").text), "status": "PENDING"}
    assert audited.rest("POST", f"/orders/{order_id}/cancel").status == 200
    yield ready
    machine = audited.stack.ops["stateMachines"]["standard"]
    given = json.dumps({"order": before})
    audited.call("stepfunctions", "start_execution", stateMachineArn=machine, name=order_id, input=given)
    yield lambda: (audited.stack.execution(order_id) or {}).get("error") == "InvalidTransition"


def order_processed(audited: AuditedStack) -> Generator[Check]:
    product = audited.admin.put(5)
    yield ready
    answer = audited.process({product: 2})
    yield lambda: answer.status == 200 and len(audited.notifications(answer.json()["order_id"])) == 1


def order_processed_again(audited: AuditedStack) -> Generator[Check]:
    product, key = audited.admin.put(5), str(uuid.uuid4())
    first = audited.process({product: 2}, key)
    yield ready
    second = audited.process({product: 2}, key)
    yield lambda: second.json() == first.json()


def order_processed_in_vain(audited: AuditedStack) -> Generator[Check]:
    product = audited.admin.put(1)
    yield ready
    answer = audited.process({product: 2})
    yield lambda: answer.json()["code"] == "OutOfStock"


# Scenarios for work that always fails


def event_given_up(function: str) -> Scenario:
    """Return a scenario in which `function` gets an invalid event, so every attempt fails."""

    def scenario(audited: AuditedStack) -> Generator[Check]:
        mark, arn = audited.known(str(uuid.uuid4())), audited.stack.ops["functions"][function]
        yield ready
        audited.call("lambda", "invoke", FunctionName=arn, InvocationType="Event", Payload=json.dumps({"mark": mark}))
        yield lambda: audited.failed(function.replace("_", "-"), mark)

    return scenario


def message_that_is_no_event(audited: AuditedStack) -> Generator[Check]:
    mark, queue = audited.known(str(uuid.uuid4())), audited.stack.ops["failureQueues"]["analytics-dlq"]["redriveTo"]
    yield ready
    audited.call("sqs", "send_message", QueueUrl=queue, MessageBody=mark, MessageGroupId="orders")
    yield lambda: audited.stack.failed("analytics-dlq", mark)


def row_that_is_no_order(audited: AuditedStack) -> Generator[Check]:
    key = {"order_id": {"S": audited.known(str(uuid.uuid4()))}}
    yield ready
    audited.call("dynamodb", "put_item", TableName=audited.stack.ops["tables"]["orders"], Item=key)
    yield lambda: audited.stack.failed("publish-order-events-stream", key["order_id"]["S"])
    audited.call("dynamodb", "delete_item", TableName=audited.stack.ops["tables"]["orders"], Key=key)
    yield ready


def event_undeliverable(audited: AuditedStack) -> Generator[Check]:
    order = pending(audited.customer, "nothing")
    order_id = audited.known(order["order_id"])
    with audited.lacking(without_permission(audited.stack, audited.stack.ops["functions"]["process_order"])):
        yield ready
        _put_created(audited, order)
        yield lambda: audited.stack.failed("process-order-delivery", order_id)


def message_undeliverable(name: str) -> Scenario:
    """Return a scenario in which EventBridge lacks the permission to send events to the queue `name`."""

    def scenario(audited: AuditedStack) -> Generator[Check]:
        done = {"analytics": audited.stack.analytics, "send-email": audited.stack.handled_mails}
        orders = _orders_of_all_groups(audited)
        queue = audited.stack.ops["failureQueues"][f"{name}-delivery"]["redriveTo"]
        closed = json.dumps({"Version": "2012-10-17", "Statement": []})
        with audited.lacking(queue_attributes(audited.stack, queue, Policy=closed)):
            yield ready
            for order in orders:
                _put_cancelled(audited, order)
            # EventBridge sends the events to the target's dead-letter queue. The function also reads that queue, so it
            # processes the events without a redrive.
            yield lambda: all(done[name](order["order_id"]) for order in orders)

    return scenario


def events_recorded(audited: AuditedStack) -> Generator[Check]:
    orders = _orders_of_all_groups(audited)
    yield ready
    for order in orders:
        _put_cancelled(audited, order)
    yield lambda: all(audited.stack.analytics(order["order_id"]) for order in orders)


def record_delayed(give: Give) -> Scenario:
    """Return a scenario in which record_analytics cannot write to S3, so it delays the message's next delivery.

    `give` publishes the event about a cancelled order, or sends it to a dead-letter queue that the function reads.
    After two deliveries, SQS moves the message to the failure queue.
    """

    def scenario(audited: AuditedStack) -> Generator[Check]:
        order = pending(audited.customer, "nothing")
        order_id = audited.known(order["order_id"])
        with audited.lacking(closed_bucket(audited.stack, "orders/*")):
            yield ready
            give(audited, order)
            yield lambda: audited.stack.failed("analytics-dlq", order_id)

    return scenario


def email_delayed(give: Give) -> Scenario:
    """Return a scenario in which send_email fails, and therefore delays the next delivery of the event.

    send_email fails because the customer's profile has no name. `give` publishes the event, or sends it to a
    dead-letter queue that the function reads.
    """

    def scenario(audited: AuditedStack) -> Generator[Check]:
        stranger = audited.people.somebody().introduce()
        order = pending(stranger, "nothing")
        order_id, table = audited.known(order["order_id"]), audited.stack.ops["tables"]["users"]
        row = audited.call("dynamodb", "get_item", TableName=table, Key={"user_id": {"S": stranger.sub}})["Item"]
        unreadable = {name: value for name, value in row.items() if name != "name"}
        audited.call("dynamodb", "put_item", TableName=table, Item=unreadable)
        yield ready
        give(audited, order)
        yield lambda: audited.stack.failed("send-email-failures", order_id)

    return scenario


def scenarios(audited: AuditedStack) -> dict[str, Scenario]:
    """Return all scenarios by name."""
    plain = (
        *(profile_made, profile_read, orders_listed, order_read, products_listed, product_read, product_put),
        *(order_confirmed, order_rejected, order_cancelled, order_lost_by_its_execution, execution_that_comes_late),
        *(late_order_marked, late_order_restarted, sweep_scheduled),
        *(order_processed, order_processed_again, order_processed_in_vain),
        *(message_that_is_no_event, row_that_is_no_order, events_recorded),
    )
    ops = audited.stack.ops
    return {
        **{scenario.__name__.replace("_", " "): scenario for scenario in plain},
        # In these scenarios, an invalid event is sent directly to the function. send_email first sends the event to its
        # own queue, and fails only when it receives the event from there.
        **{f"event fails in {name}": event_given_up(name) for name in ("process_order", "send_email")},
        "event undeliverable to process_order": event_undeliverable,
        "record delayed": record_delayed(_put_cancelled),
        "email delayed": email_delayed(_put_cancelled),
        "undelivered record delayed": record_delayed(_send_to("analytics-delivery")),
        "undelivered email delayed": email_delayed(_send_to("send-email-delivery")),
        **{f"message undeliverable to {name}": message_undeliverable(name) for name in ("analytics", "send-email")},
        **{f"{name} deployed": function_deployed(name) for name in ops["functions"]},
        **{
            f"mapping of {name} deployed": mapping_deployed(name)
            for name in ("publish_order_events", "mark_late_orders", *QUEUES)
        },
        **{f"{kind} machine deployed": machine_deployed(kind) for kind in ops["stateMachines"]},
    }


def _orders_of_all_groups(audited: AuditedStack) -> list[dict[str, Any]]:
    """Return one order for each EventBridge rule that sends events to the analytics queue.

    Each rule matches the event ids that begin with a certain digit. An event id begins with the order id.
    """
    orders = [pending(audited.customer, "nothing") for _ in GROUP_DIGITS]
    return [
        {**order, "order_id": audited.known(digit + order["order_id"][1:])}
        for digit, order in zip(GROUP_DIGITS, orders, strict=True)
    ]


def _put_created(audited: AuditedStack, order: dict[str, Any]) -> None:
    _put(audited, order, "OrderCreated")


def _put_cancelled(audited: AuditedStack, order: dict[str, Any]) -> None:
    _put(audited, {**order, "status": "CANCELLED"}, "OrderCancelled")


def _send_to(failure_queue: str) -> Give:
    """Return a function that sends the event about a cancelled order to the dead-letter queue `failure_queue`."""

    def give(audited: AuditedStack, order: dict[str, Any]) -> None:
        order = {**order, "status": "CANCELLED"}
        about = {"event_id": f"{order['order_id']}:{order['status']}", "order": order}
        # The event has the form in which EventBridge sends it to a dead-letter queue: without the target's input
        # transformer.
        event = json.dumps({"source": "orders.api", "detail-type": "OrderCancelled", "detail": about})
        url = audited.stack.ops["failureQueues"][failure_queue]["url"]
        audited.call("sqs", "send_message", QueueUrl=url, MessageBody=event)

    return give


def _put(audited: AuditedStack, order: dict[str, Any], detail_type: str) -> None:
    detail = json.dumps({"event_id": f"{order['order_id']}:{order['status']}", "order": order})
    entry = {"Source": "orders.api", "DetailType": detail_type, "Detail": detail}
    entry["EventBusName"] = audited.stack.ops["eventBus"]["name"]
    assert audited.call("events", "put_events", Entries=[entry])["FailedEntryCount"] == 0


def _end_its_execution(audited: AuditedStack, order: dict[str, Any]) -> None:
    """Start an execution with the order's id as its name, and abort it.

    The execution's input contains no order, so the execution cannot decide the order before the abort.
    """
    machine = audited.stack.ops["stateMachines"]["standard"]
    started = audited.call(
        "stepfunctions", "start_execution", stateMachineArn=machine, name=order["order_id"], input="{}"
    )
    audited.call("stepfunctions", "stop_execution", executionArn=started["executionArn"])


def _lost_order(audited: AuditedStack) -> str:
    """Place an order without starting its workflow, make the order ten minutes old, and return its id."""
    with rule_disabled(audited.stack, "order-created", audited.stack.ops["eventBus"]["name"]):
        order_id = audited.order({audited.admin.put(5): 2})
        audited.quiet()
    make_older(audited.stack, order_id, timedelta(minutes=10))
    return order_id


def _mark(audited: AuditedStack, order_id: str) -> None:
    created = {"eventName": "INSERT", "dynamodb": {"Keys": {"order_id": {"S": order_id}}, "SequenceNumber": "1"}}
    function = audited.stack.ops["functions"]["mark_late_orders"]
    audited.call("lambda", "invoke", FunctionName=function, Payload=json.dumps({"Records": [created]}))


@contextmanager
def _event_instead_of_schedule(audited: AuditedStack) -> Generator[None]:
    """Replace the schedule of the sweep's rule with an event pattern, so that a scenario can start the sweep."""
    name = f"orders-{audited.stack.frontend['stage']}-late-orders"
    schedule = audited.call("events", "describe_rule", Name=name)["ScheduleExpression"]
    audited.call("events", "put_rule", Name=name, EventPattern=json.dumps({"source": ["least.privilege"]}))
    try:
        yield
    finally:
        audited.call("events", "put_rule", Name=name, ScheduleExpression=schedule)


def _put_on_the_default_bus(audited: AuditedStack) -> None:
    entry = {"Source": "least.privilege", "DetailType": "Sweep", "Detail": "{}"}
    assert audited.call("events", "put_events", Entries=[entry])["FailedEntryCount"] == 0
