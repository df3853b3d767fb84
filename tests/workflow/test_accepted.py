"""Tests of the STANDARD workflow, which runs the EXPRESS workflow until the order is decided."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from components.workflow import state_machine
from settings import WorkflowSettings
from tests.workflow.conftest import ORDER_ID, Tables, standard
from tests.workflow.harness import STANDARD_LIMIT_S, Workflow
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
def test_execution_of_a_rejected_order_fails_with_the_reason(
    order_workflow: Workflow, tables: Tables, lines: list[tuple[str, int]], error: str
) -> None:
    tables.accepted(lines)
    ended = order_workflow.run_accepted(standard(lines))
    row = tables.order()
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error, row["reason"]["message"])
    assert (row["status"], row["reason"]["code"]) == ("REJECTED", error)
    assert "WaitToRetry" not in ended.states


def test_execution_of_a_cancelled_order_fails_with_invalid_transition(
    order_workflow: Workflow, tables: Tables, cancel: Callable[[str], Callable[[], None]]
) -> None:
    cancel(ORDER_ID)()
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, ended.cause) == ("InvalidTransition", "The order was cancelled")
    assert tables.stock("tea") == 5


def test_execution_of_a_failed_order_ends_with_processing_failed(order_workflow: Workflow, tables: Tables) -> None:
    reason = {"M": {"code": {"S": "InternalError"}, "message": {"S": "earlier reason"}}}
    tables.change(ORDER_ID, {"status": {"S": "FAILED"}, "reason": reason})
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.error, ended.cause) == ("ProcessingFailed", "earlier reason")


def test_workflow_reads_the_order_after_a_lost_response(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.lose_answer("DecideOrder", "Sfn.InvalidTokenException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Success")
    assert (tables.order()["status"], tables.stock("tea")) == ("CONFIRMED", 3)


def test_standard_execution_retries_an_order_left_pending(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("CheckInventory", "DynamoDb.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, tables.order()["status"], tables.stock("tea")) == ("SUCCEEDED", "CONFIRMED", 3)
    assert ended.states == ["DecideOrder", "ReadOrder", "RouteByStatus", "WaitToRetry", "DecideOrder"]


def waits_of(workflow: Workflow) -> list[float]:
    """Return the pauses of the STANDARD execution, without the interpreter's own pauses, which are shorter than 1 s."""
    return [seconds for seconds in workflow.waits if seconds >= 1]


@pytest.mark.parametrize(
    ("random", "waits"),
    [(0, [2, 5, 15, 30, 30]), (0.5, [3, 10, 30, 60, 60]), (0.999, [4, 15, 45, 90, 90])],
)
def test_random_waits_grow_to_a_minute_on_average(order_workflow: Workflow, random: float, waits: list[float]) -> None:
    order_workflow.random = random
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException", times=5)
    assert order_workflow.run_accepted(standard(LINES)).status == "SUCCEEDED"
    assert waits_of(order_workflow) == waits


def test_pending_order_is_retried_until_the_time_limit(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.outage("DecideOrder", "Sfn.AccessDeniedException", STANDARD_LIMIT_S)
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, tables.order()["status"]) == ("TIMED_OUT", "PENDING")
    assert order_workflow.now_s == STANDARD_LIMIT_S
    assert ended.tries["DecideOrder"] > 15


def test_workflow_decides_the_order_again_after_a_failed_read(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("DecideOrder", "Sfn.AccessDeniedException")
    order_workflow.fail("ReadOrder", "DynamoDB.AccessDeniedException")
    ended = order_workflow.run_accepted(standard(LINES))
    assert ended.states == ["DecideOrder", "ReadOrder", "WaitToRetry", "DecideOrder"]
    assert tables.order()["status"] == "CONFIRMED"


def test_execution_without_an_order_row_ends_with_not_recorded(order_workflow: Workflow, tables: Tables) -> None:
    tables.dynamodb.tables["orders"].items.clear()
    assert order_workflow.run_accepted(standard(LINES)).error == "NotRecorded"


def test_history_of_the_longest_execution_stays_below_the_event_limit(order_workflow: Workflow) -> None:
    """Step Functions ends an execution with more than 25,000 events.

    The settings allow a time limit of at most a day. The test simulates only an hour, so the execution must stay below
    1/24 of 25,000 events.
    """
    hour_s = 3600
    order_workflow.accepted = {**order_workflow.accepted, "TimeoutSeconds": hour_s}
    order_workflow.outage("DecideOrder", "Sfn.AccessDeniedException", hour_s)
    ended = order_workflow.run_accepted(standard(LINES))
    limits = WorkflowSettings.model_fields["standard_timeout_seconds"].metadata
    (longest_s,) = [limit.le for limit in limits if hasattr(limit, "le")]
    # For each attempt, AWS can record two events that the interpreter doesn't record: TaskStarted and EvaluationFailed.
    assert ended.events + 2 * sum(ended.tries.values()) < 25_000 * hour_s / longest_s


def test_jsonata_expressions_agree_with_the_reference_implementation(order_workflow: Workflow, tables: Tables) -> None:
    order_workflow.fail("CheckInventory", "DynamoDb.AccessDeniedException")
    order_workflow.run_accepted(standard(LINES))
    tables.accepted([("tea", 1), ("tea", 1)])
    order_workflow.run_accepted(standard([("tea", 1), ("tea", 1)]))
    used = {evaluation.expression for evaluation in order_workflow.evaluations}
    texts = json.dumps(order_workflow.accepted, ensure_ascii=False).split("{% ")[1:]
    assert {text.partition(" %}")[0] for text in texts} - {expression.strip() for expression in used} == set()
    compared = [each for each in order_workflow.evaluations if not re.search(r"\$(now|random)\(\)", each.expression)]
    results = reference_results([{"expression": each.expression, "bindings": each.bindings} for each in compared])
    for evaluation, result in zip(compared, results, strict=True):
        assert result == {"value": evaluation.result}, evaluation.expression


def test_output_expression_raises_an_error_for_a_failed_execution() -> None:
    output = state_machine.load("accepted-order.asl.json")["States"]["DecideOrder"]["Output"]
    expression = output.removeprefix("{%").removesuffix("%}")
    (result,) = reference_results(
        [{"expression": expression, "bindings": {"states": {"result": {"Status": "TIMED_OUT"}}}}]
    )
    assert "TIMED_OUT" in result["error"]
