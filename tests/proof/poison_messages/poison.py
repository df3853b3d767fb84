"""Poison: invalid data that somebody with direct access could write to the table, the analytics queue or the bus."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tests.journeys.rows import timestamp

GIANT: Final = 200_000
"""Number of characters: more than the platform allows in any field, and less than AWS's limits."""
Row = dict[str, Any]


def row(**changes: Any) -> Row:
    """Return the row of a new order in DynamoDB's JSON, with the attributes in `changes`. None removes an attribute."""
    now = timestamp(datetime.now(UTC))
    line = {"M": {"product_id": {"S": "apple"}, "quantity": {"N": "1"}}}
    made = {
        "order_id": {"S": str(uuid.uuid4())},
        "user_id": {"S": str(uuid.uuid4())},
        "status": {"S": "PENDING"},
        "items": {"L": [line]},
        "created_at": {"S": now},
        "updated_at": {"S": now},
        "request_hash": {"S": "unknown"},
        "synchronous": {"BOOL": False},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def poison_rows() -> dict[str, Row]:
    """Return {kind of error: row}. The outbox relay cannot build a valid event from any of these rows."""
    order_id = {"S": str(uuid.uuid4())}
    giant = {"M": {"product_id": {"S": "x" * GIANT}, "quantity": {"N": "1"}}}
    return {
        "no order": {"order_id": order_id, "note": {"S": "a row of somebody else"}},
        "unknown status": row(status={"S": "LOST"}),
        "missing keys": row(items=None),
        "wrong shape": row(items={"S": "two teapots"}),
        "confirmed without a price": row(status={"S": "CONFIRMED"}),
        "giant": row(items={"L": [giant]}),
    }


def order(**changes: Any) -> dict[str, Any]:
    """Return a new order in the format of events, with the fields in `changes`. None removes a field."""
    now = timestamp(datetime.now(UTC))
    made = {
        "order_id": str(uuid.uuid4()),
        "user_id": str(uuid.uuid4()),
        "status": "PENDING",
        "items": [{"product_id": "apple", "quantity": 1}],
        "created_at": now,
        "updated_at": now,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def detail(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detail of the event about the order `about` in its current status."""
    return {"event_id": f"{about['order_id']}:{about.get('status', 'PENDING')}", "order": dict(about)}


def poison_details() -> dict[str, tuple[str, Any]]:
    """Return {kind of error: (detail type, detail)} of invalid events.

    All of these detail types match a rule of EventBridge, so the events reach consumers.
    """
    line = {"product_id": "x" * GIANT, "quantity": 1}
    return {
        "wrong shape": ("OrderCreated", {"event_id": 7, "order": "two teapots"}),
        "missing keys": ("OrderCreated", detail(order(items=None))),
        "no order": ("OrderCreated", {"event_id": f"{uuid.uuid4()}:PENDING"}),
        "no id": ("OrderCreated", {"order": order()}),
        "unknown status": ("OrderCreated", detail(order(status="LOST"))),
        "another type's": ("OrderConfirmed", detail(order())),
        "giant": ("OrderCreated", detail(order(items=[line]))),
    }


def fact(detail_type: str, about: Mapping[str, Any]) -> str:
    """Return the message that EventBridge sends to the analytics queue for the event with the detail `about`."""
    return json.dumps({"event_id": about["event_id"], "detail_type": detail_type, "order": about["order"]})


def poison_facts() -> dict[str, str]:
    """Return {kind of error: message} of messages in the analytics queue that can't be recorded."""
    good = detail(order())
    details = {
        kind: json.dumps({"detail_type": detail_type, **found})
        for kind, (detail_type, found) in poison_details().items()
    }
    return {
        "not JSON": "no JSON {",
        "a list": "[1, 2]",
        "deep": "[" * 100_000,
        "unknown type": fact("NoSuchEvent", good),
        **details,
    }
