"""Runs a fixed script with the functions of a release, and returns the data that the functions wrote.

The script places an order for each status that an order can have, with POST /orders and with POST /process. The name of
each order below is also its idempotency key. If the functions write a new kind of data, add a step that writes it.
Never rename or remove an order, because the stored data of earlier releases contain these names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from contracts.queues import RECEIVED_AT_MOST
from shared import rows
from tests.fakes.gateway import OTHER_USER, USER
from tests.fakes.runtime import ENVIRONMENT
from tests.releases import messages
from tests.releases.platform import Json, Platform
from tests.workflow.harness import Ended, Workflow

PRODUCTS: Final[Mapping[str, tuple[int, str]]] = {"cup": (40, "JPY"), "rare": (1, "JPY"), "tea": (50, "EUR")}
"""Stock and currency of each product."""
_CUPS: Final = [("cup", 2)]
ACCEPTED: Final[Mapping[str, list[tuple[str, int]]]] = {
    "pending": _CUPS,
    "confirmed": [("cup", 2), ("rare", 1)],
    "out-of-stock": [("rare", 5)],
    "unknown-product": [("gone", 1)],
    "two-currencies": [("cup", 1), ("tea", 1)],
    "failed": _CUPS,
    "cancelled": _CUPS,
    "cancelled-later": _CUPS,
    "not-started": _CUPS,
}
"""The lines of each order of POST /orders."""
SYNCHRONOUS: Final[Mapping[str, list[tuple[str, int]]]] = {
    "process-confirmed": _CUPS,
    "process-out-of-stock": [("rare", 5)],
    "process-failed": _CUPS,
    "process-cancelled": _CUPS,
    "process-pending": _CUPS,
}
"""The lines of each order of POST /process."""
_DECIDED: Final = ("confirmed", "out-of-stock", "unknown-product", "two-currencies", "cancelled-later")
"""Orders of POST /orders whose workflow runs to its end."""
_LISTS: Final = (("orders_api", "/orders", "order_id"), ("catalog_api", "/products", "product_id"))
KEY: Final = "Idempotency-Key"
LATER_S: Final = 60
"""Seconds after which an EXPRESS execution or an invocation of a function must have ended."""


class SetAside(Exception):
    """Raised if a function sent a message to its failure queue. The exception's text is the message's error code."""


class Killed(BaseException):
    """Raised inside a function or execution to end it as if its execution environment had stopped."""


def request(function: str, method: str, path: str, **fields: Any) -> Json:
    """Return a request of the user USER to the API that `function` serves."""
    return {"function": function, "method": method, "path": path, "user_id": USER, **fields}


def content(lines: list[tuple[str, int]]) -> Json:
    """Return the request body of an order."""
    return {"items": [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]}


def outcome(ended: Ended) -> Json:
    """Return the result of an execution."""
    return {"status": ended.status, "output": ended.output, "error": ended.error, "cause": ended.cause}


@dataclass
class _Recorder:
    platform: Platform
    requests: dict[str, Json] = field(default_factory=dict[str, Json])
    express: dict[str, Json] = field(default_factory=dict[str, Json])
    events: list[Json] = field(default_factory=list[Json])
    _relayed: int = 0

    def send(self, name: str, asked: Json) -> Json:
        """Send a request, record it under `name`, and return the body of the response."""
        self.platform.now_s += 1
        answer = self.platform.send(asked)
        assert HTTPStatus(answer["status"]).is_success, f"{name}: {answer}"
        self.requests[name] = {"request": asked, "response": answer}
        self.relay()
        return answer["body"]

    def process(self, workflow: Workflow, name: str) -> None:
        """Run the EXPRESS execution of POST /process for the order `name`, and record its input and result."""
        self.platform.now_s += 1
        given = messages.express_input(USER, name, content(SYNCHRONOUS[name]))
        self.express[name] = {"input": given}
        with suppress(Killed):
            self.express[name]["first"] = outcome(workflow.run(given))
        self.relay()

    def relay(self) -> None:
        """Run publish_order_events for all new stream records, and record the events that it publishes."""
        stream = self.platform.cloud.dynamodb.tables["orders"].stream
        if stream[self._relayed :]:
            self.platform.invoke("publish_order_events", messages.stream_batch(stream[self._relayed :]))
        self._relayed = len(stream)
        entries = self.platform.cloud.events.entries
        self.events += [messages.delivered(entry) for entry in entries[len(self.events) :]]

    def order_id(self, name: str) -> str:
        return self.requests[name]["response"]["body"]["order_id"]


def record(platform: Platform) -> Json:
    """Run this module's script, and return everything that the functions wrote and returned, as JSON."""
    recorder = _Recorder(platform)
    _place(recorder)
    _decide(recorder)
    mails = _mail(recorder)
    queue = _analyze(recorder)
    cloud = platform.cloud
    written: Json = {
        "now_s": platform.now_s,
        "tables": platform.tables(),
        "stream": messages.stream_batch(cloud.dynamodb.tables["orders"].stream)["Records"],
        "requests": recorder.requests,
        "events": recorder.events,
        "mails": mails,
        "standard_inputs": {name: start["input"] for name, start in cloud.stepfunctions.executions.items()},
        "analytics_messages": queue,
        "failure_queue": list(cloud.sqs.sent),
        "objects": {key: body.decode() for (_, key), body in cloud.s3.objects.items()},
        "reads": _read(platform),
    }
    # Repeating the executions can change rows, so the script repeats them only after recording everything else.
    with platform.workflow() as workflow:
        for each in recorder.express.values():
            each["repeated"] = outcome(workflow.run(each["input"]))
    return json.loads(json.dumps({**written, "express": recorder.express}))


