"""Causes failures while canaries are processed: denied permissions, invalid data, lost connections and timeouts."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from tests.fakes import gateway
from tests.journeys.breakages import closed_bucket, denied, queue_attributes, received_at_most, without_permission
from tests.journeys.rows import timestamp, write_undecided
from tests.journeys.stack import Stack
from tests.journeys.sweeps import sweep
from tests.proof.canaries.drive import Account, Drive, lines

_NOWHERE: Final = "http://127.0.0.1:9"
_TIMEOUT_S: Final = 2
_ENOUGH_S: Final = 20
_RECEIVED: Final = 3
"""Number of deliveries after which a message goes to a failure queue here, instead of after six hours."""


def denied_to_apis(drive: Drive) -> None:
    """Send requests while the functions of the APIs and the workflow of POST /process lack permissions for AWS calls.

    Each request must get 5xx.
    """
    stack, customer, word = drive.stack, drive.customer, drive.words.new
    product = drive.product()
    stranger = Account(drive)
    assert stranger.tokens
    with denied(stack, "users-api", "dynamodb:*"):
        profile = {"name": word("name"), "email": stranger.email}
        assert stranger.rest("POST", "/users", profile).status == 500
        assert stranger.rest("GET", f"/users/{stranger.sub}").status == 500
    with denied(stack, "orders-api", "dynamodb:*"):
        key = word("idempotency key")
        assert customer.rest("POST", "/orders", lines(product, 1), Idempotency_Key=key).status == 500
        assert customer.rest("GET", "/orders").status == 500
    with denied(stack, "catalog-api", "dynamodb:*"):
        content = {"name": word("product name"), "unit_price": 1, "currency": "JPY", "quantity": 1}
        assert drive.admin.http("PUT", f"/products/{word('product id')}", content).status == 500
    for role, action in (
        ("order-express", "dynamodb:BatchGetItem"),
        ("order-express", "lambda:InvokeFunction"),
        ("update-inventory", "dynamodb:*"),
    ):
        with denied(stack, role, action):
            key = word("idempotency key")
            assert customer.rest("POST", "/process", lines(product, 1), Idempotency_Key=key).status >= 500
    with denied(stack, "rest-api-process-order", "states:StartSyncExecution"):
        key = word("idempotency key")
        assert customer.rest("POST", "/process", lines(product, 1), Idempotency_Key=key).status >= 500


def denied_behind(drive: Drive) -> None:
    """Place orders while the functions and services that process accepted orders lack permissions.

    Wait until each failure is logged or in a failure queue.
    """
    stack, watcher = drive.stack, drive.watcher
    product = drive.product()
    with denied(stack, "order-express", "dynamodb:BatchGetItem"):
        order = drive.customer.order(product)["order_id"]
        watcher.until(
            lambda: [line for line in stack.log("express") if order in line and "Undecided" in line],
            "an EXPRESS execution logs that it could not decide the order",
            order,
        )
    drive.decided(drive.customer, order)
    with received_at_most(stack, "record_analytics", _RECEIVED), received_at_most(stack, "send_email", _RECEIVED):
        order = _denied_to_consumers(drive, product)
    sweep(stack, order)
    drive.decided(drive.customer, order)
    with denied(stack, "publish-order-events", "events:PutEvents"):
        order = drive.customer.order(product)["order_id"]
        watcher.until(
            lambda: [line for line in stack.log("publish_order_events") if "bus refused the call" in line],
            "the outbox relay logs that the bus refused its call",
            order,
        )
    with without_permission(stack, stack.ops["functions"]["process_order"]):
        order = drive.customer.order(product)["order_id"]
        watcher.until(
            lambda: stack.failed("process-order-delivery", order),
            "the undelivered event is in its dead-letter queue",
            order,
        )


def _denied_to_consumers(drive: Drive, product: str) -> str:
    """Place orders while the consumers of events lack permissions. Wait until the events are in failure queues.

    Return the id of an order whose workflow was not started.
    """
    stack, watcher = drive.stack, drive.watcher
    analytics = stack.ops["failureQueues"]["analytics-dlq"]["redriveTo"]
    with ExitStack() as broken:
        for role, action in (("process-order", "states:StartExecution"), ("send-email", "ses:SendEmail")):
            broken.enter_context(denied(stack, role, action))
        broken.enter_context(closed_bucket(stack, "orders/*"))
        broken.enter_context(queue_attributes(stack, analytics, VisibilityTimeout="1"))
        unstarted = drive.customer.order(product)["order_id"]
        for queue in ("process-order-failures", "send-email-failures", "analytics-dlq"):
            watcher.until(
                lambda queue=queue: stack.failed(queue, unstarted), f"the order's event is in {queue}", unstarted
            )
    for table in ("users", "idempotency"):
        with denied(stack, "send-email", "dynamodb:*" if table == "idempotency" else "dynamodb:GetItem"):
            order = drive.customer.order(product)["order_id"]
            watcher.until(
                lambda order=order: stack.failed("send-email-failures", order),
                "the failed email is in a failure queue",
                order,
            )
    return unstarted


def poison(drive: Drive) -> None:
    """Send invalid data to the orders table, the event bus, the analytics queue and each function."""
    stack, word = drive.stack, drive.words.new
    _poison_rows(drive)
    bus = {"EventBusName": stack.ops["eventBus"]["name"], "Source": "orders.api"}
    details: list[Any] = [
        {"event_id": word("invalid data"), "order": {"order_id": word("invalid data")}},
        {word("invalid data"): word("invalid data")},
        {"event_id": 1, "order": [word("invalid data")]},
    ]
    entries = [{**bus, "DetailType": "OrderCreated", "Detail": json.dumps(detail)} for detail in details]
    assert not stack.aws("events", "put_events", Entries=entries)["FailedEntryCount"]
    analytics = stack.ops["failureQueues"]["analytics-dlq"]["redriveTo"]
    for body in (
        word("invalid data"),
        json.dumps({word("invalid data"): 1}),
        json.dumps({"order": {"order_id": word("invalid data")}}),
    ):
        named = {"MessageGroupId": "poison", "MessageDeduplicationId": str(uuid.uuid4())}
        stack.aws("sqs", "send_message", QueueUrl=analytics, MessageBody=body, **named)
    _more_than_there_is(drive)
    for alias in stack.ops["functions"].values():
        for event in (
            {word("invalid data"): word("invalid data")},
            {"order": {"order_id": word("invalid data")}},
            [word("invalid data")],
        ):
            stack.aws("lambda", "invoke", FunctionName=alias, Payload=json.dumps(event))
    for kind in ("send-email-failures", "process-order-failures", "analytics-dlq"):
        drive.watcher.until(lambda kind=kind: stack.failed(kind, drive.words.run), f"a poison message is in {kind}")
    drive.watcher.until(
        lambda: stack.failed("publish-order-events-stream", ""), "a poison record is in the stream's failure queue"
    )


def _more_than_there_is(drive: Drive) -> None:
    """Invoke `update_inventory` for a product without stock, as if another order had just bought the last unit."""
    product = drive.product(quantity=0)
    now = timestamp(datetime.now(UTC))
    order_id = drive.words.known(str(uuid.uuid4()), "order id")
    order = {"order_id": order_id, "user_id": drive.customer.sub, "status": "PENDING", "created_at": now}
    order |= {"updated_at": now, "items": lines(product, 1)["items"]}
    write_undecided(drive.stack, order)
    event = {"order": order, "products": [{"product_id": product, "unit_price": 1, "currency": "JPY"}]}
    step = drive.stack.ops["functions"]["update_inventory"]
    refused = drive.stack.aws("lambda", "invoke", FunctionName=step, Payload=json.dumps(event))
    assert json.loads(refused["Payload"].read())["errorType"] == "OutOfStock"
    table = drive.stack.ops["tables"]["orders"]
    drive.stack.aws("dynamodb", "delete_item", TableName=table, Key={"order_id": {"S": order_id}})


def _poison_rows(drive: Drive) -> None:
    stack, word = drive.stack, drive.words.new
    table = stack.ops["tables"]["orders"]
    right = {
        "order_id": {"S": ""},
        "user_id": {"S": word("invalid data")},
        "created_at": {"S": "2001"},
        "updated_at": {"S": "2001"},
    }
    line = {"M": {"product_id": {"S": word("invalid data")}, "quantity": {"S": word("invalid data")}}}
    changes: list[dict[str, Any]] = [
        {"status": {"S": word("invalid data")}, "items": {"L": []}},
        {"status": {"S": "PENDING"}, "items": {"S": word("invalid data")}},
        {"status": {"S": "PENDING"}, "items": {"L": [line]}},
        # In this row, only the status is invalid.
        {"status": {"S": "LOST"}, "items": {"L": [_line(drive.product())]}, "user_id": {"S": drive.customer.sub}},
    ]
    for change in changes:
        order_id = {"S": drive.words.known(str(uuid.uuid4()), "order id")}
        stack.aws("dynamodb", "put_item", TableName=table, Item={**right, **change, "order_id": order_id})
        stack.aws("dynamodb", "delete_item", TableName=table, Key={"order_id": order_id})


def _line(product: str) -> dict[str, Any]:
    return {"M": {"product_id": {"S": product}, "quantity": {"N": "1"}}}


def without_connection(drive: Drive) -> None:
    """Invoke functions while their AWS calls fail.

    There are three kinds of failures: no server receives the calls, the server closes each connection, or the server
    never responds.
    """
    word = drive.words.new

    def event() -> dict[str, Any]:
        order_id = drive.words.known(str(uuid.uuid4()), "order id")
        now = timestamp(datetime.now(UTC))
        order = {
            "order_id": order_id,
            "user_id": drive.customer.sub,
            "status": "PENDING",
            "items": lines(word("product id"), 1)["items"],
            "created_at": now,
            "updated_at": now,
        }
        detail = {"event_id": f"{order_id}:PENDING", "order": order}
        return {"source": "orders.api", "detail-type": "OrderCreated", "detail": detail}

    def profile() -> dict[str, Any]:
        address = f"{word('mail address')}@example.com"
        body = {"name": word("name"), "email": address}
        headers = {"Authorization": drive.customer.tokens.id_token, **drive.noise()}
        request = gateway.Request(
            method="POST", path="/users", body=body, headers=headers, user_id=drive.customer.sub, email=address
        )
        return gateway.rest_event(request)

    with _silent() as silent, _closing() as closing:
        for source, variable, make in (
            ("users_api", "AWS_ENDPOINT_URL_DYNAMODB", profile),
            ("send_email", "AWS_ENDPOINT_URL_SESV2", event),
        ):
            for url in (_NOWHERE, closing, silent):
                with _changed(
                    drive.stack, source, {variable: url}, _TIMEOUT_S if url == silent else _ENOUGH_S
                ) as invoke:
                    invoke(make())


@contextmanager
def _closing() -> Generator[str]:
    """Run a server that receives each request and closes the connection without a response.

    The SDK's error for a closed connection contains the request with its body. If a function logged or traced this
    error, the log or trace would contain data from the body.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = listening.accept()
                    with caller:
                        caller.recv(65_536)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        server.join()


@contextmanager
def _silent() -> Generator[str]:
    """Run a server that accepts connections and never responds."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def _changed(
    stack: Stack, source: str, variables: Mapping[str, str], timeout_s: int
) -> Generator[Callable[[Any], Any]]:
    """Change the environment variables and timeout of a function's $LATEST, and yield a callable that invokes $LATEST.

    No alias points to $LATEST, so the platform itself never uses the changed version.
    """
    name = stack.ops["functions"][source].rpartition(":")[0]
    before = stack.aws("lambda", "get_function_configuration", FunctionName=name)
    kept = before["Environment"]["Variables"]

    def configure(environment: Mapping[str, str], limit_s: int) -> None:
        asked = {"Environment": {"Variables": dict(environment)}, "Timeout": limit_s}
        stack.aws("lambda", "update_function_configuration", FunctionName=name, **asked)
        time.sleep(0.1)

    def invoke(event: Any) -> Any:
        return stack.aws("lambda", "invoke", FunctionName=name, Payload=json.dumps(event))

    configure({**kept, **variables}, timeout_s)
    try:
        yield invoke
    finally:
        configure(kept, before["Timeout"])
