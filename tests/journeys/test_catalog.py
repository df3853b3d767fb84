"""Journey 2: an admin maintains the catalog, and customers read its pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.people import Person, unique

PRODUCT = {"name": "Sencha", "unit_price": 980, "currency": "JPY", "quantity": 12}


def test_admin_can_create_and_replace_a_product(admin: Person, customer: Person) -> None:
    path = f"/products/{unique('tea')}"
    created = admin.http("PUT", path, PRODUCT)
    assert (created.status, created.json()) == (201, {"product_id": path.rpartition("/")[2], **PRODUCT})
    replaced = admin.http("PUT", path, {**PRODUCT, "unit_price": 1100, "quantity": 3})
    assert (replaced.status, replaced.json()["unit_price"]) == (200, 1100)
    assert customer.http("GET", path).json() == replaced.json()


def test_customer_cannot_write_a_product(customer: Person) -> None:
    path = f"/products/{unique('tea')}"
    answer = customer.http("PUT", path, PRODUCT)
    assert (answer.status, answer.json()["code"]) == (403, "Forbidden")
    assert customer.http("GET", path).status == 404


def test_unknown_product_returns_404(customer: Person) -> None:
    answer = customer.http("GET", f"/products/{unique('none')}")
    assert (answer.status, answer.json()["code"]) == (404, "ProductNotFound")


def test_catalog_pages_list_each_product_once_in_id_order(admin: Person, customer: Person) -> None:
    mine = sorted(admin.put(1) for _ in range(7))
    seen, path, pages = list[str](), "/products?limit=3", 0
    while path:
        page = customer.http("GET", path).json()
        assert len(page["products"]) == 3 or "next_cursor" not in page
        seen += [product["product_id"] for product in page["products"]]
        path = f"/products?limit=3&cursor={page['next_cursor']}" if "next_cursor" in page else ""
        pages += 1
    assert pages >= 3
    assert seen == sorted(set(seen))
    assert [product for product in seen if product in mine] == mine


def test_product_shows_its_reduced_stock_after_a_sale(admin: Person, customer: Person) -> None:
    product = admin.put(5)
    assert customer.process({product: 2}).status == 200
    assert customer.http("GET", f"/products/{product}").json()["quantity"] == 3


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "limit=1.5", "cursor=x"])
def test_invalid_limit_or_cursor_returns_400(customer: Person, query: str) -> None:
    for answer in (customer.http("GET", f"/products?{query}"), customer.rest("GET", f"/orders?{query}")):
        assert (answer.status, answer.json()["code"]) == (400, "ValidationError")


def test_order_pages_list_the_newest_orders_first(admin: Person, customer: Person) -> None:
    product = admin.put(100)
    placed = [customer.order({product: number})["order_id"] for number in (1, 2, 3, 4, 5)]
    seen, path = list[dict[str, Any]](), "/orders?limit=2"
    while path:
        page = customer.rest("GET", path).json()
        assert len(page["orders"]) <= 2
        seen += page["orders"]
        path = f"/orders?limit=2&cursor={page['next_cursor']}" if "next_cursor" in page else ""
    assert [order["order_id"] for order in seen] == placed[::-1]


def test_user_cannot_see_another_users_orders(people: Any, admin: Person, customer: Person) -> None:
    product = admin.put(100)
    order_id = customer.order({product: 1})["order_id"]
    customer.order({product: 1})
    cursor = customer.rest("GET", "/orders?limit=1").json()["next_cursor"]
    other = people.somebody()
    assert other.rest("GET", "/orders").json() == {"orders": []}
    hidden, none = other.rest("GET", f"/orders/{order_id}"), other.rest("GET", f"/orders/{order_id[::-1]}")
    assert (hidden.status, none.status) == (404, 404)
    assert hidden.json() | {"request_id": ""} == none.json() | {"request_id": ""}
    assert other.rest("GET", f"/orders?cursor={cursor}").status == 400
    assert admin.rest("GET", f"/orders/{order_id}").status == 200
