"""Tests of validate_order and update_inventory, the two functions of the workflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from shared import aws, errors, rows
from shared.domain.orders import not_in_catalog, order_id_for, request_hash
from shared.events import detail_of
from tests.fakes.dynamodb import FakeDynamoDB, cancelled_transaction
from tests.fakes.faults import LASTING, client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction, SimulatedTime, in_time
from tests.functions.conftest import Load
from tests.support.graph import Graph

CONFLICT = cancelled_transaction([{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}])
NO_RESPONSE = ReadTimeoutError(endpoint_url="https://dynamodb")
LINES = [{"product_id": "tea", "quantity": 2}, {"product_id": "cup", "quantity": 1}]
PRICES = [
    {"product_id": "cup", "unit_price": 1200, "currency": "JPY"},
    {"product_id": "tea", "unit_price": 500, "currency": "JPY"},
]


def express(content: Any, *, key: str | None = None, user_id: str = USER, **others: Any) -> dict[str, Any]:
    request = {"user_id": user_id, "content": content, **others}
    return {"request": request if key is None else request | {"idempotency_key": key}}


@pytest.fixture
def validate_order(load: Load) -> LoadedFunction:
    return load("validate_order")


@pytest.fixture
def update_inventory(load: Load) -> LoadedFunction:
    return load("update_inventory")


class TestValidateOrder:
    def test_valid_request_becomes_a_pending_order_and_its_row(self, validate_order: LoadedFunction) -> None:
        answer = validate_order(express({"items": LINES}, key="k"))
        order = answer["order"]
        assert (order["order_id"], order["user_id"]) == (order_id_for(USER, "k"), USER)
        assert (order["status"], order["items"]) == ("PENDING", LINES)
        assert answer["synchronous"] is True
        assert answer["request_hash"] == request_hash(LINES)  # pyright: ignore[reportArgumentType]
        assert rows.order_of(answer["item"]) == order
        assert answer["item"]["synchronous"] == {"BOOL": True}
        assert answer["item"]["request_hash"] == {"S": answer["request_hash"]}

    def test_each_request_without_an_idempotency_key_becomes_a_new_order(self, validate_order: LoadedFunction) -> None:
        ids = {validate_order(express({"items": LINES}))["order"]["order_id"] for _ in range(2)}
        assert len(ids) == 2

    def test_accepted_order_is_returned_unchanged(self, validate_order: LoadedFunction) -> None:
        order = validate_order(express({"items": LINES}))["order"]
        answer = validate_order({"order": order})
        assert (answer["order"], answer["synchronous"]) == (order, False)
        assert answer["request_hash"] == request_hash(order["items"])

    @pytest.mark.parametrize(
        "content",
        [
            None,
            "",
            [],
            {},
            {"items": []},
            {"items": [{"product_id": "tea", "quantity": 0}]},
            {"items": LINES, "total": 1},
            {"items": [LINES[0], LINES[0]]},
        ],
    )
    def test_invalid_body_raises_validation_error(self, validate_order: LoadedFunction, content: Any) -> None:
        with pytest.raises(errors.ValidationError):
            validate_order(express(content))

    @pytest.mark.parametrize(
        "request_",
        [
            express({"items": LINES}, key=""),
            express({"items": LINES}, key="k" * 256),
            express({"items": LINES}, user_id=""),
        ],
    )
    def test_invalid_idempotency_key_or_user_id_raises_validation_error(
        self, validate_order: LoadedFunction, request_: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.ValidationError):
            validate_order(request_)

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/json; charset=shift_jis"])
    def test_media_type_other_than_json_is_rejected(self, validate_order: LoadedFunction, kind: str) -> None:
        with pytest.raises(errors.UnsupportedMediaType):
            validate_order(express({"items": LINES}, content_type=kind))
        assert validate_order(express({"items": LINES}, content_type='application/json; charset="UTF-8"'))

    def test_too_large_body_is_rejected(self, validate_order: LoadedFunction) -> None:
        with pytest.raises(errors.PayloadTooLarge):
            validate_order({"request": {"user_id": USER, "too_large": True}})

    @pytest.mark.parametrize(
        "request_",
        [
            None,
            [],
            "",
            1,
            {},
            {"user_id": USER},
            {"user_id": None, "content": {"items": LINES}},
            {"user_id": 7},
            {"user_id": USER, "content_type": 5},
            {"user_id": USER, "idempotency_key": ["k"]},
        ],
    )
    def test_malformed_request_raises_validation_error(self, validate_order: LoadedFunction, request_: Any) -> None:
        with pytest.raises(errors.ValidationError):
            validate_order({"request": request_})

    @pytest.mark.parametrize("change", [{"status": "CONFIRMED"}, {"order_id": "1"}, {"items": [LINES[0], LINES[0]]}])
    def test_invalid_accepted_order_raises_validation_error(
        self, validate_order: LoadedFunction, change: dict[str, Any]
    ) -> None:
        order = validate_order(express({"items": LINES}))["order"]
        with pytest.raises(errors.ValidationError):
            validate_order({"order": order | change})

    @pytest.mark.parametrize("event", [{}, {"order": None}, {"order": []}])
    def test_input_without_order_raises_validation_error(
        self, validate_order: LoadedFunction, event: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.ValidationError):
            validate_order(event)


class TestUpdateInventory:
    @pytest.fixture
    def pending(
        self, validate_order: LoadedFunction, dynamodb: FakeDynamoDB, stock: Callable[..., None]
    ) -> dict[str, Any]:
        """A PENDING order of 2 tea and 1 cup in the orders table. 10 tea and 10 cups are in stock."""
        stock("tea", 10)
        stock("cup", 10, 1200)
        answer = validate_order(express({"items": LINES}))
        dynamodb.put("orders", answer["item"])
        return answer["order"]

    @staticmethod
    def stored(dynamodb: FakeDynamoDB, order: dict[str, Any]) -> tuple[Any, int, int]:
        """Return (order in the orders table, stock of tea, stock of cups)."""
        row, tea, cup = (
            dynamodb.item("orders", order["order_id"]),
            *(dynamodb.item("inventory", p) for p in ("tea", "cup")),
        )
        assert row is not None
        assert tea is not None
        assert cup is not None
        return rows.order_of(row), int(tea["quantity"]["N"]), int(cup["quantity"]["N"])

    def test_confirmation_reduces_the_stock_and_sets_prices(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        answer = update_inventory({"order": pending, "products": PRICES})
        assert answer == {
            **pending,
            "status": "CONFIRMED",
            "items": [{**LINES[0], "unit_price": 500}, {**LINES[1], "unit_price": 1200}],
            "total": 2200,
            "currency": "JPY",
            "updated_at": answer["updated_at"],
        }
        assert self.stored(dynamodb, pending) == (answer, 8, 9)

    def test_event_of_a_confirmed_order_is_valid(
        self, update_inventory: LoadedFunction, load: Load, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        update_inventory({"order": pending, "products": PRICES})
        relay = load("publish_order_events")
        assert relay({"Records": dynamodb.tables["orders"].stream}) == {"batchItemFailures": []}

    def test_second_confirmation_takes_no_stock(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        first = update_inventory({"order": pending, "products": PRICES})
        dearer = [{**price, "unit_price": 9999} for price in PRICES]
        assert update_inventory({"order": pending, "products": dearer}) == first
        assert self.stored(dynamodb, pending) == (first, 8, 9)

    def test_second_confirmation_of_an_order_for_the_last_stock_succeeds(
        self, update_inventory: LoadedFunction, stock: Callable[..., None], pending: dict[str, Any]
    ) -> None:
        stock("tea", 2)
        first = update_inventory({"order": pending, "products": PRICES})
        assert update_inventory({"order": pending, "products": PRICES}) == first

    def test_sdk_retry_takes_the_stock_once(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.faults.lose_answer("transact_write_items")
        update_inventory({"order": pending, "products": PRICES})
        assert self.stored(dynamodb, pending)[1:] == (8, 9)

    def test_attempt_after_a_lost_response_has_the_same_request_token(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.faults.no_answer("transact_write_items")
        assert update_inventory({"order": pending, "products": PRICES})["status"] == "CONFIRMED"
        first, second = [call["ClientRequestToken"] for call in dynamodb.faults.of("transact_write_items")]
        assert first == second
        assert self.stored(dynamodb, pending)[1:] == (8, 9)

    def test_step_retry_finds_a_confirmation_whose_response_was_lost(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.faults.no_answer("transact_write_items")
        dynamodb.faults.refuse("transact_write_items", NO_RESPONSE, times=LASTING)
        with pytest.raises(errors.StockContention):
            update_inventory({"order": pending, "products": PRICES})
        dynamodb.faults.clear()
        assert update_inventory({"order": pending, "products": PRICES})["status"] == "CONFIRMED"
        assert self.stored(dynamodb, pending)[1:] == (8, 9)

    def test_order_with_one_line_out_of_stock_changes_nothing(
        self,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        stock: Callable[..., None],
        pending: dict[str, Any],
    ) -> None:
        stock("cup", 0)
        with pytest.raises(errors.OutOfStock, match=r"^Not enough in stock: cup$"):
            update_inventory({"order": pending, "products": PRICES})
        assert self.stored(dynamodb, pending) == (pending, 10, 0)

    def test_one_of_two_orders_gets_the_last_stock(
        self,
        update_inventory: LoadedFunction,
        validate_order: LoadedFunction,
        dynamodb: FakeDynamoDB,
        stock: Callable[..., None],
        pending: dict[str, Any],
    ) -> None:
        stock("tea", 3)
        other = validate_order(express({"items": LINES}))
        dynamodb.put("orders", other["item"])
        update_inventory({"order": pending, "products": PRICES})
        with pytest.raises(errors.OutOfStock):
            update_inventory({"order": other["order"], "products": PRICES})
        assert self.stored(dynamodb, pending)[1:] == (1, 9)

    def test_error_names_all_products_out_of_stock(
        self, update_inventory: LoadedFunction, stock: Callable[..., None], pending: dict[str, Any]
    ) -> None:
        stock("cup", 0)
        stock("tea", 1)
        with pytest.raises(errors.OutOfStock, match=r"^Not enough in stock: tea, cup$"):
            update_inventory({"order": pending, "products": PRICES})

    def test_missing_product_is_reported_instead_of_low_stock(
        self,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        stock: Callable[..., None],
        pending: dict[str, Any],
    ) -> None:
        stock("tea", 1)
        del dynamodb.tables["inventory"].items["cup"]
        with pytest.raises(errors.ProductNotFound, match=f"^{not_in_catalog(['cup'])}$"):
            update_inventory({"order": pending, "products": PRICES})

    def test_product_removed_from_catalog_raises_product_not_found(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        del dynamodb.tables["inventory"].items["cup"]
        with pytest.raises(errors.ProductNotFound):
            update_inventory({"order": pending, "products": PRICES})

    def test_line_without_a_price_raises_product_not_found(
        self, update_inventory: LoadedFunction, pending: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.ProductNotFound):
            update_inventory({"order": pending, "products": PRICES[:1]})

    @pytest.mark.parametrize(
        "changes",
        [
            {"order": None},
            {"order": {}},
            {"order": []},
            {"products": None},
            {"products": {}},
            {"products": [None]},
            {"products": [{**PRICES[0], "unit_price": None}]},
            {"products": [{**PRICES[0], "unit_price": "1200"}]},
            {"products": [{**PRICES[0], "unit_price": 1200.5}]},
            {"products": [{"product_id": "cup", "currency": "JPY"}]},
        ],
    )
    def test_malformed_input_raises_internal_error(
        self,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        pending: dict[str, Any],
        changes: dict[str, Any],
    ) -> None:
        with pytest.raises(errors.InternalError):
            update_inventory({"order": pending, "products": PRICES, **changes})
        assert self.stored(dynamodb, pending) == (pending, 10, 10)

    def test_float_price_from_jsonata_becomes_integer(
        self, update_inventory: LoadedFunction, pending: dict[str, Any]
    ) -> None:
        answer = update_inventory({"order": pending, "products": [PRICES[1], {**PRICES[0], "unit_price": 1200.0}]})
        assert answer["total"] == 2200

    def test_different_currencies_raise_validation_error(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.ValidationError, match="EUR, JPY"):
            update_inventory({"order": pending, "products": [PRICES[0], {**PRICES[1], "currency": "EUR"}]})
        assert self.stored(dynamodb, pending) == (pending, 10, 10)

    @pytest.mark.parametrize("status", ["CANCELLED", "REJECTED", "FAILED"])
    def test_cancelled_rejected_or_failed_order_is_not_changed(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any], status: str
    ) -> None:
        row = dynamodb.item("orders", pending["order_id"])
        assert row is not None
        dynamodb.put("orders", {**row, "status": {"S": status}})
        with pytest.raises(errors.InvalidTransition):
            update_inventory({"order": pending, "products": PRICES})
        assert self.stored(dynamodb, pending) == ({**pending, "status": status}, 10, 10)

    def test_missing_row_raises_order_not_found(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.tables["orders"].items.clear()
        with pytest.raises(errors.OrderNotFound):
            update_inventory({"order": pending, "products": PRICES})

    @pytest.mark.parametrize(
        "refusal",
        [
            CONFLICT,
            cancelled_transaction([{"Code": "ThrottlingError"}, {"Code": "None"}, {"Code": "None"}]),
            client_error("TransactionInProgressException", "TransactWriteItems"),
            client_error("ThrottlingException", "TransactWriteItems"),
            client_error("InternalServerError", "TransactWriteItems"),
            EndpointConnectionError(endpoint_url="https://dynamodb"),
        ],
        ids=lambda refusal: type(refusal).__name__ + str(refusal)[-40:],
    )
    def test_transient_error_is_retried_and_then_becomes_stock_contention(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any], refusal: Exception
    ) -> None:
        dynamodb.faults.refuse("transact_write_items", refusal, times=LASTING)
        with pytest.raises(errors.StockContention):
            update_inventory({"order": pending, "products": PRICES})
        dynamodb.faults.clear()
        dynamodb.faults.refuse("transact_write_items", refusal, times=5)
        assert update_inventory({"order": pending, "products": PRICES})["status"] == "CONFIRMED"

    def test_each_attempt_after_a_conflict_has_a_new_request_token(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.faults.refuse("transact_write_items", CONFLICT, times=3)
        update_inventory({"order": pending, "products": PRICES})
        assert len({call["ClientRequestToken"] for call in dynamodb.faults.of("transact_write_items")}) == 4

    def test_waits_between_attempts_are_random_and_grow(
        self,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        pending: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        ranges: list[tuple[float, float]] = []

        def uniform(low: float, high: float) -> float:
            ranges.append((low, high))
            return high

        monkeypatch.setattr("random.uniform", uniform)
        dynamodb.faults.refuse("transact_write_items", CONFLICT, times=5)
        update_inventory({"order": pending, "products": PRICES})
        assert ranges == [(0, 0.02), (0, 0.04), (0, 0.08), (0, 0.16), (0, 0.16)]

    def test_last_attempt_ends_before_the_functions_time_limit(
        self,
        update_inventory: LoadedFunction,
        dynamodb: FakeDynamoDB,
        pending: dict[str, Any],
        graph_of: Callable[[str], Graph],
    ) -> None:
        time = SimulatedTime()

        def no_response() -> None:
            time.sleep(aws.CONNECT_TIMEOUT_S + aws.READ_TIMEOUT_S)
            raise NO_RESPONSE

        for _ in range(LASTING):
            dynamodb.faults.before("transact_write_items", no_response)
        with in_time(time), pytest.raises(errors.StockContention):
            update_inventory({"order": pending, "products": PRICES})
        limit_s = graph_of("prod").one("aws:lambda/function:Function", "update-inventory").inputs["timeout"]
        retries_s = update_inventory.module.RETRIES_S
        assert retries_s < time.now_s < limit_s
        assert limit_s > retries_s + aws.CONNECT_TIMEOUT_S + aws.READ_TIMEOUT_S

    def test_permanent_error_is_not_reported_as_stock_contention(
        self, update_inventory: LoadedFunction, dynamodb: FakeDynamoDB, pending: dict[str, Any]
    ) -> None:
        dynamodb.faults.refuse("transact_write_items", "AccessDeniedException")
        with pytest.raises(Exception, match="AccessDeniedException"):
            update_inventory({"order": pending, "products": PRICES})

    def test_order_of_25_lines_is_confirmed_in_one_transaction(
        self,
        update_inventory: LoadedFunction,
        validate_order: LoadedFunction,
        dynamodb: FakeDynamoDB,
        stock: Callable[..., None],
    ) -> None:
        products = [f"p{number}" for number in range(25)]
        for product in products:
            stock(product, 1000, 10**9)
        answer = validate_order(express({"items": [{"product_id": p, "quantity": 1000} for p in products]}))
        dynamodb.put("orders", answer["item"])
        prices = [{"product_id": p, "unit_price": 10**9, "currency": "JPY"} for p in products]
        confirmed = update_inventory({"order": answer["order"], "products": prices})
        assert confirmed["total"] == 25 * 1000 * 10**9
        assert detail_of(confirmed)["event_id"].endswith(":CONFIRMED")
