"""What the order workflow does when AWS or a function fails: at each step, with each error, once and for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from botocore.exceptions import ReadTimeoutError

from components import state_machine
from shared.order_store import OUR_FAULT
from tests.fakes.dynamodb import cancelled_transaction
from tests.workflow.conftest import ORDER_ID, Lines, Tables, express, standard, sync_order_id
from tests.workflow.harness import Ended, Workflow

DEFINITION: Final = state_machine.load("order.asl.json")
TASKS: Final = dict(state_machine.tasks(DEFINITION))
LINES: Final[Lines] = [("tea", 2), ("cup", 1)]
REFUSED: Final[Lines] = [("tea", 2), ("gone", 1)]
OURS: Final = "The order could not be processed because of an error of ours; place it again"
CONDITION: Final = "DynamoDB.ConditionalCheckFailedException"

RETRIES: Final = [
    (step, error, int(retrier["MaxAttempts"]))
    for step, state in TASKS.items()
    for retrier in state["Retry"]
    for error in retrier["ErrorEquals"]
]
# A rule's last error stands for the others of its list.
EXHAUSTED: Final = [
    (step, retrier["ErrorEquals"][-1], int(retrier["MaxAttempts"]))
    for step, state in TASKS.items()
    for retrier in state["Retry"]
]


@pytest.fixture(autouse=True)
def stock(tables: Tables) -> None:
    tables.product("tea", 10)
    tables.product("cup", 10)


def reach(step: str, workflow: Workflow, tables: Tables) -> Mapping[str, Any]:
    """Prepare an order whose way leads through `step`, and return the input of its execution."""
    if step == "ReadOrder":
        tables.accepted(LINES, order_id=sync_order_id(), synchronous=True)
        return express(LINES)
    if step == "RecordFailed":
        workflow.fail("UpdateInventory", "RuntimeError")
    return express(REFUSED if step == "RecordRejected" else LINES)


def undisturbed(step: str, tables: Tables) -> Callable[[Ended], None]:
    """Return the check that the order ended as if nothing had gone wrong with `step`."""

    def check(ended: Ended) -> None:
        order = tables.order(sync_order_id())
        if step == "RecordRejected":
            assert (ended.error, order["status"]) == ("ProductNotFound", "REJECTED")
        elif step == "RecordFailed":
            assert (ended.error, order["status"]) == ("ProcessingFailed", "FAILED")
        else:
            assert (ended.status, ended.output) == ("SUCCEEDED", order)
        taken = 0 if ended.error else 2
        assert tables.stock("tea") == 10 - taken

    return check


@pytest.mark.parametrize(("step", "error", "attempts"), RETRIES)
def test_a_transient_error_is_repeated_and_leaves_no_trace(
    order_workflow: Workflow, tables: Tables, step: str, error: str, attempts: int
) -> None:
    request = reach(step, order_workflow, tables)
    order_workflow.fail(step, error, times=min(attempts, 3))
    ended = order_workflow.run(request)
    undisturbed(step, tables)(ended)
    assert ended.tries[step] == min(attempts, 3) + 1


@pytest.mark.parametrize("step", TASKS)
def test_an_answer_that_was_lost_changes_nothing(order_workflow: Workflow, tables: Tables, step: str) -> None:
    """The step did its work, nobody heard of it, and it is repeated on top of its own work."""
    request = reach(step, order_workflow, tables)
    order_workflow.lose_answer(step)
    undisturbed(step, tables)(order_workflow.run(request))


@pytest.mark.parametrize("step", ["RecordOrder", "RecordRejected", "RecordFailed", "UpdateInventory"])
def test_writes_whose_answers_are_lost_again_and_again_are_found_by_reading(
    order_workflow: Workflow, tables: Tables, step: str
) -> None:
    request = reach(step, order_workflow, tables)
    order_workflow.lose_answer(step, times=2)
    undisturbed(step, tables)(order_workflow.run(request))


@pytest.mark.parametrize(("step", "error", "attempts"), EXHAUSTED)
def test_repetition_ends_at_its_limit(
    order_workflow: Workflow, tables: Tables, step: str, error: str, attempts: int
) -> None:
    request = reach(step, order_workflow, tables)
    order_workflow.fail(step, error, times=1000)
    assert order_workflow.run(request).tries[step] == attempts + 1


@pytest.mark.parametrize("error", ["States.QueryEvaluationError", "States.Permissions", "KeyError"])
@pytest.mark.parametrize("step", TASKS)
def test_an_error_that_is_not_transient_is_not_repeated(
    order_workflow: Workflow, tables: Tables, step: str, error: str
) -> None:
    request = reach(step, order_workflow, tables)
    order_workflow.fail(step, error)
    assert order_workflow.run(request).tries[step] == 1


class TestFailed:
    @pytest.mark.parametrize("step", ["CheckInventory", "UpdateInventory"])
    @pytest.mark.parametrize("request_", [express(LINES), standard(LINES)], ids=["express", "standard"])
    def test_an_order_that_cannot_be_processed_is_recorded_as_failed(
        self, order_workflow: Workflow, tables: Tables, step: str, request_: dict[str, Any]
    ) -> None:
        order_id = ORDER_ID if "order" in request_ else sync_order_id()
        if order_id == ORDER_ID:
            tables.accepted(LINES)
        order_workflow.fail(step, "States.TaskFailed")
        ended = order_workflow.run(request_)
        assert ended.states[-2:] == ["RecordFailed", "ProcessingFailed"]
        assert (ended.error, ended.cause) == ("ProcessingFailed", OURS)
        order = tables.order(order_id)
        assert (order["status"], order["reason"]) == ("FAILED", {"code": "InternalError", "message": OURS})
        assert tables.stock("tea") == 10

    def test_an_event_that_cannot_be_checked_has_its_order_failed(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        tables.accepted(LINES)
        order_workflow.fail("ValidateInput", "Lambda.Unknown", times=2)
        ended = order_workflow.run(standard(LINES))
        assert ended.states == ["ValidateInput", "RouteInvalidInput", "RecordFailed", "ProcessingFailed"]
        assert tables.order()["reason"] == {"code": "InternalError", "message": OURS}

    def test_a_request_that_cannot_be_checked_has_no_record(self, order_workflow: Workflow, tables: Tables) -> None:
        order_workflow.fail("ValidateInput", "Lambda.Unknown", times=2)
        ended = order_workflow.run(express(LINES))
        assert ended.states == ["ValidateInput", "RouteInvalidInput", "ProcessingFailed"]
        assert tables.dynamodb.tables["orders"].items == {}

    def test_fail_order_gives_the_same_reason(self) -> None:
        assert OUR_FAULT == {"code": "InternalError", "message": OURS}

    def test_no_message_of_aws_reaches_the_customer(self, order_workflow: Workflow, tables: Tables) -> None:
        order_workflow.fail("UpdateInventory", "Lambda.ResourceNotFoundException")
        order_workflow.run(express(LINES))
        assert "Lambda" not in str(tables.order(sync_order_id())["reason"])

    def test_a_confirmation_that_nobody_heard_of_is_a_success(self, order_workflow: Workflow, tables: Tables) -> None:
        order_workflow.lose_answer("UpdateInventory", "KeyError")  # not repeated
        ended = order_workflow.run(express(LINES))
        assert ended.states[-4:] == ["RecordFailed", "ReadOrder", "RouteByStatus", "Success"]
        assert ended.output == tables.order(sync_order_id())
        assert tables.stock("tea") == 8

    def test_contention_for_stock_is_repeated(self, order_workflow: Workflow, tables: Tables) -> None:
        busy = cancelled_transaction([{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}])
        tables.dynamodb.faults.refuse("transact_write_items", busy, times=2)
        ended = order_workflow.run(express(LINES))
        assert (ended.status, ended.tries["UpdateInventory"]) == ("SUCCEEDED", 3)

    def test_a_transaction_without_an_answer_is_not_done_twice(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.dynamodb.faults.no_answer("transact_write_items")
        ended = order_workflow.run(express(LINES))
        assert (ended.status, tables.stock("tea")) == ("SUCCEEDED", 8)

    def test_a_function_that_reaches_no_table_is_repeated(self, order_workflow: Workflow, tables: Tables) -> None:
        silent = ReadTimeoutError(endpoint_url="https://dynamodb")
        tables.dynamodb.faults.refuse("transact_write_items", silent)
        assert order_workflow.run(express(LINES)).status == "SUCCEEDED"


class TestNotification:
    @pytest.mark.parametrize(
        "error", ["SNS.InternalErrorException", "SNS.AuthorizationErrorException", "States.Timeout"]
    )
    def test_an_order_does_not_fail_because_nobody_was_told(
        self, order_workflow: Workflow, tables: Tables, error: str
    ) -> None:
        order_workflow.fail("SendNotification", error, times=10)
        ended = order_workflow.run(express(LINES))
        assert (ended.status, order_workflow.published) == ("SUCCEEDED", [])
        assert tables.order(sync_order_id())["status"] == "CONFIRMED"

    def test_subscribers_are_told_of_an_order_that_is_then_rejected(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        order_workflow.meanwhile("UpdateInventory", lambda: tables.product("tea", 0))
        assert order_workflow.run(express(LINES)).error == "OutOfStock"
        assert [message["status"] for message in order_workflow.published] == ["PROCESSING"]


class TestUnread:
    def test_what_dynamodb_left_unread_is_read_after_a_pause(self, order_workflow: Workflow, tables: Tables) -> None:
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

    def test_a_line_that_was_read_later_is_checked_as_well(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.product("cup", 0)
        tables.dynamodb.unprocessed = [1]
        ended = order_workflow.run(express(LINES))
        assert (ended.error, ended.cause) == ("OutOfStock", "Not enough in stock: cup")

    def test_what_stays_unread_fails_the_order_after_five_reads(self, order_workflow: Workflow, tables: Tables) -> None:
        tables.dynamodb.unprocessed = [1] * 100
        ended = order_workflow.run(express(LINES))
        assert (ended.error, ended.tries["CheckInventory"]) == ("ProcessingFailed", 5)
        assert tables.order(sync_order_id())["status"] == "FAILED"


class TestNotRecorded:
    """Only what is wrong with the platform itself leads here; an alarm watches for it."""

    @pytest.mark.parametrize("step", ["RecordRejected", "RecordFailed", "ReadOrder"])
    def test_a_table_that_refuses_ends_the_execution_under_a_name_of_its_own(
        self, order_workflow: Workflow, tables: Tables, step: str
    ) -> None:
        request = reach(step, order_workflow, tables)
        order_workflow.fail(step, "DynamoDB.AccessDeniedException")
        ended = order_workflow.run(request)
        assert (ended.error, ended.states[-1]) == ("NotRecorded", "StatusNotRecorded")
        assert tables.order(sync_order_id())["status"] == "PENDING"

    def test_an_order_that_could_not_be_recorded_is_not_processed(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        order_workflow.fail("RecordOrder", "DynamoDB.AccessDeniedException")
        ended = order_workflow.run(express(LINES))
        assert ended.states[-4:] == ["RecordOrder", "ReadOrder", "RouteByStatus", "StatusNotRecorded"]
        assert (tables.order(sync_order_id()), tables.stock("tea")) == (None, 10)

    def test_an_outcome_never_makes_a_row(self, order_workflow: Workflow, tables: Tables) -> None:
        ended = order_workflow.run(standard(REFUSED))  # nobody accepted it
        assert ended.error == "NotRecorded"
        assert tables.order() is None

    def test_the_conflict_of_two_bodies_is_found_even_if_the_write_timed_out(
        self, order_workflow: Workflow, tables: Tables
    ) -> None:
        tables.accepted([("cup", 5)], order_id=sync_order_id(), synchronous=True)
        order_workflow.fail("RecordOrder", "States.Timeout", times=2)
        ended = order_workflow.run(express(LINES))
        assert ended.error == "IdempotencyConflict"
        assert tables.order(sync_order_id())["status"] == "PENDING"
