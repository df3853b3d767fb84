"""An order and its one way through."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NotRequired, TypedDict

from shared.domain.times import timestamp
from shared.errors import InvalidTransition, OutOfStock, ProductNotFound, ValidationError

Status = Literal["PENDING", "CONFIRMED", "REJECTED", "FAILED", "CANCELLED"]

# The only table of what may follow what.
TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        "PENDING": frozenset[Status](("CONFIRMED", "REJECTED", "FAILED", "CANCELLED")),
        "CONFIRMED": frozenset[Status](("CANCELLED",)),
        "REJECTED": frozenset[Status](),
        "FAILED": frozenset[Status](),
        "CANCELLED": frozenset[Status](),
    }
)
LONGEST_IDEMPOTENCY_KEY: Final = 255
# Never change them: they make the ids of the orders that have an Idempotency-Key, and what their bodies are known by.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_ORDER_IDS: Final = uuid.UUID("6f1b9f0e-52a8-4c1d-9a53-0d6f3f0c7b21")
_ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NewLine(TypedDict):
    """A line as it is ordered."""

    product_id: str
    quantity: int


class Line(NewLine):
    """A line of an order; `unit_price` in minor units, from the confirmation on."""

    unit_price: NotRequired[int]


class Reason(TypedDict):
    """Why an order was rejected or failed; `code` is an error's name."""

    code: str
    message: str


class Order(TypedDict):
    """An order as its owner and the events have it: `Order` of contracts/rest-api.yaml."""

    order_id: str
    user_id: str
    status: Status
    items: list[Line]
    total: NotRequired[int]
    currency: NotRequired[str]
    reason: NotRequired[Reason]
    created_at: str
    updated_at: str


class Price(TypedDict):
    """What the catalogue asks for a product: minor units of `currency`."""

    product_id: str
    unit_price: int
    currency: str


def is_order_id(text: str) -> bool:
    """Say whether an order could have this id."""
    return _ORDER_ID.fullmatch(text) is not None


def check_idempotency_key(key: str) -> None:
    """Raise ValidationError unless `key` is text of 1-255 characters."""
    if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise ValidationError(
            f"Idempotency-Key: got {len(key)} characters; allowed: 1 to {LONGEST_IDEMPOTENCY_KEY}, or no such header"
        )
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise ValidationError("Idempotency-Key: got half of a surrogate pair; allowed: Unicode text") from error


def order_id_for(user_id: str, idempotency_key: str) -> str:
    """Return the id of the order that the user's key stands for: always the same, and no other user's."""
    return str(uuid.uuid5(_ORDER_IDS, f"{user_id}:{idempotency_key}"))


def request_hash(items: Sequence[NewLine]) -> str:
    """Return what tells two bodies apart: SHA-256 of the lines, whatever the order of a line's fields."""
    return hashlib.sha256(_CANONICAL.encode(items).encode()).hexdigest()


def check_lines(items: Iterable[NewLine]) -> None:
    """Hold what a schema cannot say; raise ValidationError if a product stands in two lines."""
    seen: set[str] = set()
    for position, line in enumerate(items):
        if line["product_id"] in seen:
            raise ValidationError(
                f"items[{position}].product_id: got {line['product_id']} again; allowed is one line for a product; "
                "add up its quantities"
            )
        seen.add(line["product_id"])


def new_order(order_id: str, user_id: str, items: Iterable[NewLine], now: datetime) -> Order:
    """Return the order as it is accepted."""
    lines: list[Line] = [{"product_id": line["product_id"], "quantity": line["quantity"]} for line in items]
    at = timestamp(now)
    return {
        "order_id": order_id,
        "user_id": user_id,
        "status": "PENDING",
        "items": lines,
        "created_at": at,
        "updated_at": at,
    }


def not_in_catalog(product_ids: Iterable[str]) -> ProductNotFound:
    """Return the error for lines of these products, in the words of the workflow's own check."""
    return ProductNotFound(f"Not in the catalogue: {', '.join(product_ids)}")


def out_of_stock(product_ids: Iterable[str]) -> OutOfStock:
    """Return the error for lines of these products, in the words of the workflow's own check."""
    return OutOfStock(f"Not enough in stock: {', '.join(product_ids)}")


def confirmed(order: Order, prices: Iterable[Price], now: datetime) -> Order:
    """Return `order` confirmed at the catalogue's prices.

    Raises ProductNotFound for a line without a price, ValidationError for lines of different currencies, and
    InvalidTransition.
    """
    moved = _moved(order, "CONFIRMED", now)
    by_product = {price["product_id"]: price for price in prices}
    unknown = [line["product_id"] for line in order["items"] if line["product_id"] not in by_product]
    if unknown:
        raise not_in_catalog(unknown)
    bought = [by_product[line["product_id"]] for line in order["items"]]
    currencies = sorted({price["currency"] for price in bought})
    if len(currencies) > 1:
        raise ValidationError(
            f"items: got prices in {', '.join(currencies)}; allowed is one currency; place an order for each"
        )
    moved["items"] = [
        {"product_id": line["product_id"], "quantity": line["quantity"], "unit_price": price["unit_price"]}
        for line, price in zip(order["items"], bought, strict=True)
    ]
    moved["total"] = sum(
        line["quantity"] * price["unit_price"] for line, price in zip(order["items"], bought, strict=True)
    )
    moved["currency"] = currencies[0]
    return moved


def cancelled(order: Order, now: datetime) -> Order:
    """Return `order` cancelled; raise InvalidTransition if it cannot be any more."""
    return _moved(order, "CANCELLED", now)


def _moved(order: Order, status: Status, now: datetime) -> Order:
    allowed = TRANSITIONS[order["status"]]
    if status not in allowed:
        raise InvalidTransition(
            f"status: got {order['status']}, which cannot become {status}; "
            f"allowed from there: {', '.join(sorted(allowed)) or 'none'}"
        )
    moved = order.copy()
    moved["status"] = status
    # `now` can be earlier: a request that lost against another change decides again, and clocks differ.
    moved["updated_at"] = max(timestamp(now), order["updated_at"])
    return moved
