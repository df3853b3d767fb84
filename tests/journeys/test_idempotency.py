"""Journey 5: a repeated request returns the same order, and a different request with the same key is refused."""

from __future__ import annotations

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, at_once, lines, unique
from tests.journeys.stack import Stack


def test_repeated_request_returns_the_order_with_its_current_status(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    first = customer.order({product: 2}, key)
    decided = watcher.decided(customer, first["order_id"])
    again = customer.rest("POST", "/orders", lines({product: 2}), Idempotency_Key=key)
    assert (again.status, again.json()) == (202, decided)
    assert again.headers["location"].endswith(f"/orders/{first['order_id']}")
    assert again.json()["created_at"] == first["created_at"]
    assert stack.stock(product) == 3
    watcher.told(first["order_id"], "OrderCreated", "OrderConfirmed")


def test_idempotency_key_with_another_body_returns_409(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    first = customer.order({product: 2}, key)
    for path in ("/orders", "/process"):
        answer = customer.rest("POST", path, lines({product: 3}), Idempotency_Key=key)
        assert (answer.status, answer.json()["code"]) == (409, "IdempotencyConflict")
    assert watcher.decided(customer, first["order_id"])["items"][0]["quantity"] == 2
    assert stack.stock(product) == 3


def test_same_idempotency_key_of_two_users_creates_two_orders(people: People, admin: Person, customer: Person) -> None:
    product, key, other = admin.put(5), unique("key"), people.somebody()
    assert customer.order({product: 1}, key)["order_id"] != other.order({product: 2}, key)["order_id"]


def test_each_request_without_an_idempotency_key_creates_an_order(admin: Person, customer: Person) -> None:
    product = admin.put(5)
    assert customer.order({product: 1})["order_id"] != customer.order({product: 1})["order_id"]


@pytest.mark.parametrize("key", ["k", "k" * 255, "clé/1 ; a=b", "7"])
def test_idempotency_key_of_up_to_255_characters_is_accepted(admin: Person, customer: Person, key: str) -> None:
    product, name = admin.put(5), key.encode().decode("latin-1")
    assert customer.order({product: 1}, name)["order_id"] == customer.order({product: 1}, name)["order_id"]


@pytest.mark.parametrize("path", ["/orders", "/process"])
@pytest.mark.parametrize("key", ["", "k" * 256])
def test_empty_or_too_long_idempotency_key_returns_400(admin: Person, customer: Person, path: str, key: str) -> None:
    answer = customer.rest("POST", path, lines({admin.put(5): 1}), Idempotency_Key=key)
    assert (answer.status, answer.json()["code"]) == (400, "ValidationError")


def test_concurrent_requests_with_one_key_create_one_order(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    placed = at_once(5, lambda: customer.order({product: 1}, key))
    assert len({order["order_id"] for order in placed}) == 1
    assert len({order["created_at"] for order in placed}) == 1
    watcher.decided(customer, placed[0]["order_id"])
    assert stack.stock(product) == 4


def test_both_order_endpoints_share_idempotency_keys(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack
) -> None:
    product, key = admin.put(5), unique("key")
    placed = customer.order({product: 1}, key)
    watcher.decided(customer, placed["order_id"])
    answer = customer.process({product: 1}, key)
    assert (answer.status, answer.json()["order_id"]) == (200, placed["order_id"])
    assert stack.stock(product) == 4
