"""Orders: their fields, status changes, idempotency keys and prices."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from contracts.orders import TRANSITIONS, Status
from shared.domain import money
from shared.domain.times import timestamp
from shared.errors import InvalidTransition, OutOfStock, PriceChanged, ProductNotFound, ValidationError

LONGEST_IDEMPOTENCY_KEY: Final = 255
# Never change _CANONICAL, which `request_hash` uses, or _ORDER_IDS, which `order_id_for` uses. A client can retry a
# request after a new release was deployed. If a constant had changed, the retry would get a different hash or order id,
# and would not match the order that the first attempt created.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_ORDER_IDS: Final = uuid.UUID("6f1b9f0e-52a8-4c1d-9a53-0d6f3f0c7b21")
_ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NewLine(TypedDict):
    """One line of a new order."""

    product_id: str
    quantity: int


class Line(NewLine):
    """One line of an order. Confirmation adds the product's `unit_price` (in minor units) and `name` at that time.

    Orders that release 0.1.0 confirmed have no names.
    """

    unit_price: NotRequired[int]
    name: NotRequired[str]


class Reason(TypedDict):
    """The reason why an order was rejected or failed. `code` is the name of an error class.

    `details` contains the details of the error. Orders that release 0.1.0 rejected have no details.
    """

    code: str
    message: str
    details: NotRequired[list[dict[str, Any]]]


class Order(TypedDict):
    """An order as in API responses and events. The schema is `Order` in contracts/rest-api.yaml."""

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
    """A product's price in the catalog, in minor units of `currency`, and the product's name.

    Prices that the workflow of release 0.1.0 sends have no name.
    """

    product_id: str
    unit_price: int
    currency: str
    name: NotRequired[str]


def is_order_id(text: str) -> bool:
    """Return whether `text` has the format of an order id."""
    return _ORDER_ID.fullmatch(text) is not None


def check_idempotency_key(key: str) -> None:
    """Raise ValidationError unless `key` is valid Unicode text of 1 to 255 characters."""
    if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise ValidationError(
            f"Idempotency-Key: got {len(key)} characters; must be 1 to {LONGEST_IDEMPOTENCY_KEY}, or omit the header"
        )
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise ValidationError("Idempotency-Key: contains an unpaired surrogate; send valid Unicode text") from error


def order_id_for(user_id: str, idempotency_key: str) -> str:
    """Return the order id for a user's idempotency key. The same user and key always give the same id."""
    return str(uuid.uuid5(_ORDER_IDS, f"{user_id}:{idempotency_key}"))


def request_hash(items: Sequence[NewLine], expected_total: int | None = None) -> str:
    """Return a SHA-256 hash of a request. The order of the JSON fields in the request does not affect the hash.

    Without `expected_total`, the hash covers only the lines, as in release 0.1.0.
    """
    request = items if expected_total is None else {"items": items, "expected_total": expected_total}
    return hashlib.sha256(_CANONICAL.encode(request).encode()).hexdigest()


def check_lines(items: Iterable[NewLine]) -> None:
    """Raise ValidationError if two lines have the same product. A JSON schema cannot express this rule."""
    seen: set[str] = set()
    for position, line in enumerate(items):
        if line["product_id"] in seen:
            raise ValidationError(
                f"items[{position}].product_id: {line['product_id']} has several lines; "
                "send one line per product and add up its quantities",
                [
                    {
                        "pointer": f"/items/{position}/product_id",
                        "rule": "uniqueItems",
                        "message": "has several lines; send one line per product and add up its quantities",
                    }
                ],
            )
        seen.add(line["product_id"])


def new_order(order_id: str, user_id: str, items: Iterable[NewLine], now: datetime) -> Order:
    """Return a new order with the status PENDING."""
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


def not_in_catalog(product_ids: Sequence[str]) -> ProductNotFound:
    """Return the error for unknown products, with the same text and details as in workflows/order.asl.json."""
    details = [{"product_id": product_id} for product_id in product_ids]
    return ProductNotFound(f"Not in the catalog: {', '.join(product_ids)}", details)


def out_of_stock(shortages: Sequence[tuple[NewLine, int]]) -> OutOfStock:
    """Return the error for lines whose products have too little stock, each with the available quantity.

    workflows/order.asl.json builds the same text and details.
    """
    details = [
        {"product_id": line["product_id"], "requested": line["quantity"], "available": available}
        for line, available in shortages
    ]
    return OutOfStock(f"Not enough in stock: {', '.join(line['product_id'] for line, _ in shortages)}", details)


def price_changed(expected_total: int, total: int, currency: str) -> PriceChanged:
    """Return the error for an order whose total, in minor units, differs from the expected total."""
    now, expected = money.display(total, currency), money.display(expected_total, currency)
    return PriceChanged(
        f"The total is {now}, but the order expects {expected}",
        [{"expected_total": expected_total, "total": total, "currency": currency}],
    )


def confirmed(order: Order, prices: Iterable[Price], now: datetime) -> Order:
    """Return `order` as CONFIRMED, with unit prices, names, total and currency.

    Raises ProductNotFound if `prices` lacks a product, ValidationError if the prices have different currencies, and
    InvalidTransition if the order is not PENDING.
    """
    moved = _with_status(order, "CONFIRMED", now)
    by_product = {price["product_id"]: price for price in prices}
    unknown = [line["product_id"] for line in order["items"] if line["product_id"] not in by_product]
    if unknown:
        raise not_in_catalog(unknown)
    bought = [by_product[line["product_id"]] for line in order["items"]]
    currencies = sorted({price["currency"] for price in bought})
    if len(currencies) > 1:
        raise ValidationError(
            f"items: prices in several currencies ({', '.join(currencies)}); place one order per currency"
        )
    moved["items"] = [_priced(line, price) for line, price in zip(order["items"], bought, strict=True)]
    moved["total"] = sum(
        line["quantity"] * price["unit_price"] for line, price in zip(order["items"], bought, strict=True)
    )
    moved["currency"] = currencies[0]
    return moved


def cancelled(order: Order, now: datetime) -> Order:
    """Return `order` as CANCELLED. Raises InvalidTransition if the current status does not allow cancellation."""
    return _with_status(order, "CANCELLED", now)


def _priced(line: Line, price: Price) -> Line:
    priced: Line = {
        "product_id": line["product_id"],
        "quantity": line["quantity"],
        "unit_price": price["unit_price"],
    }
    if "name" in price:
        priced["name"] = price["name"]
    return priced


def _with_status(order: Order, status: Status, now: datetime) -> Order:
    allowed = TRANSITIONS[order["status"]]
    if status not in allowed:
        raise InvalidTransition(
            f"status: {order['status']} cannot become {status}; allowed: {', '.join(sorted(allowed)) or 'no change'}"
        )
    moved = order.copy()
    moved["status"] = status
    # Never move `updated_at` backward. `now` can be earlier than the stored time: clocks differ between machines, and a
    # retry uses the time of its first attempt.
    moved["updated_at"] = max(timestamp(now), order["updated_at"])
    return moved