def continued(platform: Platform, data: Json) -> Json:
    """Finish one order of another release, cancel a second one, and return the data with these changes."""
    platform.restore(data)
    pending = data["requests"]["pending"]["response"]["body"]["order_id"]
    with platform.workflow() as workflow:
        ended = workflow.run_accepted(json.loads(data["standard_inputs"][pending]))
        assert ended.status == "SUCCEEDED", ended
    confirmed = data["requests"]["confirmed"]["response"]["body"]["order_id"]
    answer = platform.send(request("orders_api", "POST", f"/orders/{confirmed}/cancel"))
    assert answer["status"] == HTTPStatus.OK, answer
    records = messages.stream_batch(platform.cloud.dynamodb.tables["orders"].stream)
    platform.invoke("publish_order_events", records)
    written = {
        "tables": platform.tables(),
        "stream": records["Records"],
        "events": [messages.delivered(entry) for entry in platform.cloud.events.entries],
        "reads": _read(platform),
    }
    return json.loads(json.dumps({**data, **written}))


def _place(recorder: _Recorder) -> None:
    body = {"name": "Ann", "email": "ann@example.com"}
    recorder.send("profile", request("users_api", "POST", "/users", body=body, email=body["email"]))
    for product_id, (quantity, currency) in PRODUCTS.items():
        product = {"name": f"A {product_id}", "unit_price": 500, "currency": currency, "quantity": quantity}
        path = f"/products/{product_id}"
        recorder.send(product_id, request("catalog_api", "PUT", path, body=product, groups=["admin"]))
    for name, lines in ACCEPTED.items():
        recorder.send(name, request("orders_api", "POST", "/orders", body=content(lines), headers={KEY: name}))
    recorder.send("without-key", request("orders_api", "POST", "/orders", body=content(_CUPS)))
    other = {"user_id": OTHER_USER, "headers": {KEY: "without-profile"}}
    recorder.send("without-profile", request("orders_api", "POST", "/orders", body=content(_CUPS)) | other)


def _decide(recorder: _Recorder) -> None:
    platform = recorder.platform
    for event in list(recorder.events):
        if event["detail"]["order"]["order_id"] != recorder.order_id("not-started"):
            platform.invoke("process_order", event)
    inputs = platform.cloud.stepfunctions.executions
    with platform.workflow() as workflow:
        for name in _DECIDED:
            platform.now_s += 1
            workflow.run_accepted(json.loads(inputs[recorder.order_id(name)]["input"]))
            recorder.relay()
        recorder.process(workflow, "process-confirmed")
        recorder.process(workflow, "process-out-of-stock")
        workflow.fail("CheckInventory", "States.Runtime")
        recorder.process(workflow, "process-failed")
        recorder.process(workflow, "process-cancelled")
        workflow.meanwhile("CheckInventory", _kill)
        recorder.process(workflow, "process-pending")
    platform.now_s += int(ENVIRONMENT["STANDARD_TIMEOUT_S"])
    # The orders `failed` and `process-failed` are still PENDING. The EXPRESS execution of `process-failed` failed, so
    # it has no output with the order's id. The `cause` of its failure is the id.
    for failed in (recorder.order_id("failed"), recorder.express["process-failed"]["first"]["cause"]):
        given = json.dumps({"order": rows.order_of(platform.tables()["orders"][failed])})
        assert platform.invoke("fail_order", messages.aborted_execution(failed, given))["failed"]
    at_once = recorder.express["process-cancelled"]["first"]["output"]["order_id"]
    cancelled = {name: recorder.order_id(name) for name in ("cancelled", "cancelled-later")}
    for name, order_id in {**cancelled, "process-cancelled": at_once}.items():
        recorder.send(f"cancel {name}", request("orders_api", "POST", f"/orders/{order_id}/cancel"))
    # If a synchronous order is still PENDING, process_order starts its workflow, but only after the latest possible end
    # of the order's EXPRESS execution. The script therefore advances the time before it invokes process_order.
    platform.now_s += LATER_S
    last = [event for event in recorder.events if event["detail-type"] == "OrderCreated"][-1]
    platform.invoke("process_order", last)


