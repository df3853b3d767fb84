"""Checks that the functions of one release can continue with the data that another release wrote.

Each check starts from the other release's data, and for example repeats a request or cancels an order. The check yields
a description, the result in the other release, and the result of the functions under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from contracts.orders import HTTP_STATUS
from tests.fakes.gateway import USER
from tests.fakes.runtime import ENVIRONMENT
from tests.releases import messages
from tests.releases.platform import Json, Platform
from tests.releases.recording import KEY, LATER_S, SetAside, content, mail, outcome, request

Check = Callable[[Platform, Json, Path], Iterator[tuple[str, Any, Any]]]


def faults(
    reader: Platform,
    data: Json,
    writer: Path,
    known: frozenset[tuple[str, str]],
    checks: tuple[Check, ...] | None = None,
) -> list[str]:
    """Return a line for everything in `data` that `reader` reads differently from the release that wrote it.

    `writer` is the folder of the writer's sources. `known` are the fields that the reader must return. Other fields can
    be missing from the reader's results, because its release can be older than these fields. `checks` are the checks to
    run, by default all.
    """
    found: list[str] = []
    for check in checks or CHECKS:
        reader.restore(data)
        try:
            for what, expected, got in check(reader, data, writer):
                found += [f"{what}{line}" for line in differences(expected, got, known)]
        except Exception as error:  # noqa: BLE001 - any error of a function is a result of this test
            found.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return found


def names(node: Any, within: str = "") -> frozenset[tuple[str, str]]:
    """Return all fields in JSON data as pairs: the name of the containing field, and the field's own name.

    A field's own name is not enough to recognize a new field. For example, profiles always had a `name`, but the lines
    of an order got a `name` later. Each field is also returned with "" as its containing field, for comparisons in
    which the containing field is unknown.
    """
    found = frozenset[tuple[str, str]]()
    if isinstance(node, dict):
        for name, value in cast("Json", node).items():
            found |= {(within, name), ("", name)} | names(value, name)
    elif isinstance(node, list):
        found = found.union(*(names(each, within) for each in cast("list[Any]", node)))
    return found


def differences(expected: Any, got: Any, known: frozenset[tuple[str, str]], within: str = "") -> list[str]:
    """Return a line for each value of `expected` that is missing or different in `got`. More fields in `got` are fine.

    `within` is the name of the field that contains `expected`, or "" if it is unknown.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        wanted, has = cast("Json", expected), cast("Json", got)
        missing = [f".{name}: missing" for name in wanted if (within, name) in known and name not in has]
        shared = [(name, differences(wanted[name], has[name], known, name)) for name in wanted if name in has]
        return missing + [f".{name}{line}" for name, lines in shared for line in lines]
    if isinstance(expected, list) and isinstance(got, list):
        pairs = list(zip(cast("list[Any]", expected), cast("list[Any]", got), strict=False))
        counts = [] if len(expected) == len(got) else [f": {len(expected)} entries became {len(got)}"]  # pyright: ignore[reportUnknownArgumentType]
        return counts + [f"[{n}]{line}" for n, pair in enumerate(pairs) for line in differences(*pair, known, within)]
    return [] if expected == got else [f": {json.dumps(expected)} became {json.dumps(got)}"]


