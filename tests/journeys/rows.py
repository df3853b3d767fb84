"""Creates orders and their rows for tests that write an order directly into the table."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.journeys.people import Person
from tests.journeys.stack import Stack

OLD: Final = timedelta(days=2)
"""An age that is greater than every time limit of the STANDARD workflow."""


def pending(owner: Person, product_id: str, *, age: timedelta = timedelta()) -> dict[str, Any]:
    """Return a PENDING order of two units of a product, created `age` ago. The orders table does not contain it."""
    now = timestamp(datetime.now(UTC) - age)
    return {
        "order_id": str(uuid.uuid4()),
        "user_id": owner.sub,
        "status": "PENDING",
        "items": [{"product_id": product_id, "quantity": 2}],
        "created_at": now,
        "updated_at": now,
    }


def write_undecided(stack: Stack, order: dict[str, Any]) -> None:
    """Write the row of a synchronous order, but start no execution.

    On AWS, an EXPRESS execution leaves such a row if it ends right after writing the row.
    """
    (line,) = order["items"]
    row = {
        **{name: {"S": order[name]} for name in ("order_id", "user_id", "status", "created_at", "updated_at")},
        "items": {"L": [{"M": {"product_id": {"S": line["product_id"]}, "quantity": {"N": str(line["quantity"])}}}]},
        "request_hash": {"S": "unknown"},
        "synchronous": {"BOOL": True},
    }
    stack.aws("dynamodb", "put_item", TableName=stack.ops["tables"]["orders"], Item=row)


def make_older(stack: Stack, order_id: str, age: timedelta) -> None:
    """Set the creation time of an order to `age` ago."""
    stack.aws(
        "dynamodb",
        "update_item",
        TableName=stack.ops["tables"]["orders"],
        Key={"order_id": {"S": order_id}},
        UpdateExpression="SET created_at = :moment",
        ExpressionAttributeValues={":moment": {"S": timestamp(datetime.now(UTC) - age)}},
    )


def timestamp(moment: datetime) -> str:
    """Return a time in the contracts' format, for example `2026-01-02T03:04:05.678Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
