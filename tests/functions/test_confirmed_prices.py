"""Tests of update_inventory when prices or stock change after the workflow has read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared import errors
from shared.domain.orders import Order, new_order, request_hash
from shared.domain.times import utc_now
from shared.rows import order_row
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.runtime import LoadedFunction
from tests.functions.conftest import Load

ORDER_ID = "00000000-0000-4000-8000-000000000001"
READ = [
    {"product_id": "tea", "unit_price": 500, "currency": "JPY"},
    {"product_id": "cup", "unit_price": 1200, "currency": "JPY"},
]
Stock = Callable[..., None]
Confirm = Callable[[], Any]


@pytest.fixture
def pending(dynamodb: FakeDynamoDB, stock: Stock) -> Order:
    stock("tea", 10, 500)
    stock("cup", 10, 1200)
    order = new_order(
        ORDER_ID, "u-1", [{"product_id": "tea", "quantity": 2}, {"product_id": "cup", "quantity": 1}], utc_now()
    )
    hashed = request_hash([{"product_id": line["product_id"], "quantity": line["quantity"]} for line in order["items"]])
    dynamodb.put("orders", order_row(order, request_hash=hashed, synchronous=False))
    return order


@pytest.fixture
def confirm(load: Load, pending: Order) -> Confirm:
    function: LoadedFunction = load("update_inventory")
    return lambda: function({"order": pending, "products": READ})


def left(dynamodb: FakeDynamoDB) -> list[int]:
    return [int(row["quantity"]["N"]) for row in dynamodb.tables["inventory"].items.values()]


def test_confirmation_uses_current_price_after_a_change(confirm: Confirm, dynamodb: FakeDynamoDB, stock: Stock) -> None:
    stock("tea", 10, 501)
    answer = confirm()
    assert ([line["unit_price"] for line in answer["items"]], answer["total"]) == ([501, 1200], 2202)
    assert left(dynamodb) == [8, 9]


def test_changed_currency_leaves_stock_unchanged(confirm: Confirm, dynamodb: FakeDynamoDB, stock: Stock) -> None:
    stock("tea", 10, 500, "USD")
    with pytest.raises(errors.ValidationError, match="JPY, USD"):
        confirm()
    assert left(dynamodb) == [10, 10]


def test_low_stock_is_reported_although_a_price_changed(confirm: Confirm, stock: Stock) -> None:
    stock("tea", 10, 501)
    stock("cup", 0, 1201)
    with pytest.raises(errors.OutOfStock, match=r"^Not enough in stock: cup$"):
        confirm()


def test_constantly_changing_prices_end_with_the_error_stock_contention(
    confirm: Confirm, dynamodb: FakeDynamoDB, stock: Stock
) -> None:
    for price in (501, 502, 503):
        dynamodb.faults.before("transact_write_items", lambda price=price: stock("tea", 10, price))
    with pytest.raises(errors.StockContention):
        confirm()
    assert left(dynamodb) == [10, 10]


@pytest.mark.parametrize(("expected", "confirms"), [(2200, True), (2199, False), (0, False)])
def test_order_is_confirmed_only_with_its_expected_total(
    confirm: Confirm, dynamodb: FakeDynamoDB, expected: int, confirms: bool
) -> None:
    expect(dynamodb, expected)
    if confirms:
        assert confirm()["total"] == 2200
    else:
        with pytest.raises(errors.PriceChanged) as refused:
            confirm()
        assert refused.value.details == ({"expected_total": expected, "total": 2200, "currency": "JPY"},)
        assert left(dynamodb) == [10, 10]


def test_expected_total_is_compared_with_the_current_prices(
    confirm: Confirm, dynamodb: FakeDynamoDB, stock: Stock
) -> None:
    expect(dynamodb, 2202)
    stock("tea", 10, 501)
    assert confirm()["total"] == 2202
    assert left(dynamodb) == [8, 9]


def test_low_stock_is_reported_although_the_total_is_unexpected(
    confirm: Confirm, dynamodb: FakeDynamoDB, stock: Stock
) -> None:
    expect(dynamodb, 1)
    stock("cup", 0, 1200)
    with pytest.raises(errors.OutOfStock):
        confirm()


def test_error_contains_details_if_the_workflow_requests_them(load: Load, pending: Order, stock: Stock) -> None:
    stock("cup", 0, 1200)
    with pytest.raises(errors.OutOfStock) as refused:
        load("update_inventory")({"order": pending, "products": READ, "error_details": True})
    assert json.loads(str(refused.value)) == {
        "message": "Not enough in stock: cup",
        "details": [{"product_id": "cup", "requested": 1, "available": 0}],
    }


def expect(dynamodb: FakeDynamoDB, total: int) -> None:
    row = dynamodb.item("orders", ORDER_ID)
    assert row
    dynamodb.put("orders", {**row, "expected_total": {"N": str(total)}})
