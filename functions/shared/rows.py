"""Converts orders, products and profiles to rows in DynamoDB's JSON format, and converts rows back.

These functions replace boto3's TypeDeserializer, because the import of boto3 would slow down every cold start. The
functions also keep internal attributes (request_hash, synchronous, expected_total, request_id, catalog_id,
email_verified, late_shard, restarts) out of API responses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from contracts.orders import LATE_SHARD
from shared.domain.orders import Line, Order, Price
from shared.domain.products import Product, ProductContent
from shared.domain.users import User
from shared.errors import InternalError

Row = Mapping[str, Any]
"""Maps attribute names to typed values, for example {"quantity": {"N": "5"}}. Numbers are text in this format."""

CATALOG_PARTITION: Final = "products"
"""Partition key of all products in the index `catalog`. It allows a Query of all products instead of a Scan."""

NO_LONGER_LATE: Final = f"REMOVE {LATE_SHARD}"
"""Part of the update expression of every decision. It removes the order from the index `late`."""


def order_row(
    order: Order, *, request_hash: str, synchronous: bool, expected_total: int | None = None
) -> dict[str, Any]:
    """Return the row of a new order. The confirmation compares the total with `expected_total` unless it is None."""
    expected = {} if expected_total is None else {"expected_total": {"N": str(expected_total)}}
    return {
        "order_id": {"S": order["order_id"]},
        "user_id": {"S": order["user_id"]},
        "status": {"S": order["status"]},
        "items": lines_value(order["items"]),
        "created_at": {"S": order["created_at"]},
        "updated_at": {"S": order["updated_at"]},
        "request_hash": {"S": request_hash},
        "synchronous": {"BOOL": synchronous},
        **expected,
    }


def lines_value(lines: list[Line]) -> dict[str, Any]:
    """Return the value of an order's `items` attribute."""
    return {"L": [{"M": _line_value(line)} for line in lines]}


def order_of(row: Row) -> Order:
    """Return the order in a row or stream image, without internal attributes."""
    order: Order = {
        "order_id": row["order_id"]["S"],
        "user_id": row["user_id"]["S"],
        "status": row["status"]["S"],
        "items": [_line_of(value["M"]) for value in row["items"]["L"]],
        "created_at": row["created_at"]["S"],
        "updated_at": row["updated_at"]["S"],
    }
    if "total" in row:
        order["total"] = int(row["total"]["N"])
    if "currency" in row:
        order["currency"] = row["currency"]["S"]
    if "reason" in row:
        reason = row["reason"]["M"]
        order["reason"] = {"code": reason["code"]["S"], "message": reason["message"]["S"]}
        if "details" in reason:
            order["reason"]["details"] = json.loads(reason["details"]["S"])
    return order


def expected_total_of(row: Row) -> int | None:
    """Return the total that the client expects for an order, in minor units, or None."""
    return int(row["expected_total"]["N"]) if "expected_total" in row else None


def is_synchronous(row: Row) -> bool:
    """Return whether the order was placed with POST /process."""
    return bool(row.get("synchronous", {}).get("BOOL"))


def late_shard(order_id: str) -> str:
    """Return the order's partition key in the index `late`: the last digit of its id, which is random."""
    return order_id[-1]


def is_late(row: Row) -> bool:
    """Return whether the order is in the index `late`."""
    return LATE_SHARD in row


def restarts_of(row: Row) -> int:
    """Return how often the sweep has restarted the order's workflow with a new execution name."""
    return int(row.get("restarts", {}).get("N", "0"))


def user_row(user: User, *, request_id: str) -> dict[str, Any]:
    """Return the row of a profile. The address of `user` must be one that the user pool has verified."""
    return {
        "user_id": {"S": user["user_id"]},
        "name": {"S": user["name"]},
        "email": {"S": user["email"]},
        "email_verified": {"BOOL": True},
        "created_at": {"S": user["created_at"]},
        "request_id": {"S": request_id},
    }


def has_verified_email(row: Row) -> bool:
    """Return whether the address in a profile's row is verified. Release 0.1.0 did not verify addresses."""
    return bool(row.get("email_verified", {}).get("BOOL"))


def user_of(row: Row) -> User:
    """Return the profile in a row, without internal attributes."""
    return {
        "user_id": row["user_id"]["S"],
        "name": row["name"]["S"],
        "email": row["email"]["S"],
        "created_at": row["created_at"]["S"],
    }


def product_values(content: ProductContent, *, request_id: str) -> dict[str, Any]:
    """Return the attributes of a product's row, except for the key `product_id`."""
    return {
        "name": {"S": content["name"]},
        "unit_price": {"N": str(content["unit_price"])},
        "currency": {"S": content["currency"]},
        "quantity": {"N": str(content["quantity"])},
        "catalog_id": {"S": CATALOG_PARTITION},
        "request_id": {"S": request_id},
    }


def product_of(row: Row) -> Product:
    """Return the product in a row, without internal attributes."""
    return {
        "product_id": row["product_id"]["S"],
        "name": row["name"]["S"],
        "unit_price": int(row["unit_price"]["N"]),
        "currency": row["currency"]["S"],
        "quantity": int(row["quantity"]["N"]),
    }


def price_of(row: Any) -> Price:
    """Return the price of the product `row`. A whole float is valid too, because the workflow's JSONata can produce it.

    Raises InternalError if the product has no valid price.
    """
    fields = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    product_id, unit_price, currency = (fields.get(name) for name in ("product_id", "unit_price", "currency"))
    known = isinstance(product_id, str) and isinstance(currency, str) and not isinstance(unit_price, bool)
    if not known or not isinstance(unit_price, int | float) or unit_price != unit_price // 1:
        raise InternalError("product: missing or invalid price")
    price: Price = {"product_id": str(product_id), "unit_price": int(unit_price), "currency": str(currency)}
    name = fields.get("name")
    if isinstance(name, str):
        price["name"] = name
    return price


def _line_value(line: Line) -> dict[str, Any]:
    value: dict[str, Any] = {"product_id": {"S": line["product_id"]}, "quantity": {"N": str(line["quantity"])}}
    if "unit_price" in line:
        value["unit_price"] = {"N": str(line["unit_price"])}
    if "name" in line:
        value["name"] = {"S": line["name"]}
    return value


def _line_of(value: Row) -> Line:
    line: Line = {"product_id": value["product_id"]["S"], "quantity": int(value["quantity"]["N"])}
    if "unit_price" in value:
        line["unit_price"] = int(value["unit_price"]["N"])
    if "name" in value:
        line["name"] = value["name"]["S"]
    return line
