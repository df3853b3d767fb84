"""The STANDARD workflow: it has an order decided by the EXPRESS one, and ends as the order's row stands."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components import state_machine
from tests.workflow.conftest import ORDER_ID, Tables, standard
from tests.workflow.harness import Workflow
from tests.workflow.judges import reference_results, validator_complaints

LINES = [("tea", 2)]


def test_the_definition_is_valid() -> None:
    assert validator_complaints(state_machine.WORKFLOWS / "accepted-order.asl.json") == ""


@pytest.fixture(autouse=True)
def accepted(tables: Tables) -> None:
    tables.product("tea", 5)
    tables.accepted(LINES)


def test_an_order_that_can_be_confirmed_is_one_transition(order_workflow: Workflow, tables: Tables) -> None:
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, ended.states) == ("SUCCEEDED", ["DecideOrder"])
    assert order_workflow.started == [ORDER_ID]
    assert ended.output == tables.order()
    assert (tables.order()["status"], tables.stock("tea")) == ("CONFIRMED", 3)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([("tea", 6)], "OutOfStock"),
        ([("tea", 1), ("gone", 1)], "ProductNotFound"),
        ([("tea", 1), ("tea", 1)], "ValidationError"),
    ],
)
def test_a_refused_order_ends_under_its_reason(
    order_workflow: Workflow, tables: Tables, lines: list[tuple[str, int]], error: str
) -> None:
    tables.accepted(lines)
    ended = order_workflow.run_accepted(standard(lines))
    row = tables.order()
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error, row["reason"]["message"])
    assert (row["status"], row["reason"]["code"]) == ("REJECTED", error)
    assert "WaitToRetry" not in ended.states


def test_an_order_that_was_cancelled_before_ends_as_an_invalid_transition(
    order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
) -> None:
    cancel(ORDER_ID)()
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, ended.cause) == ("InvalidTransition", "The order was cancelled")
    assert tables.stock("tea") == 5


def test_an_order_that_failed_by_our_fault_ends_so(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("CheckInventory", "DynamoDb.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, tables.order()["status"]) == ("ProcessingFailed", "FAILED")


def test_a_lost_answer_is_read_from_the_row(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.lose_answer("DecideOrder", "Sfn.InvalidTokenException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Success")
    assert (tables.order()["status"], tables.stock("tea")) == ("CONFIRMED", 3)


def test_an_order_that_an_execution_left_pending_is_decided_by_the_next(
    order_workflow: Workflow, tables: Tables
) -> None:
    # It cannot even record that it failed.
    for step in ("CheckInventory", "RecordFailed"):
        order_workflow.fail(step, "DynamoDB.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, tables.order()["status"], tables.stock("tea")) == ("SUCCEEDED", "CONFIRMED", 3)
    assert ended.states == ["DecideOrder", "ReadOrder", "RouteByStatus", "WaitToRetry", "DecideOrder"]
    assert 3 in order_workflow.waits


def test_an_order_that_stays_pending_is_left_to_the_rule_for_such_executions(
    order_workflow: Workflow, tables: Tables
) -> None:
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException", times=9)
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, tables.order()["status"]) == ("NotRecorded", "PENDING")
    assert ended.tries["DecideOrder"] == 5


@pytest.mark.parametrize("gone", ["unreadable", "absent"])
def test_an_order_whose_row_tells_nothing_is_left_to_it_too(
    order_workflow: Workflow, tables: Tables, gone: str
) -> None:
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException")
    if gone == "absent":
        tables.dynamodb.tables["orders"].items.clear()
    else:
        order_workflow.fail("ReadOrder", "DynamoDB.AccessDeniedException")
    assert order_workflow.run_accepted(standard(LINES)).error == "NotRecorded"


def test_every_expression_means_the_same_to_the_reference_implementation(
    order_workflow: Workflow, tables: Tables
) -> None:
    for step in ("CheckInventory", "RecordFailed"):
        order_workflow.fail(step, "DynamoDB.AccessDeniedException")
    order_workflow.run_accepted(standard(LINES))
    tables.accepted([("tea", 1), ("tea", 1)])
    order_workflow.run_accepted(standard([("tea", 1), ("tea", 1)]))
    used = {evaluation.expression for evaluation in order_workflow.evaluations}
    texts = json.dumps(order_workflow.accepted, ensure_ascii=False).split("{% ")[1:]
    assert {text.partition(" %}")[0] for text in texts} - {expression.strip() for expression in used} == set()
    compared = [each for each in order_workflow.evaluations if "$now()" not in each.expression]
    results = reference_results([{"expression": each.expression, "bindings": each.bindings} for each in compared])
    for evaluation, result in zip(compared, results, strict=True):
        assert result == {"value": evaluation.result}, evaluation.expression


def test_an_execution_that_did_not_succeed_is_an_error_to_the_reference_implementation_too() -> None:
    output = state_machine.load("accepted-order.asl.json")["States"]["DecideOrder"]["Output"]
    expression = output.removeprefix("{%").removesuffix("%}")
    (result,) = reference_results(
        [{"expression": expression, "bindings": {"states": {"result": {"Status": "TIMED_OUT"}}}}]
    )
    assert "TIMED_OUT" in result["error"]
