"""Tests of the order workflow when AWS or a function fails temporarily or permanently, for each step and error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from botocore.exceptions import ReadTimeoutError

from components.workflow import state_machine
from shared.order_store import INTERNAL_ERROR
from tests.workflow.conftest import ORDER_ID, Lines, Tables, express, standard, sync_order_id
from tests.workflow.harness import Ended, Workflow

DEFINITION: Final = state_machine.load("order.asl.json")
TASKS: Final = dict(state_machine.tasks(DEFINITION))
LINES: Final[Lines] = [("tea", 2), ("cup", 1)]
REFUSED: Final[Lines] = [("tea", 2), ("gone", 1)]
CONDITION: Final = "DynamoDB.ConditionalCheckFailedException"

RETRIES: Final = [
    (step, error, int(retrier["MaxAttempts"]))
    for step, state in TASKS.items()
    for retrier in state.get("Retry", ())
    for error in retrier["ErrorEquals"]
]
# The workflow treats all errors of one retry rule alike, so each rule is tested with its last error only.
EXHAUSTED: Final = [
    (step, retrier["ErrorEquals"][-1], int(retrier["MaxAttempts"]))
    for step, state in TASKS.items()
    for retrier in state.get("Retry", ())
]


@pytest.fixture(autouse=True)
def stock(tables: Tables) -> None:
    tables.product("tea", 10)
    tables.product("cup", 10)


def reach(step: str, tables: Tables) -> Mapping[str, Any]:
    """Prepare an order whose execution runs `step`, and return the execution's input."""
    if step == "ReadOrder":
        tables.accepted(LINES, order_id=sync_order_id(), synchronous=True)
        return express(LINES)
    return express(REFUSED if step == "RecordRejected" else LINES)


def undisturbed(step: str, tables: Tables) -> Callable[[Ended], None]:
    """Return a function that checks that the order ended as if `step` had never failed."""

    def check(ended: Ended) -> None:
        order = tables.order(sync_order_id())
        if step == "RecordRejected":
            assert (ended.error, order["status"]) == ("ProductNotFound", "REJECTED")
        else:
            assert (ended.status, ended.output) == ("SUCCEEDED", order)
        taken = 0 if ended.error else 2
        assert tables.stock("tea") == 10 - taken

    return check


@pytest.mark.parametrize(("step", "error", "attempts"), RETRIES)
def test_transient_error_is_retried(
    order_workflow: Workflow, tables: Tables, step: str, error: str, attempts: int
) -> None:
    request = reach(step, tables)
    order_workflow.fail(step, error, times=min(attempts, 3))
    ended = order_workflow.run(request)
    undisturbed(step, tables)(ended)
    assert ended.tries[step] == min(attempts, 3) + 1


@pytest.mark.parametrize("step", TASKS)
def test_step_takes_effect_once_despite_a_lost_response(order_workflow: Workflow, tables: Tables, step: str) -> None:
    """The step does its work, but its response is lost, so the retry does the same work again."""
    request = reach(step, tables)
    order_workflow.lose_answer(step)
    undisturbed(step, tables)(order_workflow.run(request))


@pytest.mark.parametrize("step", ["RecordOrder", "RecordRejected", "UpdateInventory"])
def test_write_takes_effect_once_despite_two_lost_responses(
    order_workflow: Workflow, tables: Tables, step: str
) -> None:
    request = reach(step, tables)
    order_workflow.lose_answer(step, times=2)
    undisturbed(step, tables)(order_workflow.run(request))


@pytest.mark.parametrize(("step", "error", "attempts"), EXHAUSTED)
def test_retries_end_at_their_limit(
    order_workflow: Workflow, tables: Tables, step: str, error: str, attempts: int
) -> None:
    request = reach(step, tables)
    order_workflow.fail(step, error, times=1000)
    assert order_workflow.run(request).tries[step] == attempts + 1


@pytest.mark.parametrize("error", ["States.QueryEvaluationError", "States.Permissions", "KeyError"])
@pytest.mark.parametrize("step", TASKS)
def test_permanent_error_is_not_retried(order_workflow: Workflow, tables: Tables, step: str, error: str) -> None:
    request = reach(step, tables)
    order_workflow.fail(step, error)
    assert order_workflow.run(request).tries[step] == 1


