"""Tests of every path through the order workflow on which neither AWS nor a function fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.orders import TRANSITIONS
from shared.domain import orders
from shared.errors import IdempotencyConflict, OrdersError, ProductNotFound, ValidationError
from shared.order_store import OrderStore
from tests.workflow.conftest import ORDER_ID, USER, Lines, Tables, express, standard, sync_order_id
from tests.workflow.harness import Ended, Workflow

CONFIRMING = ["CheckInventory", "IsInStock", "ProcessOrder", "IsConfirmed", "Success"]
THREE: Lines = [("tea", 2), ("cup", 1), ("pot", 3)]


def stocked(tables: Tables, quantity: int = 10) -> None:
    for number, product_id in enumerate(("tea", "cup", "pot")):
        tables.product(product_id, quantity, unit_price=100 * (number + 1))


class TestConfirmed:
    def test_accepted_order_is_confirmed_and_stock_decreases(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.accepted(THREE)
        ended = order_workflow.run(standard(THREE))
        assert (ended.status, ended.states) == ("SUCCEEDED", ["ValidateInput", "IsSynchronous", *CONFIRMING])
        assert ended.output == tables.order()
        assert ended.output["status"] == "CONFIRMED"
        assert ended.output["items"] == [
            {"product_id": "tea", "quantity": 2, "unit_price": 100, "name": "Product tea"},
            {"product_id": "cup", "quantity": 1, "unit_price": 200, "name": "Product cup"},
            {"product_id": "pot", "quantity": 3, "unit_price": 300, "name": "Product pot"},
        ]
        assert (ended.output["total"], ended.output["currency"]) == (1300, "JPY")
        assert [tables.stock(product_id) for product_id in ("tea", "cup", "pot")] == [8, 9, 7]

    def test_synchronous_order_is_recorded_then_confirmed(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        seen: list[Any] = []
        order_workflow.meanwhile("CheckInventory", lambda: seen.append(tables.order(sync_order_id())))
        ended = order_workflow.run(express(THREE))
        assert ended.states == ["ValidateInput", "IsSynchronous", "RecordOrder", *CONFIRMING]
        assert (ended.status, ended.output) == ("SUCCEEDED", tables.order(sync_order_id()))
        assert seen[0]["status"] == "PENDING"
        row = tables.dynamodb.item("orders", sync_order_id())
        assert row
        assert row["synchronous"] == {"BOOL": True}

    @pytest.mark.parametrize("lines", [1, 25])
    def test_orders_with_one_line_and_25_lines_keep_their_lines(
        self, order_workflow: Workflow, tables: Tables, lines: int
    ) -> None:
        wanted = [(f"p{number}", number + 1) for number in range(lines)]
        for product_id, quantity in wanted:
            tables.product(product_id, quantity)
        ended = order_workflow.run(express(wanted))
        assert [line["product_id"] for line in ended.output["items"]] == [product_id for product_id, _ in wanted]
        assert all(tables.stock(product_id) == 0 for product_id, _ in wanted)

    def test_quantities_are_compared_as_numbers(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("tea", 10)  # If quantities were compared as text, "10" would be less than "9".
        ended = order_workflow.run(express([("tea", 9)]))
        assert (ended.status, tables.stock("tea")) == ("SUCCEEDED", 1)

    def test_order_can_take_all_remaining_stock(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("tea", 3)
        assert order_workflow.run(express([("tea", 3)])).status == "SUCCEEDED"
        assert tables.stock("tea") == 0

    def test_notification_announces_processing(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.accepted(THREE)
        order_workflow.run(standard(THREE))
        assert order_workflow.published == [{"order_id": ORDER_ID, "user_id": USER, "status": "PROCESSING"}]


class TestRejected:
    def rejected(
        self, ended: Ended, tables: Tables, order_id: str, error: OrdersError | type[OrdersError]
    ) -> dict[str, Any]:
        """Check that `error` ended the execution and is the reason of the REJECTED order. Return the reason."""
        order = tables.order(order_id)
        code = error.code if isinstance(error, OrdersError) else error.__name__
        assert (ended.status, ended.error) == ("FAILED", code)
        assert order["status"] == "REJECTED"
        assert {"order_id": order_id, **order["reason"]} == {"code": code, **ended.told}
        assert order["updated_at"] > order["created_at"]
        if isinstance(error, OrdersError):
            assert (ended.cause, ended.told["details"]) == (str(error), [*error.details])
        return order["reason"]

    def test_low_stock_at_the_check_rejects_the_order(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.product("cup", 0)
        tables.product("pot", 2)
        ended = order_workflow.run(express(THREE))
        assert ended.states[-4:] == ["IsInStock", "RecordRejected", "RouteByStatus", "OutOfStock"]
        self.rejected(
            ended,
            tables,
            sync_order_id(),
            orders.out_of_stock([({"product_id": "cup", "quantity": 1}, 0), ({"product_id": "pot", "quantity": 3}, 2)]),
        )
        assert [tables.stock(product_id) for product_id in ("tea", "cup", "pot")] == [10, 0, 2]
        assert order_workflow.published == []

    def test_stock_sold_after_the_check_rejects_the_order(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.accepted(THREE)
        order_workflow.meanwhile("UpdateInventory", lambda: tables.product("pot", 2))
        ended = order_workflow.run(standard(THREE))
        assert "IsConfirmed" in ended.states
        self.rejected(ended, tables, ORDER_ID, orders.out_of_stock([({"product_id": "pot", "quantity": 3}, 2)]))
        assert [tables.stock(product_id) for product_id in ("tea", "cup", "pot")] == [10, 10, 2]

    def test_unknown_product_rejects_the_order(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        lines = [*THREE, ("gone", 1)]
        tables.accepted(lines)
        ended = order_workflow.run(standard(lines))
        self.rejected(ended, tables, ORDER_ID, orders.not_in_catalog(["gone"]))
        assert tables.stock("tea") == 10

    def test_unknown_product_is_reported_before_low_stock(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("tea", 0)
        ended = order_workflow.run(express([("tea", 1), ("gone", 1)]))
        self.rejected(ended, tables, sync_order_id(), ProductNotFound)

    def test_order_of_only_unknown_products_is_rejected(self, order_workflow: Workflow, tables: Tables) -> None:
        ended = order_workflow.run(express([("gone", 1)]))
        self.rejected(ended, tables, sync_order_id(), orders.not_in_catalog(["gone"]))

    def test_product_deleted_after_the_check_rejects_the_order(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        order_workflow.meanwhile("UpdateInventory", lambda: tables.dynamodb.tables["inventory"].items.pop("cup"))  # type: ignore[arg-type,func-returns-value]
        ended = order_workflow.run(express(THREE))
        self.rejected(ended, tables, sync_order_id(), orders.not_in_catalog(["cup"]))

    @pytest.mark.parametrize("way", ["express", "standard"])
    def test_total_that_differs_from_the_expected_total_rejects_the_order(
        self, order_workflow: Workflow, tables: Tables, way: str
    ) -> None:
        stocked(tables)
        request = express(THREE, expected_total=1299)
        order_id = sync_order_id()
        if way == "standard":
            tables.accepted(THREE, expected_total=1299)
            request, order_id = standard(THREE), ORDER_ID
        ended = order_workflow.run(request)
        self.rejected(ended, tables, order_id, orders.price_changed(1299, 1300, "JPY"))
        assert [tables.stock(product_id) for product_id in ("tea", "cup", "pot")] == [10, 10, 10]

    def test_expected_total_of_the_new_price_confirms_the_order(self, order_workflow: Workflow, tables: Tables) -> None:
        """The price changes after the workflow has read it. The client already expects the total of the new price."""
        stocked(tables)
        order_workflow.meanwhile("UpdateInventory", lambda: tables.product("tea", 10, unit_price=150))
        ended = order_workflow.run(express(THREE, expected_total=1400))
        assert (ended.status, ended.output["total"]) == ("SUCCEEDED", 1400)

    def test_same_key_with_another_expected_total_is_a_conflict(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        order_workflow.run(express(THREE, expected_total=1300))
        assert order_workflow.run(express(THREE, expected_total=1300)).status == "SUCCEEDED"
        assert order_workflow.run(express(THREE)).error == "IdempotencyConflict"

    def test_order_with_two_currencies_is_rejected(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("tea", 10, currency="JPY")
        tables.product("cup", 10, currency="EUR")
        ended = order_workflow.run(express([("tea", 1), ("cup", 1)]))
        self.rejected(ended, tables, sync_order_id(), ValidationError)
        assert ended.states[-1] == "HandleValidationError"
        assert (tables.stock("tea"), tables.stock("cup")) == (10, 10)


class TestInvalid:
    def test_invalid_request_creates_no_row(self, order_workflow: Workflow, tables: Tables) -> None:
        ended = order_workflow.run(express([("tea", 0)]))
        assert (ended.error, ended.states) == (
            "ValidationError",
            ["ValidateInput", "RouteInvalidInput", "HandleValidationError"],
        )
        assert "quantity" in ended.cause
        assert tables.dynamodb.tables["orders"].items == {}

    @pytest.mark.parametrize(
        ("changes", "error"),
        [({"content_type": "text/plain"}, "UnsupportedMediaType"), ({"too_large": True}, "PayloadTooLarge")],
    )
    def test_wrong_media_type_or_size_creates_no_row(
        self, order_workflow: Workflow, tables: Tables, changes: dict[str, Any], error: str
    ) -> None:
        request = express([("tea", 1)])
        ended = order_workflow.run({"request": {**request["request"], **changes}})
        assert (ended.error, ended.states) == (error, ["ValidateInput", "RouteInvalidInput", error])
        assert tables.dynamodb.tables["orders"].items == {}

    def test_invalid_accepted_order_becomes_rejected(self, order_workflow: Workflow, tables: Tables) -> None:
        lines = [("tea", 1), ("tea", 2)]
        tables.accepted(lines)
        ended = order_workflow.run(standard(lines))
        assert ended.states == [
            *("ValidateInput", "RouteInvalidInput", "RecordRejected", "RouteByStatus", "HandleValidationError")
        ]
        order = tables.order()
        assert (order["status"], order["reason"]) == (
            "REJECTED",
            {"code": "ValidationError", "message": ended.cause},
        )

    @pytest.mark.parametrize("request_", [{}, {"order": None}, {"order": {}}, {"order": []}, {"order": "text"}])
    def test_input_without_order_fails_with_validation_error(
        self, order_workflow: Workflow, tables: Tables, request_: dict[str, Any]
    ) -> None:
        assert order_workflow.run(request_).error == "ValidationError"
        assert tables.dynamodb.tables["orders"].items == {}

    def test_invalid_order_that_is_not_pending_is_not_changed(
        self, order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
    ) -> None:
        lines = [("tea", 1), ("tea", 2)]
        tables.accepted(lines)
        cancel(ORDER_ID)()
        assert order_workflow.run(standard(lines)).error == "InvalidTransition"
        assert tables.order()["status"] == "CANCELLED"


class TestConcurrentChanges:
    def test_order_cancelled_before_the_inventory_update_stays_cancelled(
        self, order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
    ) -> None:
        stocked(tables)
        tables.accepted(THREE)
        order_workflow.meanwhile("UpdateInventory", cancel(ORDER_ID))
        ended = order_workflow.run(standard(THREE))
        assert (ended.error, ended.cause) == ("InvalidTransition", "The order was cancelled")
        assert ended.states[-4:] == ["IsConfirmed", "ReadOrder", "RouteByStatus", "InvalidTransition"]
        assert (tables.order()["status"], tables.stock("tea")) == ("CANCELLED", 10)

    def test_order_cancelled_before_its_rejection_stays_cancelled(
        self, order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
    ) -> None:
        tables.accepted([("gone", 1)])
        order_workflow.meanwhile("RecordRejected", cancel(ORDER_ID))
        ended = order_workflow.run(standard([("gone", 1)]))
        assert (ended.error, tables.order()["status"]) == ("InvalidTransition", "CANCELLED")

    def test_second_execution_returns_the_same_confirmed_order(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.accepted(THREE)
        first = order_workflow.run(standard(THREE))
        second = order_workflow.run(standard(THREE))
        assert (second.status, second.output) == ("SUCCEEDED", first.output)
        assert tables.stock("tea") == 8


class TestRetriedRequest:
    """A client sends `POST /process` again with the same Idempotency-Key."""

    def test_repeated_request_for_a_confirmed_order_returns_the_same_order(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        stocked(tables)
        first, second = order_workflow.run(express(THREE)), order_workflow.run(express(THREE))
        assert second.states == [
            *("ValidateInput", "IsSynchronous", "RecordOrder", "ReadOrder", "RouteByStatus", "Success")
        ]
        assert second.output == first.output == tables.order(sync_order_id())
        assert tables.stock("tea") == 8

    def test_repeated_request_returns_a_single_line_as_a_list(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        first, second = order_workflow.run(express([("tea", 1)])), order_workflow.run(express([("tea", 1)]))
        line = {"product_id": "tea", "quantity": 1, "unit_price": 100, "name": "Product tea"}
        assert second.output["items"] == first.output["items"] == [line]

    @pytest.mark.parametrize(("lines", "error"), [([("tea", 11)], "OutOfStock"), ([("gone", 1)], "ProductNotFound")])
    def test_repeated_request_for_a_rejected_order_returns_the_same_error(
        self, order_workflow: Workflow, tables: Tables, lines: Lines, error: str
    ) -> None:
        stocked(tables)
        first = order_workflow.run(express(lines))
        tables.product("gone", 10)
        tables.product("tea", 100)
        second = order_workflow.run(express(lines))
        assert (second.error, second.told) == (first.error, first.told)
        assert (second.error, second.told["order_id"]) == (error, sync_order_id())
        assert second.told["details"][0]["product_id"] == lines[0][0]
        assert "ReadOrder" in second.states

    def test_repeated_request_for_two_currencies_returns_the_same_error(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        tables.product("tea", 10, currency="JPY")
        tables.product("cup", 10, currency="EUR")
        first = order_workflow.run(express([("tea", 1), ("cup", 1)]))
        second = order_workflow.run(express([("tea", 1), ("cup", 1)]))
        assert (second.error, second.cause) == (first.error, first.cause)
        assert second.error == "ValidationError"

    def test_repeated_request_for_a_failed_order_returns_its_failure_reason(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        # fail_order sets these attributes if the STANDARD execution has reached its time limit.
        tables.accepted(THREE, order_id=sync_order_id(), synchronous=True)
        reason = {"M": {"code": {"S": "InternalError"}, "message": {"S": "earlier reason"}}}
        tables.change(sync_order_id(), {"status": {"S": "FAILED"}, "reason": reason})
        ended = order_workflow.run(express(THREE))
        assert (ended.error, ended.cause) == ("ProcessingFailed", "earlier reason")

    def test_repeated_request_confirms_an_order_that_is_still_pending(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        stocked(tables)
        order_workflow.fail("UpdateInventory", "RuntimeError")
        first, second = order_workflow.run(express(THREE)), order_workflow.run(express(THREE))
        assert (first.error, first.cause, second.status) == ("Undecided", sync_order_id(), "SUCCEEDED")
        assert tables.stock("tea") == 8

    def test_repeated_request_for_a_cancelled_order_returns_invalid_transition(
        self, order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
    ) -> None:
        stocked(tables)
        order_workflow.run(express(THREE))
        cancel(sync_order_id())()
        assert order_workflow.run(express(THREE)).error == "InvalidTransition"

    def test_repeated_request_processes_an_order_left_pending(self, order_workflow: Workflow, tables: Tables) -> None:
        stocked(tables)
        tables.accepted(THREE, order_id=sync_order_id(), synchronous=True)
        ended = order_workflow.run(express(THREE))
        assert ended.states[2:5] == ["RecordOrder", "ReadOrder", "RouteByStatus"]
        assert ended.states[5:] == CONFIRMING
        assert ended.output == tables.order(sync_order_id())

    @pytest.mark.parametrize("status", TRANSITIONS)
    def test_same_key_with_another_body_is_a_conflict_in_every_status(
        self, order_workflow: Workflow, tables: Tables, status: str
    ) -> None:
        stocked(tables)
        tables.accepted([("tea", 1)], order_id=sync_order_id(), synchronous=True)
        tables.change(sync_order_id(), {"status": {"S": status}})
        before = tables.order(sync_order_id())
        ended = order_workflow.run(express([("tea", 2)]))
        assert ended.error == "IdempotencyConflict"
        with pytest.raises(IdempotencyConflict) as refused:
            OrderStore(tables.dynamodb, table="orders").create(before, request_hash="another")  # type: ignore[arg-type]
        assert ended.cause == str(refused.value), "the message must equal that of POST /orders"
        assert (tables.order(sync_order_id()), tables.stock("tea")) == (before, 10)