def reads(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Repeat all recorded read requests to the APIs, including those with stored cursors."""
    for name, step in data["reads"].items():
        yield f"GET {name}", step["response"], reader.send(step["request"])
    yield "rows after reading", [], changed(data["tables"], reader.tables())


def repeats(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Repeat requests with their idempotency keys. The repetitions must not create a second order or profile."""
    profile = data["requests"]["profile"]["request"]
    yield from verified(reader, data)
    before = reader.tables()
    again = reader.send({**profile, "email": profile["body"]["email"]})
    yield "POST /users again", HTTP_STATUS["UserAlreadyExists"], again["status"]
    for name, step in data["requests"].items():
        asked = step["request"]
        if KEY not in asked.get("headers", {}):
            continue
        body = data["reads"][f"/orders/{step['response']['body']['order_id']}"]["response"]["body"]
        yield f"POST /orders {name} again", {**step["response"], "body": body}, reader.send(asked)
        other = reader.send({**asked, "body": content([("other", 1)])})
        yield f"POST /orders {name} with another body", HTTP_STATUS["IdempotencyConflict"], other["status"]
    yield "rows after repeated requests", [], changed(before, reader.tables())


def verified(reader: Platform, data: Json) -> Iterator[tuple[str, Any, Any]]:
    """Read the profile with its owner's token. The token contains the verified email address.

    Release 0.1.0 did not verify email addresses. Later releases send no emails to an address that isn't verified. When
    the owner reads the profile, its address is marked as verified.
    """
    profile = data["requests"]["profile"]
    owned = request("users_api", "GET", f"/users/{USER}", email=profile["request"]["body"]["email"])
    yield "GET /users by the owner", {**profile["response"], "status": 200}, reader.send(owned)


def executions(reader: Platform, data: Json, writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Repeat the EXPRESS executions of POST /process, with the workflow definitions of both releases."""
    for definitions in (reader.folder, writer):
        with reader.workflow(definitions) as workflow:
            reader.restore(data)
            for name, execution in data["express"].items():
                again = outcome(workflow.run(execution["input"]))
                # An execution that confirms an order returns the time of the confirmation. The comparison ignores this
                # time, because it differs from the recorded time.
                expected = without_time(execution["repeated"])
                yield f"POST /process {name} again", expected, without_time(again)
            # During an update, API Gateway and the state machine can have different releases when a new request
            # arrives. To simulate new requests, remove the stored orders, and run the executions again.
            reader.restore({**data, "tables": {**data["tables"], "orders": {}}})
            for name, execution in data["express"].items():
                new = outcome(workflow.run(execution["input"]))
                expected = execution["repeated"]["error"] if name == "process-out-of-stock" else ""
                yield f"POST /process {name} for the first time", expected, new["error"]


def relayed(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Let the outbox relay (publish_order_events) publish the events of the stored stream records."""
    answer = reader.invoke("publish_order_events", {"Records": data["stream"]})
    yield "relay", {"batchItemFailures": []}, answer
    yield "events", data["events"], [messages.delivered(entry) for entry in reader.cloud.events.entries]


def started(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Let process_order start the workflow for the stored events."""
    for event in data["events"]:
        if event["detail-type"] == "OrderCreated":
            order_id = event["detail"]["order"]["order_id"]
            is_pending = _status(data["tables"]["orders"][order_id]) == "PENDING"
            yield f"process_order {order_id}", {"started": is_pending}, reader.invoke("process_order", event)
            yield f"execution of {order_id}", is_pending, order_id in reader.cloud.stepfunctions.executions


def finished(reader: Platform, data: Json, writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Run the STANDARD workflow from the stored inputs to its end, once with each release's definition."""
    for definitions in (reader.folder, writer):
        reader.restore(data)
        with reader.workflow(definitions) as workflow:
            for order_id, given in data["standard_inputs"].items():
                before = data["tables"]["orders"][order_id]
                ended = workflow.run_accepted(json.loads(given))
                after = reader.tables()["orders"][order_id]
                if _status(before) == "PENDING":
                    yield f"execution of {order_id}", "SUCCEEDED", ended.status
                    yield f"status of {order_id}", "CONFIRMED", _status(after)
                else:
                    yield f"decided order {order_id}", before, after


def cancelled(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Cancel every order. Only PENDING and CONFIRMED orders allow this, and only CONFIRMED orders return stock."""
    stock = {product_id: int(row["quantity"]["N"]) for product_id, row in data["tables"]["inventory"].items()}
    for name, step in data["reads"].items():
        order = step["response"]["body"]
        if "order_id" not in order:
            continue
        asked = request("orders_api", "POST", f"{name}/cancel") | {"user_id": order["user_id"]}
        answer = reader.send(asked)
        if order["status"] in ("PENDING", "CONFIRMED"):
            yield f"POST {name}/cancel", {"status": 200, "body": {"status": "CANCELLED"}}, answer
            for line in order["items"] if order["status"] == "CONFIRMED" else ():
                stock[line["product_id"]] += line["quantity"]
        else:
            yield f"POST {name}/cancel", HTTP_STATUS["InvalidTransition"], answer["status"]
    for product_id, quantity in stock.items():
        yield f"stock of {product_id}", str(quantity), reader.tables()["inventory"][product_id]["quantity"]["N"]


def failed(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Report to fail_order that the executions were aborted. fail_order must set only PENDING orders to FAILED."""
    reader.now_s += int(ENVIRONMENT["STANDARD_TIMEOUT_S"])
    for order_id, given in data["standard_inputs"].items():
        is_pending = _status(data["tables"]["orders"][order_id]) == "PENDING"
        answer = reader.invoke("fail_order", messages.aborted_execution(order_id, given))
        yield f"fail_order {order_id}", {"failed": is_pending}, answer


def mailed(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Let send_email process the stored events again.

    Its claims, the stored rows of the idempotency table, show which emails were already sent or were being sent.
    """
    results: dict[str, str] = {}
    yield from verified(reader, data)
    for event in data["events"]:
        event_id = event["detail"]["event_id"]
        results[event_id] = _mail(reader, event)
        expected = {"sent": "False", "skipped": "False", "killed": "MailClaimed"}.get(data["mails"][event_id], "True")
        yield f"send_email {event_id}", expected, results[event_id]
    reader.now_s += LATER_S
    for event in data["events"]:
        is_killed = data["mails"][event["detail"]["event_id"]] == "killed"
        yield f"send_email {event['detail']['event_id']} later", str(is_killed), _mail(reader, event)
    sent = [fate for fate in data["mails"].values() if fate in ("open", "refused", "killed")]
    yield "emails", len(sent), len(reader.cloud.sesv2.sent)


def _mail(reader: Platform, event: Json) -> str:
    try:
        return str(mail(reader, event))
    except SetAside as error:
        return str(error)
    except BatchProcessingError as error:
        # Powertools raises this error if all messages of a batch fail. This batch has only one message. Return the
        # class name of the error that this message caused.
        [(_, found, _)] = error.child_exceptions
        return type(found).__name__
    except Exception as error:  # noqa: BLE001 - the error's name is the result
        return type(error).__name__


def analyzed(reader: Platform, data: Json, _writer: Path) -> Iterator[tuple[str, Any, Any]]:
    """Process the messages of the analytics queue and the failure queue again, with and without the objects in S3."""
    bodies = data["analytics_messages"]
    redriven = [message["MessageBody"] for message in data["failure_queue"]]
    for has_objects in (True, False):
        reader.restore(data if has_objects else {**data, "objects": {}})
        reader.invoke("record_analytics", messages.queue_batch([*bodies, *redriven]))
        objects = reader.cloud.s3.objects
        yield "new messages in the failure queue", 0, len(reader.cloud.sqs.sent)
        yield "objects", len(bodies), len(objects)
        for key, body in data["objects"].items():
            got = objects.get((ENVIRONMENT["ANALYTICS_BUCKET"], key), b"null")
            yield f"object {key}", json.loads(body), json.loads(got)


def without_time(result: Json) -> Json:
    """Return the result of an execution without the time of the order's last change."""
    return {**result, "output": {**(result["output"] or {}), "updated_at": None}}


def changed(before: Json, after: Json) -> list[str]:
    """Return the table and key of each row that differs between `before` and `after`, or exists in only one of them."""
    return [
        f"{table} {key}"
        for table, rows in after.items()
        for key in sorted({*rows, *before[table]})
        if rows.get(key) != before[table].get(key)
    ]


def _status(row: Json) -> str:
    return row["status"]["S"]


CONTINUED: Final[tuple[Check, ...]] = (reads, relayed, cancelled)
"""The checks for orders that two releases changed in turn."""
EXECUTIONS: Final[tuple[Check, ...]] = (executions, finished)
"""The checks that run executions with the workflow definitions of the release that wrote the data.

Only the previous release needs these checks. An execution ends within hours, so no execution of an older release still
runs."""
LASTING: Final[tuple[Check, ...]] = (
    reads,
    repeats,
    executions,
    relayed,
    started,
    cancelled,
    failed,
    mailed,
    analyzed,
)
"""The checks for stored data that exist longer than an execution can run."""
CHECKS: Final[tuple[Check, ...]] = (*LASTING, finished)
