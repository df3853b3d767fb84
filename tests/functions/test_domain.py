"""Tests of the domain: status transitions, order lines, money, timestamps and cursors."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.domain
from shared import rows
from shared.domain import cursors, money, orders, times
from shared.errors import InvalidTransition, ProductNotFound, ValidationError

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
LATER = NOW + timedelta(seconds=1)
ORDER_ID = "00000000-0000-4000-8000-000000000001"
MODULES = sorted(Path(shared.domain.__path__[0]).glob("*.py"))
# The modules that shared.domain may import. `time` and `random` are not allowed: callers pass times and ids to
# shared.domain as arguments.
ALLOWED = {
    "__future__", "base64", "binascii", "collections", "datetime", "hashlib", "json", "re", "types", "typing",
    "unicodedata", "uuid", "contracts.orders", "shared.domain", "shared.errors",
}  # fmt: skip

# Hypothesis must not limit the run time of an example, because the run time depends on the load of the machine.
examples = settings(deadline=None)
product_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
lines = st.lists(
    st.fixed_dictionaries({"product_id": product_ids, "quantity": st.integers(1, 1000)}),
    min_size=1,
    max_size=25,
    unique_by=lambda line: str(line["product_id"]),
)


def pending(*items: Any) -> orders.Order:
    return orders.new_order(ORDER_ID, "u-1", items or [{"product_id": "tea", "quantity": 2}], NOW)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_domain_imports_only_allowed_modules(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED), name


@pytest.mark.parametrize("status", ["REJECTED", "FAILED", "CANCELLED"])
def test_order_in_final_status_cannot_be_cancelled(status: Any) -> None:
    with pytest.raises(InvalidTransition, match=status):
        orders.cancelled({**pending(), "status": status}, LATER)


@pytest.mark.parametrize("status", ["PENDING", "CONFIRMED"])
def test_pending_or_confirmed_order_can_be_cancelled(status: Any) -> None:
    before: orders.Order = {**pending(), "status": status}
    after = orders.cancelled(before, LATER)
    assert after == {**before, "status": "CANCELLED", "updated_at": times.timestamp(LATER)}
    assert before["status"] == status


def test_updated_at_never_moves_backwards() -> None:
    before = orders.confirmed(pending(), [{"product_id": "tea", "unit_price": 3, "currency": "JPY"}], LATER)
    assert orders.cancelled(before, NOW)["updated_at"] == before["updated_at"] > times.timestamp(NOW)


def test_only_pending_order_can_be_confirmed() -> None:
    price: orders.Price = {"product_id": "tea", "unit_price": 5, "currency": "JPY"}
    confirmed = orders.confirmed(pending(), [price], LATER)
    with pytest.raises(InvalidTransition):
        orders.confirmed(confirmed, [price], LATER)


@examples
@given(lines, st.data())
def test_total_is_the_sum_of_prices_multiplied_by_quantities(items: Any, data: st.DataObject) -> None:
    prices: list[orders.Price] = [
        {"product_id": line["product_id"], "unit_price": data.draw(st.integers(0, 10**9)), "currency": "JPY"}
        for line in items
    ]
    confirmed = orders.confirmed(pending(*items), reversed(prices), LATER)
    assert confirmed.get("total") == sum(
        line["quantity"] * price["unit_price"] for line, price in zip(items, prices, strict=True)
    )
    assert [line.get("unit_price") for line in confirmed["items"]] == [price["unit_price"] for price in prices]


def test_missing_price_error_names_the_product() -> None:
    with pytest.raises(ProductNotFound, match="tea"):
        orders.confirmed(pending(), [], LATER)


@examples
@given(lines)
def test_duplicate_products_are_rejected(items: Any) -> None:
    orders.check_lines(items)
    with pytest.raises(ValidationError):
        orders.check_lines([*items, items[0]])


def test_request_hash_ignores_the_order_of_fields() -> None:
    one = orders.request_hash([{"product_id": "tea", "quantity": 2}])
    assert one == orders.request_hash([{"quantity": 2, "product_id": "tea"}])
    assert one != orders.request_hash([{"product_id": "tea", "quantity": 3}])


def test_order_id_for_a_user_and_an_idempotency_key_never_changes() -> None:
    """The order id is derived from the user and the idempotency key.

    If the id changed, a client's retry would create a second order.
    """
    assert orders.order_id_for("user", "key") == "29e0182f-6887-5058-8adf-097c6ff2d283"


@examples
@given(lines)
def test_order_is_unchanged_by_conversion_to_a_row_and_back(items: Any) -> None:
    order = pending(*items)
    row = rows.order_row(order, request_hash="h", synchronous=True)
    assert rows.order_of(row) == order
    assert rows.is_synchronous(row)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1200, "JPY", "1,200 JPY"),
        (123456, "USD", "1,234.56 USD"),
        (5, "EUR", "0.05 EUR"),
        (1234, "KWD", "1.234 KWD"),
        (12345, "CLF", "1.2345 CLF"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert money.display(amount, currency) == text


def test_timestamps_are_utc_with_milliseconds() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert times.timestamp(tokyo) == times.timestamp(NOW) == "2026-01-02T03:04:05.678Z"
    assert times.timestamp(NOW.replace(microsecond=0)) == "2026-01-02T03:04:05.000Z"
    assert times.parse_timestamp("2026-01-02T03:04:05.678Z") == NOW.replace(microsecond=678000)


@examples
@given(product_ids)
def test_row_id_is_unchanged_by_conversion_to_a_cursor_and_back(row_id: str) -> None:
    assert cursors.decode(cursors.encode(row_id)) == row_id


@examples
@given(st.text(max_size=60))
def test_invalid_cursor_raises_only_validation_error(text: str) -> None:
    try:
        row_id = cursors.decode(text)
    except ValidationError:
        return
    assert cursors.encode(row_id) == text