def _kill() -> None:
    raise Killed


def _mail(recorder: _Recorder) -> dict[str, str]:
    """Let send_email process every event, and return {event id: result}.

    The result is `sent`, `skipped` (no email was needed), `refused` by SES, `killed` while sending, or `open` (not yet
    delivered).
    """
    platform, ses = recorder.platform, recorder.platform.cloud.sesv2
    special: dict[str, Json] = dict(zip(("open", "refused", "killed"), recorder.events[-3:], strict=True))
    special_ids: dict[str, str] = {event["detail"]["event_id"]: fate for fate, event in special.items()}
    fates: dict[str, str] = {}
    for event in recorder.events:
        event_id = event["detail"]["event_id"]
        fates[event_id] = special_ids.get(event_id, "")
        if not fates[event_id]:
            fates[event_id] = "sent" if mail(platform, event) else "skipped"
    plans: dict[str, Callable[[], None]] = {
        "refused": lambda: ses.faults.refuse("send_email", "TooManyRequestsException"),
        "killed": lambda: ses.faults.before("send_email", _kill),
    }
    for fate, plan in plans.items():
        plan()
        with suppress(Killed, Exception):
            mail(platform, special[fate])
    return fates


def mail(platform: Platform, event: Json) -> bool:
    """Deliver an event to send_email, and return whether an email was sent.

    Raises SetAside if send_email sent the message to the failure queue. If send_email fails, raises its error.
    """
    cloud = platform.cloud
    sent, queued = len(cloud.sesv2.sent), len(cloud.sqs.sent)
    platform.invoke("send_email", event)
    # In release 0.1.0, send_email sends the email when EventBridge delivers the event. In later releases, send_email
    # puts an event from EventBridge into its queue, and sends the email when it receives the event from the queue.
    bodies = [message["MessageBody"] for message in cloud.sqs.sent[queued:]]
    del cloud.sqs.sent[queued:]
    if bodies:
        platform.invoke("send_email", messages.queue_batch(bodies, group=None))
    for message in cloud.sqs.sent[queued:]:
        del cloud.sqs.sent[queued:]
        raise SetAside(message["MessageAttributes"]["ERROR_CODE"]["StringValue"])
    return len(cloud.sesv2.sent) > sent


def _analyze(recorder: _Recorder) -> list[str]:
    """Write the analytics record of every event except the last one. The last event goes to the failure queue."""
    queue = [messages.analytics_body(event) for event in recorder.events]
    recorder.platform.invoke("record_analytics", messages.queue_batch(queue[:-1]))
    recorder.platform.cloud.s3.faults.refuse("put_object", "SlowDown")
    recorder.platform.invoke("record_analytics", messages.queue_batch(queue[-1:], received=RECEIVED_AT_MOST))
    return queue


def _read(platform: Platform) -> dict[str, Json]:
    """Read the profile, the orders and the products with the APIs, and return {path: request and response}."""
    reads: dict[str, Json] = {}

    def read(asked: Json) -> Json:
        answer = platform.send(asked)
        assert answer["status"] == HTTPStatus.OK, f"{asked}: {answer}"
        query = "".join(f"?{name}={text}" for name, text in asked.get("query", {}).items() if name == "cursor")
        reads[f"{asked['path']}{query}"] = {"request": asked, "response": answer}
        return answer["body"]

    read(request("users_api", "GET", f"/users/{USER}"))
    for function, path, name in _LISTS:
        query = {"limit": "2"}
        while True:
            page = read(request(function, "GET", path, query=query))
            for each in page[path.removeprefix("/")]:
                read(request(function, "GET", f"{path}/{each[name]}"))
            if "next_cursor" not in page:
                break
            query = {"limit": "2", "cursor": page["next_cursor"]}
    for order in read(request("orders_api", "GET", "/orders") | {"user_id": OTHER_USER})["orders"]:
        read(request("orders_api", "GET", f"/orders/{order['order_id']}") | {"user_id": OTHER_USER})
    return reads