class TestUndecided:
    @pytest.mark.parametrize("step", ["CheckInventory", "UpdateInventory"])
    @pytest.mark.parametrize("request_", [express(LINES), standard(LINES)], ids=["express", "standard"])
    def test_processing_error_leaves_the_order_pending(
        self, order_workflow: Workflow, tables: Tables, step: str, request_: dict[str, Any]
    ) -> None:
        order_id = ORDER_ID if "order" in request_ else sync_order_id()
        if order_id == ORDER_ID:
            tables.accepted(LINES)
        order_workflow.fail(step, "States.TaskFailed")
        ended = order_workflow.run(request_)
        assert (ended.states[-1], ended.error, ended.cause) == ("Undecided", "Undecided", order_id)
        assert (tables.order(order_id)["status"], tables.stock("tea")) == ("PENDING", 10)

    def test_accepted_order_stays_pending_if_validation_is_unavailable(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        tables.accepted(LINES)
        order_workflow.fail("ValidateInput", "Runtime.ImportModuleError")
        ended = order_workflow.run(standard(LINES))
        assert (ended.states, ended.cause) == (["ValidateInput", "IsRecorded", "Undecided"], ORDER_ID)
        assert tables.order()["status"] == "PENDING"

    def test_request_creates_no_row_if_validation_is_unavailable(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        order_workflow.fail("ValidateInput", "Lambda.Unknown", times=2)
        ended = order_workflow.run(express(LINES))
        assert (ended.states, ended.error) == (["ValidateInput", "IsRecorded", "StatusNotRecorded"], "NotRecorded")
        assert tables.dynamodb.tables["orders"].items == {}

    @pytest.mark.parametrize("step", ["RecordRejected", "ReadOrder"])
    def test_refused_read_or_write_leaves_the_order_pending(
        self, order_workflow: Workflow, tables: Tables, step: str
    ) -> None:
        tables.accepted(REFUSED if step == "RecordRejected" else LINES)
        if step == "ReadOrder":
            order_workflow.fail("UpdateInventory", "KeyError")
        order_workflow.fail(step, "DynamoDB.AccessDeniedException")
        ended = order_workflow.run(standard(REFUSED if step == "RecordRejected" else LINES))
        assert (ended.error, ended.cause, tables.order()["status"]) == ("Undecided", ORDER_ID, "PENDING")

    def test_order_stays_pending_after_five_incomplete_reads(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.dynamodb.unprocessed = [1] * 100
        ended = order_workflow.run(express(LINES))
        assert (ended.error, ended.tries["CheckInventory"]) == ("Undecided", 5)
        assert tables.order(sync_order_id())["status"] == "PENDING"

    def test_workflow_and_fail_order_use_the_same_default_failure_reason(self) -> None:
        assert TASKS["ValidateInput"]["Assign"]["reason"] == INTERNAL_ERROR

    def test_confirmation_with_lost_response_succeeds(self, order_workflow: Workflow, tables: Tables) -> None:
        # update_inventory confirms the order, but the workflow receives a KeyError, which it does not retry. The
        # workflow must then find the confirmation in the order's row.
        order_workflow.lose_answer("UpdateInventory", "KeyError")
        ended = order_workflow.run(express(LINES))
        assert ended.states[-4:] == ["IsConfirmed", "ReadOrder", "RouteByStatus", "Success"]
        assert ended.output == tables.order(sync_order_id())
        assert tables.stock("tea") == 8

    def test_stock_contention_is_retried(self, order_workflow: Workflow, tables: Tables) -> None:
        order_workflow.fail("UpdateInventory", "StockContention", times=2)
        ended = order_workflow.run(express(LINES))
        assert (ended.status, ended.tries["UpdateInventory"], tables.stock("tea")) == ("SUCCEEDED", 3, 8)

    def test_transaction_with_a_lost_response_takes_effect_once(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.dynamodb.faults.no_answer("transact_write_items")
        ended = order_workflow.run(express(LINES))
        assert (ended.status, tables.stock("tea")) == ("SUCCEEDED", 8)

    def test_function_without_dynamodb_response_is_retried(self, order_workflow: Workflow, tables: Tables) -> None:
        silent = ReadTimeoutError(endpoint_url="https://dynamodb")
        tables.dynamodb.faults.refuse("transact_write_items", silent)
        assert order_workflow.run(express(LINES)).status == "SUCCEEDED"


class TestNotification:
    @pytest.mark.parametrize(
        "error", ["SNS.InternalErrorException", "SNS.AuthorizationErrorException", "States.Timeout"]
    )
    def test_failed_notification_does_not_fail_the_order(
        self, order_workflow: Workflow, tables: Tables, error: str
    ) -> None:
        order_workflow.fail("SendNotification", error, times=10)
        ended = order_workflow.run(express(LINES))
        assert (ended.status, order_workflow.published) == ("SUCCEEDED", [])
        assert tables.order(sync_order_id())["status"] == "CONFIRMED"

    def test_notification_is_sent_even_if_the_order_is_rejected_later(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        order_workflow.meanwhile("UpdateInventory", lambda: tables.product("tea", 0))
        assert order_workflow.run(express(LINES)).error == "OutOfStock"
        assert [message["status"] for message in order_workflow.published] == ["PROCESSING"]


class TestUnprocessedKeys:
    def test_unprocessed_keys_are_read_after_a_pause(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("pot", 10)
        tables.dynamodb.unprocessed = [2, 1]
        ended = order_workflow.run(express([*LINES, ("pot", 1)]))
        assert (ended.status, ended.tries["CheckInventory"]) == ("SUCCEEDED", 3)
        assert order_workflow.waits.count(1) == 2
        asked = [call["RequestItems"]["inventory"]["Keys"] for call in tables.dynamodb.faults.of("batch_get_item")]
        assert [[key["product_id"]["S"] for key in keys] for keys in asked] == [
            ["tea", "cup", "pot"],
            ["cup", "pot"],
            ["pot"],
        ]
        assert [line["unit_price"] for line in ended.output["items"]] == [500, 500, 500]

    def test_products_of_a_second_read_are_checked_too(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("cup", 0)
        tables.dynamodb.unprocessed = [1]
        ended = order_workflow.run(express(LINES))
        assert (ended.error, ended.told["details"][0]["product_id"]) == ("OutOfStock", "cup")


class TestNotRecorded:
    """An execution ends with NotRecorded if its order has no row, or if the workflow can't read the row."""

    def test_order_that_cannot_be_recorded_is_not_processed(self, order_workflow: Workflow, tables: Tables) -> None:
        order_workflow.fail("RecordOrder", "DynamoDB.AccessDeniedException")
        ended = order_workflow.run(express(LINES))
        assert ended.states[-4:] == ["ReadOrder", "RouteByStatus", "IsRecorded", "StatusNotRecorded"]
        assert (tables.order(sync_order_id()), tables.stock("tea")) == (None, 10)

    def test_order_that_can_be_neither_recorded_nor_read_is_not_processed(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        for step in ("RecordOrder", "ReadOrder"):
            order_workflow.fail(step, "DynamoDB.AccessDeniedException")
        ended = order_workflow.run(express(LINES))
        assert ended.states[-4:] == ["RecordOrder", "ReadOrder", "IsRecorded", "StatusNotRecorded"]
        assert (tables.order(sync_order_id()), tables.stock("tea")) == (None, 10)

    def test_recording_a_rejection_never_creates_a_row(self, order_workflow: Workflow, tables: Tables) -> None:
        ended = order_workflow.run(standard(REFUSED))  # The orders table has no row for this order.
        assert ended.error == "NotRecorded"
        assert tables.order() is None

    def test_same_key_with_another_body_is_a_conflict_after_a_write_timeout(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        tables.accepted([("cup", 5)], order_id=sync_order_id(), synchronous=True)
        order_workflow.fail("RecordOrder", "States.Timeout", times=2)
        ended = order_workflow.run(express(LINES))
        assert ended.error == "IdempotencyConflict"
        assert tables.order(sync_order_id())["status"] == "PENDING"
