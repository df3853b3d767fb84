"""Generates valid and invalid inputs of the event consumers and of the workflow's two functions.

Anyone with the permission to put an event on the bus, send a message to a queue or start an execution can send any
data. The generated inputs therefore contain any data. Fields that AWS adds (sequence numbers, message ids, receive
counts) are always valid.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final, cast

from hypothesis import strategies as st

from components.functions import generated_code
from shared import rows
from shared.events import DETAIL_TYPES
from tests.contracts.answers import breaches
from tests.proof.generated_requests.bodies import VALID, body_schema, is_json, is_key, is_without_repetition
from tests.proof.generated_requests.values import changed, fields, seldom, texts, values

ORDER_IDS: Final = tuple(f"00000000-0000-4000-8000-{number:012d}" for number in range(4))
USERS: Final = ("5a9d3c1e-0000-4000-8000-00000000000a", "somebody")
_TIMES: Final = st.sampled_from(("2026-01-02T03:04:05.678Z", "2026-11-30T23:59:59.999Z"))


@st.composite
def orders(draw: st.DrawFn) -> Any:
    """Return an order in any status, in the form in which events contain orders."""
    status = draw(st.sampled_from(tuple(DETAIL_TYPES)))
    lines = draw(VALID["createOrder"])["items"]
    items = list({line["product_id"]: line for line in lines}.values())
    order: dict[str, Any] = {
        "order_id": draw(st.sampled_from(ORDER_IDS)),
        "user_id": draw(st.sampled_from(USERS)),
        "status": status,
        "items": items,
        "created_at": draw(_TIMES),
        "updated_at": draw(_TIMES),
    }
    if status == "CONFIRMED":
        order["items"] = [{**line, "unit_price": 5} for line in items]
        order |= {"total": sum(5 * line["quantity"] for line in items), "currency": "JPY"}
    if status in ("REJECTED", "FAILED"):
        code = "OutOfStock" if status == "REJECTED" else "InternalError"
        order["reason"] = {"code": code, "message": draw(texts())}
    return order


def details() -> st.SearchStrategy[Any]:
    """Return event details that match the contracts."""
    return orders().map(lambda order: {"event_id": f"{order['order_id']}:{order['status']}", "order": order})


@st.composite
def bus_events(draw: st.DrawFn) -> Any:
    """Return an event in the form in which EventBridge passes it to a function."""
    detail = draw(seldom(details(), changed(details()) | st.dictionaries(texts(), values(), max_size=3), 2))
    detail_types: dict[str, str] = {**DETAIL_TYPES}
    detail_type = detail_types.get(str(fields(detail.get("order")).get("status")), "OrderCreated")
    return {
        "version": "0",
        "id": "changes with every delivery",
        "source": "orders.api",
        "detail-type": draw(seldom(st.just(detail_type), st.sampled_from(("NoSuchEvent", "")) | texts())),
        "detail": detail,
    }


@st.composite
def stream_batches(draw: st.DrawFn) -> Any:
    """Return a batch of records from the orders table's stream, in which some of the rows are invalid."""
    records: list[Any] = []
    for number in range(draw(st.integers(1, 8))):
        # Replace unpaired surrogates in the rows, because DynamoDB cannot store them.
        good = orders().map(_row).map(_sendable)
        new = draw(seldom(good, changed(good).map(_sendable), 4))
        old = draw(st.none() | good)
        images = {"NewImage": new} if old is None else {"NewImage": new, "OldImage": old}
        if draw(st.integers(0, 9)) == 0:
            images.pop("NewImage")
        record = {"SequenceNumber": str(10**20 + number), "Keys": {"order_id": {"S": ORDER_IDS[0]}}, **images}
        records.append({"eventName": "MODIFY" if old else "INSERT", "dynamodb": record})
    return {"Records": records}


def _row(order: Any) -> dict[str, Any]:
    row = rows.order_row(order, request_hash="h", synchronous=False)
    row |= {name: {"N": str(order[name])} for name in ("total",) if name in order}
    row |= {name: {"S": order[name]} for name in ("currency",) if name in order}
    if "reason" in order:
        row["reason"] = {"M": {name: {"S": value} for name, value in order["reason"].items()}}
    return row


