"""Tests of GET /products, GET /products/{product_id} and PUT /products/{product_id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import Request
from tests.functions.conftest import Api

TEA = {"name": "Tea", "unit_price": 500, "currency": "JPY", "quantity": 10}


def put(product_id: str = "tea", groups: tuple[str, ...] = ("admin",), **changes: Any) -> Request:
    return Request(method="PUT", path=f"/products/{product_id}", body={**TEA, **changes}, groups=groups)


def get(product_id: str) -> Request:
    return Request(method="GET", path=f"/products/{product_id}")


def listing(**query: str) -> Request:
    return Request(method="GET", path="/products", query=query)


def sell(dynamodb: FakeDynamoDB, product_id: str, quantity: int) -> None:
    row = dynamodb.item("inventory", product_id)
    assert row is not None
    row["quantity"] = {"N": str(int(row["quantity"]["N"]) - quantity)}
    dynamodb.put("inventory", row)


class TestPutting:
    def test_put_creates_new_product(self, catalog_api: Api) -> None:
        answer = catalog_api(put())
        assert (answer.status, answer.body) == (201, {"product_id": "tea", **TEA})
        assert catalog_api(get("tea")).body == answer.body

    def test_put_replaces_product_including_its_stock(self, catalog_api: Api, dynamodb: FakeDynamoDB) -> None:
        catalog_api(put())
        sell(dynamodb, "tea", 4)
        answer = catalog_api(put(name="Green tea", quantity=3))
        assert (answer.status, answer.body["quantity"]) == (200, 3)
        assert catalog_api(get("tea")).body == {"product_id": "tea", **TEA, "name": "Green tea", "quantity": 3}

    def test_put_replaces_a_product_whose_row_lacks_a_request_id(
        self, catalog_api: Api, stock: Callable[..., None]
    ) -> None:
        stock("tea")
        assert catalog_api(put()).status == 200

    def test_put_of_a_new_product_returns_201_if_the_sdk_retries_the_write(
        self, catalog_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        # The function calls UpdateItem twice: first to replace the product, and then to create it. Planned faults apply
        # to the calls in order. The first fault does nothing, so that the second one loses the response of the second
        # call.
        dynamodb.faults.before("update_item", lambda: None)
        dynamodb.faults.lose_answer("update_item")
        assert catalog_api(put()).status == 201

    def test_sdk_retry_of_a_product_replacement_does_not_undo_a_sale(
        self, catalog_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        catalog_api(put())
        request_id = "the replacement"

        def first_attempt_and_a_sale() -> None:
            row = dynamodb.item("inventory", "tea")
            assert row is not None
            written = dynamodb.faults.of("update_item")[-1]["ExpressionAttributeValues"]
            dynamodb.put("inventory", {**row, "request_id": written[":request_id"], "quantity": written[":quantity"]})
            sell(dynamodb, "tea", 4)

        dynamodb.faults.before("update_item", first_attempt_and_a_sale)
        assert catalog_api(put(name=request_id, quantity=20)).status == 200
        assert catalog_api(get("tea")).body["quantity"] == 16

    def test_put_waits_for_a_running_transaction(self, catalog_api: Api, dynamodb: FakeDynamoDB) -> None:
        catalog_api(put())
        dynamodb.faults.refuse("update_item", "TransactionConflictException", times=5)
        assert catalog_api(put(quantity=3)).status == 200

    def test_product_created_concurrently_is_replaced(
        self, catalog_api: Api, dynamodb: FakeDynamoDB, stock: Callable[..., None]
    ) -> None:
        dynamodb.faults.before("update_item", lambda: None)
        dynamodb.faults.before("update_item", lambda: stock("tea", 99))
        assert catalog_api(put()).status == 200
        assert catalog_api(get("tea")).body["quantity"] == 10

    @pytest.mark.parametrize("groups", [(), ("staff",), ("administrators",)])
    def test_put_without_group_admin_is_forbidden(
        self, catalog_api: Api, dynamodb: FakeDynamoDB, groups: tuple[str, ...]
    ) -> None:
        answer = catalog_api(put(groups=groups))
        assert (answer.status, answer.body["code"]) == (403, "Forbidden")
        assert dynamodb.tables["inventory"].items == {}

    @pytest.mark.parametrize("product_id", ["-tea", "_tea", "t" * 65, "té", "tea pot", "tea%20pot"])
    def test_invalid_product_id_is_rejected(self, catalog_api: Api, product_id: str) -> None:
        assert (catalog_api(put(product_id)).status, catalog_api(get(product_id)).status) == (400, 404)

    @pytest.mark.parametrize(
        "change",
        [
            {"unit_price": -1},
            {"unit_price": 1_000_000_001},
            {"unit_price": 1.0},
            {"unit_price": "1"},
            {"unit_price": True},
            {"quantity": -1},
            {"quantity": 1_000_001},
            {"currency": "yen"},
            {"currency": "JPY\n"},
            {"currency": "AAA"},
            {"currency": "DEM"},
            {"currency": "XXX"},
            {"currency": "XAU"},
            {"name": ""},
            {"name": "x" * 201},
            {"sku": "tea"},
        ],
    )
    def test_product_with_a_value_outside_its_range_is_rejected(self, catalog_api: Api, change: dict[str, Any]) -> None:
        answer = catalog_api(put(**change))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")

    @pytest.mark.parametrize("currency", ["JPY", "XCG", "ZWG", "CLF"])
    def test_active_currency_is_accepted(self, catalog_api: Api, currency: str) -> None:
        assert catalog_api(put(currency=currency)).status == 201

    def test_error_message_does_not_list_all_currencies(self, catalog_api: Api) -> None:
        message = catalog_api(put(currency="AAA")).body["message"]
        assert message == "body.currency: got 3 characters; allowed: one of the 165 values in the OpenAPI document"

    @pytest.mark.parametrize("change", [{"unit_price": 0, "quantity": 0}, {"unit_price": 10**9, "quantity": 10**6}])
    def test_minimum_and_maximum_values_are_accepted(self, catalog_api: Api, change: dict[str, Any]) -> None:
        assert catalog_api(put(**change)).status == 201


class TestListing:
    @pytest.fixture
    def ids(self, stock: Callable[..., None]) -> list[str]:
        for number in (3, 1, 5, 2, 4):
            stock(f"p{number}")
        return [f"p{number}" for number in range(1, 6)]

    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_pages_contain_all_products_in_id_order(self, catalog_api: Api, ids: list[str], limit: int) -> None:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = catalog_api(listing(limit=str(limit), **cursor)).body
            assert page["products"]
            seen += [product["product_id"] for product in page["products"]]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == ids

    def test_default_page_has_20_products(self, catalog_api: Api, stock: Callable[..., None]) -> None:
        for number in range(25):
            stock(f"p{number}")
        assert len(catalog_api(listing()).body["products"]) == 20

    def test_page_of_100_products_requires_one_batch_get_item_call(
        self, catalog_api: Api, dynamodb: FakeDynamoDB, stock: Callable[..., None]
    ) -> None:
        for number in range(120):
            stock(f"p{number}")
        assert len(catalog_api(listing(limit="100")).body["products"]) == 100
        assert len(dynamodb.faults.of("batch_get_item")) == 1

    def test_empty_catalog_returns_empty_page(self, catalog_api: Api) -> None:
        assert catalog_api(listing()).body == {"products": []}

    def test_unprocessed_keys_are_read_again(self, catalog_api: Api, dynamodb: FakeDynamoDB, ids: list[str]) -> None:
        dynamodb.unprocessed = [3, 1]
        assert [product["product_id"] for product in catalog_api(listing()).body["products"]] == ids

    def test_keys_that_stay_unprocessed_return_429(
        self, catalog_api: Api, dynamodb: FakeDynamoDB, ids: list[str]
    ) -> None:
        del ids
        dynamodb.unprocessed = [3, 3, 3, 3]
        answer = catalog_api(listing())
        assert (answer.status, answer.body["code"]) == (429, "TooManyRequests")

    @pytest.mark.parametrize("cursor", ["", "x", "djE6bm9uZQ", "djE6cDE=", "djI6cDE"])
    def test_cursor_that_was_never_issued_is_rejected(self, catalog_api: Api, ids: list[str], cursor: str) -> None:
        del ids
        answer = catalog_api(listing(cursor=cursor))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")


class TestReadingByIds:
    def test_products_are_returned_in_the_order_of_the_requested_ids(
        self, catalog_api: Api, stock: Callable[..., None]
    ) -> None:
        for product_id in ("a", "b", "c"):
            stock(product_id)
        answer = catalog_api(listing(ids="c,a,c"))
        assert [product["product_id"] for product in answer.body["products"]] == ["c", "a"]
        assert answer.body.keys() == {"products"}

    def test_response_omits_requested_products_with_unknown_or_malformed_ids(
        self, catalog_api: Api, stock: Callable[..., None]
    ) -> None:
        stock("a")
        answer = catalog_api(listing(ids="b,a,,a b,_c"))
        assert [product["product_id"] for product in answer.body["products"]] == ["a"]
        assert catalog_api(listing(ids="b")).body == {"products": []}

    def test_request_for_more_than_100_ids_is_rejected(self, catalog_api: Api, stock: Callable[..., None]) -> None:
        ids = [f"p{number}" for number in range(101)]
        for product_id in ids:
            stock(product_id)
        assert len(catalog_api(listing(ids=",".join(ids[:100]))).body["products"]) == 100
        assert catalog_api(listing(ids=",".join(ids))).status == 400

    @pytest.mark.parametrize("query", [{"ids": ""}, {"ids": "a", "limit": "5"}, {"ids": "a", "cursor": "djE6YQ"}])
    def test_invalid_list_of_ids_is_rejected(self, catalog_api: Api, query: dict[str, str]) -> None:
        answer = catalog_api(listing(**query))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")
        assert answer.body["message"].startswith("ids: ")

    def test_keys_that_dynamodb_left_out_are_read_again(
        self, catalog_api: Api, dynamodb: FakeDynamoDB, stock: Callable[..., None]
    ) -> None:
        stock("a")
        dynamodb.unprocessed = [1]
        assert [product["product_id"] for product in catalog_api(listing(ids="a")).body["products"]] == ["a"]
