"""Tests of /orders: placing, reading, listing and cancelling orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.orders import order_id_for
from tests.fakes.dynamodb import FakeDynamoDB, cancelled_transaction
from tests.fakes.faults import LASTING
from tests.fakes.gateway import OTHER_USER, USER, Request
from tests.fakes.runtime import LoadedFunction
from tests.functions.conftest import Api, Load

LINES = [{"product_id": "tea", "quantity": 2}, {"product_id": "cup", "quantity": 1}]
PRICES = [
    {"product_id": "tea", "unit_price": 500, "currency": "JPY"},
    {"product_id": "cup", "unit_price": 1200, "currency": "JPY"},
]


def place(key: str | None = None, lines: list[dict[str, Any]] = LINES, user_id: str = USER) -> Request:
    headers = {} if key is None else {"Idempotency-Key": key}
    return Request(method="POST", path="/orders", body={"items": lines}, headers=headers, user_id=user_id)


def get(order_id: str, user_id: str = USER, groups: tuple[str, ...] = ()) -> Request:
    return Request(method="GET", path=f"/orders/{order_id}", user_id=user_id, groups=groups)


def cancel(order_id: str, user_id: str = USER, groups: tuple[str, ...] = ()) -> Request:
    return Request(method="POST", path=f"/orders/{order_id}/cancel", user_id=user_id, groups=groups)


def listing(user_id: str = USER, **query: str) -> Request:
    return Request(method="GET", path="/orders", query=query, user_id=user_id)


@pytest.fixture
def update_inventory(load: Load) -> LoadedFunction:
    return load("update_inventory")


@pytest.fixture
def confirmed(orders_api: Api, update_inventory: LoadedFunction, stock: Callable[..., None]) -> dict[str, Any]:
    """A confirmed order of 2 tea and 1 cup. Before the order, 10 of each product were in stock."""
    stock("tea")
    stock("cup")
    return update_inventory({"order": orders_api(place()).body, "products": PRICES})


def in_stock(dynamodb: FakeDynamoDB, product_id: str) -> int:
    row = dynamodb.item("inventory", product_id)
    assert row is not None
    return int(row["quantity"]["N"])


class TestPlacing:
    def test_order_is_accepted_as_pending_without_prices(self, orders_api: Api) -> None:
        answer = orders_api(place())
        assert answer.status == 202
        assert answer.body == {
            "order_id": answer.body["order_id"],
            "user_id": USER,
            "status": "PENDING",
            "items": LINES,
            "created_at": answer.body["created_at"],
            "updated_at": answer.body["created_at"],
        }
        assert answer.headers["Location"] == f"/prod/orders/{answer.body['order_id']}"
        assert answer.headers["Retry-After"] == "1"

    def test_equal_requests_without_an_idempotency_key_create_two_orders(self, orders_api: Api) -> None:
        assert orders_api(place()).body["order_id"] != orders_api(place()).body["order_id"]

    def test_same_idempotency_key_and_body_return_the_same_order(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        first, second = orders_api(place("k")), orders_api(place("k"))
        assert (second.status, second.body) == (202, first.body)
        assert len(dynamodb.tables["orders"].items) == 1

    def test_repeated_idempotency_key_returns_the_current_state_of_the_order(
        self, orders_api: Api, update_inventory: LoadedFunction, stock: Callable[..., None]
    ) -> None:
        stock("tea")
        stock("cup")
        first = orders_api(place("k"))
        now = update_inventory({"order": first.body, "products": PRICES})
        second = orders_api(place("k"))
        assert (second.status, second.body) == (202, now)
        assert second.body["created_at"] == first.body["created_at"]

    def test_repeated_order_request_waits_for_a_running_transaction(
        self, orders_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        first = orders_api(place("k"))
        dynamodb.faults.refuse("put_item", "TransactionConflictException", times=5)
        assert orders_api(place("k")).body == first.body

    def test_same_idempotency_key_with_another_body_is_a_conflict(self, orders_api: Api) -> None:
        orders_api(place("k"))
        answer = orders_api(place("k", LINES[:1]))
        assert (answer.status, answer.body["code"]) == (409, "IdempotencyConflict")

    def test_same_idempotency_key_of_two_users_creates_two_orders(self, orders_api: Api) -> None:
        mine, theirs = orders_api(place("k")), orders_api(place("k", LINES[:1], OTHER_USER))
        assert theirs.status == 202
        assert mine.body["order_id"] != theirs.body["order_id"]

    @pytest.mark.parametrize("key", [None, "k"])
    def test_sdk_retry_of_order_creates_one_order(
        self, orders_api: Api, dynamodb: FakeDynamoDB, key: str | None
    ) -> None:
        dynamodb.faults.lose_answer("put_item")
        answer = orders_api(place(key))
        assert (answer.status, answer.body["status"]) == (202, "PENDING")
        assert len(dynamodb.tables["orders"].items) == 1

    def test_idempotency_key_can_have_at_most_255_characters(self, orders_api: Api) -> None:
        assert orders_api(place("k" * 255)).status == 202
        refused = orders_api(place("k" * 256))
        assert (refused.status, refused.body["code"]) == (400, "ValidationError")
        assert orders_api(place("")).status == 400

    def test_product_in_two_lines_is_rejected(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        answer = orders_api(place(lines=[LINES[0], LINES[1], LINES[0]]))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")
        assert "items[2].product_id" in answer.body["message"]
        assert dynamodb.tables["orders"].items == {}


class TestReading:
    def test_owner_and_admin_can_read_an_order(self, orders_api: Api) -> None:
        order = orders_api(place()).body
        assert orders_api(get(order["order_id"])).body == order
        assert orders_api(get(order["order_id"], OTHER_USER, ("admin",))).body == order

    def test_order_of_another_user_is_not_found(self, orders_api: Api) -> None:
        order = orders_api(place()).body
        anothers = orders_api(get(order["order_id"], OTHER_USER))
        none = orders_api(get(order_id_for(OTHER_USER, "none"), OTHER_USER))
        assert (anothers.status, anothers.body) == (none.status, none.body)
        assert none.body["code"] == "OrderNotFound"

    @pytest.mark.parametrize("order_id", ["1", "A" * 36, "x" * 3000])
    def test_malformed_order_id_is_not_found(self, orders_api: Api, dynamodb: FakeDynamoDB, order_id: str) -> None:
        assert orders_api(get(order_id)).body["code"] == "OrderNotFound"
        assert dynamodb.faults.of("get_item") == []


class TestListing:
    @pytest.fixture
    def five(self, orders_api: Api, dynamodb: FakeDynamoDB) -> list[str]:
        """Ids of the caller's five orders, newest first. The two newest orders have the same creation time.

        The table also contains an order of another user.
        """
        ids: list[str] = []
        for second in (1, 2, 3, 4, 4):
            order_id = orders_api(place()).body["order_id"]
            row = dynamodb.item("orders", order_id)
            assert row is not None
            row["created_at"] = {"S": f"2026-01-01T00:00:0{second}.000Z"}
            dynamodb.put("orders", row)
            ids.append(order_id)
        orders_api(place(user_id=OTHER_USER))
        return [*sorted(ids[3:], reverse=True), *reversed(ids[:3])]

    def test_own_orders_are_listed_newest_first(self, orders_api: Api, five: list[str]) -> None:
        answer = orders_api(listing())
        assert [order["order_id"] for order in answer.body["orders"]] == five
        assert "next_cursor" not in answer.body

    @pytest.mark.parametrize("limit", [1, 2, 3, 5])
    def test_pages_contain_all_orders_and_no_page_is_empty(self, orders_api: Api, five: list[str], limit: int) -> None:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = orders_api(listing(limit=str(limit), **cursor)).body
            assert page["orders"]
            seen += [order["order_id"] for order in page["orders"]]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == five

    def test_cursor_of_another_user_is_rejected(self, orders_api: Api, five: list[str]) -> None:
        del five
        cursor = orders_api(listing(limit="1")).body["next_cursor"]
        answer = orders_api(listing(OTHER_USER, cursor=cursor))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")

    @pytest.mark.parametrize("cursor", ["", "x", "djE6", "djE6MQ", "ä", "djE6MQ==", "-" * 200])
    def test_cursor_that_was_never_issued_is_rejected(self, orders_api: Api, cursor: str) -> None:
        assert orders_api(listing(cursor=cursor)).body["code"] == "ValidationError"

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "", "ten", "1e1", " 5", "٣"])
    def test_page_limit_outside_1_to_100_is_rejected(self, orders_api: Api, limit: str) -> None:
        assert orders_api(listing(limit=limit)).body["code"] == "ValidationError"


class TestCancelling:
    def test_cancelled_pending_order_leaves_stock_unchanged(
        self, orders_api: Api, dynamodb: FakeDynamoDB, stock: Callable[..., None]
    ) -> None:
        stock("tea")
        order = orders_api(place()).body
        answer = orders_api(cancel(order["order_id"]))
        assert (answer.status, answer.body["status"]) == (200, "CANCELLED")
        assert orders_api(get(order["order_id"])).body == answer.body
        assert in_stock(dynamodb, "tea") == 10

    def test_cancelled_confirmed_order_returns_its_stock(
        self, orders_api: Api, dynamodb: FakeDynamoDB, confirmed: dict[str, Any]
    ) -> None:
        assert in_stock(dynamodb, "tea") == 8
        answer = orders_api(cancel(confirmed["order_id"]))
        assert answer.body == {**confirmed, "status": "CANCELLED", "updated_at": answer.body["updated_at"]}
        assert orders_api(get(confirmed["order_id"])).body == answer.body
        assert (in_stock(dynamodb, "tea"), in_stock(dynamodb, "cup")) == (10, 10)

    def test_second_cancellation_is_rejected(
        self, orders_api: Api, dynamodb: FakeDynamoDB, confirmed: dict[str, Any]
    ) -> None:
        orders_api(cancel(confirmed["order_id"]))
        answer = orders_api(cancel(confirmed["order_id"]))
        assert (answer.status, answer.body["code"]) == (409, "InvalidTransition")
        assert in_stock(dynamodb, "tea") == 10

    def test_cancellation_of_a_pending_order_succeeds_if_the_sdk_retries_the_write(
        self, orders_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        order = orders_api(place()).body
        dynamodb.faults.lose_answer("update_item")
        assert orders_api(cancel(order["order_id"])).status == 200

    def test_cancellation_of_a_confirmed_order_returns_its_stock_once_if_the_sdk_retries_the_write(
        self, orders_api: Api, dynamodb: FakeDynamoDB, confirmed: dict[str, Any]
    ) -> None:
        dynamodb.faults.lose_answer("transact_write_items")
        assert orders_api(cancel(confirmed["order_id"])).status == 200
        assert in_stock(dynamodb, "tea") == 10

    @pytest.mark.parametrize("groups", [(), ("admin",)])
    def test_other_users_and_admins_cannot_cancel_an_order(self, orders_api: Api, groups: tuple[str, ...]) -> None:
        order = orders_api(place()).body
        answer = orders_api(cancel(order["order_id"], OTHER_USER, groups))
        assert (answer.status, answer.body["code"]) == (404, "OrderNotFound")
        assert orders_api(get(order["order_id"])).body["status"] == "PENDING"

    def test_admin_can_cancel_own_order(self, orders_api: Api) -> None:
        order = orders_api(place()).body
        assert orders_api(cancel(order["order_id"], groups=("admin",))).status == 200

    def test_order_confirmed_during_its_cancellation_returns_its_stock(
        self,
        orders_api: Api,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        stock: Callable[..., None],
    ) -> None:
        stock("tea")
        stock("cup", 10, 1200)
        order = orders_api(place()).body
        dynamodb.faults.before("update_item", lambda: update_inventory({"order": order, "products": PRICES}))
        answer = orders_api(cancel(order["order_id"]))
        assert (answer.status, answer.body["status"], answer.body["total"]) == (200, "CANCELLED", 2200)
        assert in_stock(dynamodb, "tea") == 10

    def test_one_of_two_concurrent_cancellations_succeeds(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        order = orders_api(place()).body
        statuses: list[int] = []
        dynamodb.faults.before("update_item", lambda: statuses.append(orders_api(cancel(order["order_id"])).status))
        statuses.append(orders_api(cancel(order["order_id"])).status)
        assert sorted(statuses) == [200, 409]

    def test_cancellation_is_retried_after_stock_contention(
        self, orders_api: Api, dynamodb: FakeDynamoDB, confirmed: dict[str, Any]
    ) -> None:
        busy = cancelled_transaction([{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}])
        dynamodb.faults.refuse("transact_write_items", busy, times=2)
        assert orders_api(cancel(confirmed["order_id"])).status == 200

    def test_cancellation_waits_for_a_running_transaction(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        order = orders_api(place()).body
        dynamodb.faults.refuse("update_item", "TransactionConflictException", times=5)
        answer = orders_api(cancel(order["order_id"]))
        assert (answer.status, answer.body["status"]) == (200, "CANCELLED")

    def test_lasting_stock_contention_returns_429(
        self, orders_api: Api, dynamodb: FakeDynamoDB, confirmed: dict[str, Any]
    ) -> None:
        busy = cancelled_transaction([{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}])
        dynamodb.faults.refuse("transact_write_items", busy, times=LASTING)
        answer = orders_api(cancel(confirmed["order_id"]))
        assert (answer.status, answer.body["code"]) == (429, "TooManyRequests")
        assert in_stock(dynamodb, "tea") == 8


class TestExpectedTotal:
    def body(self, expected_total: int) -> Request:
        return Request(
            method="POST",
            path="/orders",
            body={"items": LINES, "expected_total": expected_total},
            headers={"Idempotency-Key": "key"},
        )

    def test_expected_total_is_stored_but_not_returned(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        order = orders_api(self.body(5)).body
        row = dynamodb.item("orders", order["order_id"])
        assert row is not None
        assert row["expected_total"] == {"N": "5"}
        assert "expected_total" not in order

    def test_same_idempotency_key_with_another_expected_total_is_a_conflict(self, orders_api: Api) -> None:
        assert [orders_api(self.body(total)).status for total in (5, 5, 6)] == [202, 202, 409]

    @pytest.mark.parametrize("total", [-1, 1.0, "5", None, 25_000_000_000_001])
    def test_invalid_expected_total_is_rejected(self, orders_api: Api, total: Any) -> None:
        answer = orders_api(self.body(total))
        assert (answer.status, answer.body["details"][0]["pointer"]) == (400, "/expected_total")
