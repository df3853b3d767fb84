"""Tests of the STANDARD workflow, which runs the EXPRESS workflow and ends with the result in the order's row."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components.workflow import state_machine
from tests.workflow.conftest import ORDER_ID, Tables, standard
from tests.workflow.harness import Workflow
from tests.workflow.judges import reference_results, validator_complaints

LINES = [("tea", 2)]


def test_definition_is_valid() -> None:
    assert validator_complaints(state_machine.WORKFLOWS / "accepted-order.asl.json") == ""


@pytest.fixture(autouse=True)
def accepted(tables: Tables) -> None:
    tables.product("tea", 5)
    tables.accepted(LINES)


def test_confirmed_order_needs_one_state_transition(order_workflow: Workflow, tables: Tables) -> None:
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
def test_rejected_order_fails_with_its_reason(
    order_workflow: Workflow, tables: Tables, lines: list[tuple[str, int]], error: str
) -> None:
    tables.accepted(lines)
    ended = order_workflow.run_accepted(standard(lines))
    row = tables.order()
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error, row["reason"]["message"])
    assert (row["status"], row["reason"]["code"]) == ("REJECTED", error)
    assert "WaitToRetry" not in ended.states


def test_cancelled_order_fails_with_invalid_transition(
    order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
) -> None:
    cancel(ORDER_ID)()
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, ended.cause) == ("InvalidTransition", "The order was cancelled")
    assert tables.stock("tea") == 5


def test_internal_error_ends_as_processing_failed(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("CheckInventory", "DynamoDb.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, tables.order()["status"]) == ("ProcessingFailed", "FAILED")


def test_lost_response_is_recovered_from_the_row(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.lose_answer("DecideOrder", "Sfn.InvalidTokenException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Success")
    assert (tables.order()["status"], tables.stock("tea")) == ("CONFIRMED", 3)


def test_retry_processes_an_order_left_pending(order_workflow: Workflow, tables: Tables) -> None:
    # The execution cannot record that it failed, so the order stays PENDING.
    for step in ("CheckInventory", "RecordFailed"):
        order_workflow.fail(step, "DynamoDB.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, tables.order()["status"], tables.stock("tea")) == ("SUCCEEDED", "CONFIRMED", 3)
    assert ended.states == ["DecideOrder", "ReadOrder", "RouteByStatus", "WaitToRetry", "DecideOrder"]
    assert 3 in order_workflow.waits


def test_order_that_stays_pending_ends_as_not_recorded(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException", times=9)
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, tables.order()["status"]) == ("NotRecorded", "PENDING")
    assert ended.tries["DecideOrder"] == 5


@pytest.mark.parametrize("gone", ["unreadable", "absent"])
def test_unreadable_or_missing_row_ends_as_not_recorded(order_workflow: Workflow, tables: Tables, gone: str) -> None:
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException")
    if gone == "absent":
        tables.dynamodb.tables["orders"].items.clear()
    else:
        order_workflow.fail("ReadOrder", "DynamoDB.AccessDeniedException")
    assert order_workflow.run_accepted(standard(LINES)).error == "NotRecorded"


def test_expressions_agree_with_the_reference_implementation(order_workflow: Workflow, tables: Tables) -> None:
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


def test_reference_implementation_raises_for_failed_execution() -> None:
    output = state_machine.load("accepted-order.asl.json")["States"]["DecideOrder"]["Output"]
    expression = output.removeprefix("{%").removesuffix("%}")
    (result,) = reference_results(
        [{"expression": expression, "bindings": {"states": {"result": {"Status": "TIMED_OUT"}}}}]
    )
    assert "TIMED_OUT" in result["error"]