@st.composite
def queue_batches(draw: st.DrawFn) -> Any:
    """Return a batch of messages of the analytics queue, some of which are invalid."""
    facts = details().map(lambda detail: {**detail, "detail_type": DETAIL_TYPES[detail["order"]["status"]]})
    bodies = seldom(
        facts.map(json.dumps),
        changed(facts).map(json.dumps) | values().map(json.dumps) | texts().map(_sendable).filter(bool),
        3,
    )
    records: list[Any] = []
    for number in range(draw(st.integers(1, 6))):
        group, count = draw(st.sampled_from(("orders", "others"))), draw(st.sampled_from(("1", "2", "9")))
        attributes = {"MessageGroupId": group, "ApproximateReceiveCount": count}
        message = {"messageId": f"m{number}", "eventSource": "aws:sqs", "attributes": attributes, "body": draw(bodies)}
        records.append(message)
    return {"Records": records}


def _sendable(value: Any) -> Any:
    """Return the value with `?` in place of each unpaired surrogate."""
    if isinstance(value, dict):
        return {_sendable(key): _sendable(each) for key, each in fields(value).items()}
    if isinstance(value, list):
        return [_sendable(each) for each in cast("list[Any]", value)]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


@st.composite
def first_inputs(draw: st.DrawFn) -> Any:
    """Return a valid or invalid input of the workflow's first step."""
    content = seldom(VALID["createOrder"], changed(VALID["createOrder"]) | values(), 3)
    request = st.fixed_dictionaries(
        {"user_id": st.sampled_from(USERS), "content": content},
        optional={
            "idempotency_key": st.sampled_from(("k", "k" * 255)) | texts(),
            "content_type": seldom(st.just("application/json"), texts(), 3),
            "too_large": st.just(value=True),
        },
    )
    pending = orders().filter(lambda order: order["status"] == "PENDING").map(lambda order: {"order": order})
    both = st.fixed_dictionaries({"request": request}) | pending
    return draw(seldom(both, changed(both) | values(), 3))


@st.composite
def last_inputs(draw: st.DrawFn) -> Any:
    """Return a valid or invalid input of the step that confirms an order: the order, and its products with prices."""
    order = draw(orders().filter(lambda each: each["status"] == "PENDING"))
    products = [
        {"product_id": line["product_id"], "unit_price": draw(st.sampled_from((5, 5.0))), "currency": "JPY"}
        for line in order["items"]
    ]
    good = st.just({"order": order, "products": products})
    return draw(seldom(good, changed(good) | values(), 2))


def is_event(detail_type: Any, detail: Any) -> bool:
    """Return whether `detail` matches the contract of its detail type.

    The check doesn't use the functions' own validator, because the attack tests that validator.
    """
    schemas = _schemas()
    return isinstance(detail_type, str) and detail_type in schemas and breaches(schemas[detail_type], detail) == []


def is_pending(order: Any) -> bool:
    """Return whether a value is a valid order with the status PENDING."""
    return is_event("OrderCreated", {"event_id": f"{fields(order).get('order_id')}:PENDING", "order": order})


def fact_in(body: str) -> Any:
    """Return the event in a message of the analytics queue, or None if the message contains no valid event."""
    try:
        fact: Any = json.loads(body)
        json.dumps(fact, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    detail = {name: value for name, value in fields(fact).items() if name != "detail_type"}
    return fact if is_event(fields(fact).get("detail_type"), detail) else None


def is_input(given: Any) -> bool:
    """Return whether the workflow's first step must accept this input."""
    if "request" not in fields(given):
        order: Any = fields(given).get("order")
        return is_pending(order) and is_without_repetition(order["items"])
    request = fields(given["request"])
    user, key, kind = (request.get(name) for name in ("user_id", "idempotency_key", "content_type"))
    return (
        isinstance(user, str)
        and re.fullmatch("[A-Za-z0-9-]{1,64}", user) is not None
        and (key is None or is_key(key))
        and (kind is None or (isinstance(kind, str) and is_json(kind)))
        and "too_large" not in request
        and breaches(body_schema("processOrder"), request.get("content")) == []
        and is_without_repetition(request["content"]["items"])
    )


@cache
def _schemas() -> dict[str, Any]:
    return {name: schema for name, schema in generated_code.schemas().items() if name in DETAIL_TYPES.values()}
