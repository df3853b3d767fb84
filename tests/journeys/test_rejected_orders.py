"""Journey 4: an order that cannot be fulfilled is rejected with a reason and changes no stock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, unique
from tests.journeys.stack import Stack
from tests.support.published import as_published


@dataclass(frozen=True)
class Case:
    """An order that the workflow must reject with the error code `code` as the reason."""

    code: str
    items: dict[str, int]
    stock: dict[str, int]
    """{product id: stock}. The rejected order must not change the stock."""


@pytest.fixture(params=["OutOfStock", "ProductNotFound", "ValidationError"])
def case(request: pytest.FixtureRequest, admin: Person) -> Case:
    enough = admin.put(5)
    if request.param == "OutOfStock":
        short = admin.put(2)
        return Case(request.param, {enough: 1, short: 3}, {enough: 5, short: 2})
    if request.param == "ProductNotFound":
        return Case(request.param, {enough: 1, unique("unknown"): 1}, {enough: 5})
    foreign = admin.put(5, currency="USD")
    return Case(request.param, {enough: 1, foreign: 1}, {enough: 5, foreign: 5})


def test_rejection_reason_is_in_the_row_execution_event_and_email(
    case: Case, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    order_id = customer.order(case.items)["order_id"]
    order = watcher.decided(customer, order_id)
    assert (order["status"], order["reason"]["code"]) == ("REJECTED", case.code)
    assert "total" not in order
    assert {product: stack.stock(product) for product in case.stock} == case.stock
    execution = watcher.ended(order_id)
    assert (execution["status"], execution["error"]) == ("FAILED", case.code)
    assert execution["cause"] == order["reason"]["message"]
    _, rejected = watcher.told(order_id, "OrderCreated", "OrderRejected")
    assert rejected["detail"] == {"event_id": f"{order_id}:REJECTED", "order": as_published(order)}
    mails = watcher.until(
        lambda: [mail for mail in stack.mails(customer.email) if mail["Subject"] == "Your order is rejected"],
        "the email about the rejection arrives",
        order_id,
    )
    assert f"Reason: {order['reason']['message']}" in mails[0]["BodyText"]


def test_rejection_reason_names_only_the_product_out_of_stock(
    admin: Person, customer: Person, watcher: Watcher
) -> None:
    enough, short = admin.put(5), admin.put(1)
    order = watcher.decided(customer, customer.order({enough: 5, short: 2})["order_id"])
    assert short in order["reason"]["message"]
    assert enough not in order["reason"]["message"]


def test_last_stock_is_sold_once_to_concurrent_buyers(
    people: People, admin: Person, watcher: Watcher, stack: Stack
) -> None:
    first, second = admin.put(3), admin.put(3)
    buyers = [people.somebody() for _ in range(6)]

    def buy(buyer: Person) -> dict[str, Any]:
        # Half of the buyers use POST /process, and the other half use POST /orders. Half of the orders list the two
        # products in reverse order.
        number = buyers.index(buyer)
        items = {first: 1, second: 1} if number % 2 else {second: 1, first: 1}
        if number < 3:
            buyer.process(items)
        else:
            watcher.decided(buyer, buyer.order(items)["order_id"])
        return buyer.rest("GET", "/orders").json()["orders"][0]

    with ThreadPoolExecutor(max_workers=6) as pool:
        orders = list(pool.map(buy, buyers))
    assert sorted(order["status"] for order in orders) == ["CONFIRMED"] * 3 + ["REJECTED"] * 3
    assert (stack.stock(first), stack.stock(second)) == (0, 0)
