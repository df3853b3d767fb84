"""Tests that no order fails because of an outage of 30 s or 5 min (simulated), for each step and kind of error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from components.workflow import state_machine
from shared import rows
from tests.workflow.conftest import ORDER_ID, Lines, Tables, express, standard, sync_order_id
from tests.workflow.harness import STANDARD_LIMIT_S, Workflow

LINES: Final[Lines] = [("tea", 2), ("cup", 1)]
REFUSED: Final[Lines] = [("tea", 2), ("gone", 1)]
_LAMBDA: Final = (
    *("Lambda.TooManyRequestsException", "Lambda.ServiceException", "States.Timeout"),
    *("Runtime.ImportModuleError", "Lambda.AWSLambdaException", "States.Permissions", "KeyError"),
)
_DYNAMODB: Final = (
    *("DynamoDB.ThrottlingException", "DynamoDB.InternalServerErrorException", "States.Timeout"),
    *("DynamoDB.AmazonDynamoDBException", "DynamoDB.AccessDeniedException", "States.Permissions", "UnknownError"),
)
_SNS: Final = (
    *("SNS.ThrottledException", "SNS.InternalErrorException", "States.Timeout"),
    "SNS.AuthorizationErrorException",
)
_SFN: Final = ("Sfn.SfnException", "Sfn.AccessDeniedException", "States.Timeout", "States.Permissions", "UnknownError")
ERRORS: Final[Mapping[str, tuple[str, ...]]] = {
    "ValidateInput": _LAMBDA,
    "RecordOrder": _DYNAMODB,
    # CheckInventory uses the AWS SDK integration, in which the errors of DynamoDB have the prefix `DynamoDb.`.
    "CheckInventory": tuple(error.replace("DynamoDB.", "DynamoDb.") for error in _DYNAMODB),
    "UpdateInventory": (*_LAMBDA, "StockContention"),
    "SendNotification": _SNS,
    "RecordRejected": _DYNAMODB,
    "ReadOrder": _DYNAMODB,
    "DecideOrder": _SFN,
}
CASES: Final = [(step, error) for step, errors in ERRORS.items() for error in errors]
# POST /process runs these steps before the order has a row. If one of them fails, no order exists, and the client
# repeats the request.
BEFORE_THE_ROW: Final = ("ValidateInput", "RecordOrder")
# If an order of POST /process is still undecided when process_order receives OrderCreated, the invocation fails, and
# Lambda repeats it after a minute. The repeated invocation starts the STANDARD workflow.
TAKEN_OVER_AFTER_S: Final = 60
# In the longest case, three periods lie between the end of an outage and the decision: 28 s until the running EXPRESS
# execution fails, 60 s of waiting, and 28 s until the next EXPRESS execution decides the order. The tests wait the
# average time of 60 s, because `$random()` always returns 0.5 in them.
DECIDED_AFTER_S: Final = 120


@pytest.fixture(autouse=True)
def stock(tables: Tables) -> None:
    tables.product("tea", 10)
    tables.product("cup", 10)


def test_outages_cover_every_step() -> None:
    definitions = map(state_machine.load, (state_machine.DEFINITION, state_machine.ACCEPTED_DEFINITION))
    assert ERRORS.keys() == {name for definition in definitions for name, _ in state_machine.tasks(definition)}


def begin(step: str, error: str, seconds: float, workflow: Workflow) -> None:
    """Begin an outage, in which each attempt of `step` fails with `error`.

    If `step` is ReadOrder, UpdateInventory fails too: the workflow runs ReadOrder only after an error.
    """
    workflow.outage(step, error, seconds)
    if step == "ReadOrder":
        workflow.outage("UpdateInventory", "KeyError", seconds)


@pytest.mark.parametrize("seconds", [30, 300])
@pytest.mark.parametrize(("step", "error"), [case for case in CASES if case[0] != "RecordOrder"])
def test_accepted_order_is_decided_after_an_outage(
    order_workflow: Workflow, tables: Tables, step: str, error: str, seconds: int
) -> None:
    lines, decided = (REFUSED, "REJECTED") if step == "RecordRejected" else (LINES, "CONFIRMED")
    tables.accepted(lines)
    begin(step, error, seconds, order_workflow)
    ended = order_workflow.run_accepted(standard(lines))
    assert ended.tries[step] > 0
    assert tables.order()["status"] == decided
    assert order_workflow.now_s < seconds + DECIDED_AFTER_S
    assert tables.stock("tea") == (8 if decided == "CONFIRMED" else 10)


@pytest.mark.parametrize(("step", "error"), [case for case in CASES if case[0] != "DecideOrder"])
def test_standard_workflow_decides_a_synchronous_order_after_an_outage(
    order_workflow: Workflow, tables: Tables, step: str, error: str
) -> None:
    lines, decided = (REFUSED, "REJECTED") if step == "RecordRejected" else (LINES, "CONFIRMED")
    begin(step, error, 300, order_workflow)
    ended = order_workflow.run(express(lines))
    assert ended.tries[step] > 0
    row = tables.dynamodb.item("orders", sync_order_id())
    if row is None:
        assert step in BEFORE_THE_ROW
        assert (ended.status, ended.error) == ("FAILED", "NotRecorded")
        return
    if rows.order_of(row)["status"] == "PENDING":
        assert (ended.error, ended.cause) == ("Undecided", sync_order_id())
        order_workflow.wait(TAKEN_OVER_AFTER_S)
        order_workflow.run_accepted({"order": rows.order_of(row)})
    assert tables.order(sync_order_id())["status"] == decided


def test_simultaneous_outages_of_all_steps_leave_the_order_pending(order_workflow: Workflow, tables: Tables) -> None:
    tables.accepted(LINES)
    for step, errors in ERRORS.items():
        order_workflow.outage(step, errors[-1], STANDARD_LIMIT_S)
    ended = order_workflow.run_accepted(standard(LINES))
    assert (ended.status, tables.order(ORDER_ID)["status"]) == ("TIMED_OUT", "PENDING")


@pytest.mark.parametrize("step", [step for step in ERRORS if step != "DecideOrder"])
def test_outage_of_one_step_ends_the_express_execution_before_its_time_limit(
    order_workflow: Workflow, step: str
) -> None:
    """If the execution ends in time, POST /process returns 503 with the order's id, otherwise 504 without the id."""
    for error in ERRORS[step]:
        order_workflow.now_s = 0
        request: dict[str, Any] = express(REFUSED if step == "RecordRejected" else LINES, key=error)
        begin(step, error, 1000, order_workflow)
        assert order_workflow.run(request).status != "TIMED_OUT", error


@pytest.mark.parametrize("takes_s", [0.1, 0.9, 3])
@pytest.mark.parametrize("error", _SNS)
def test_slow_notification_delays_the_response_by_at_most_a_second(
    order_workflow: Workflow, tables: Tables, error: str, takes_s: float
) -> None:
    order_workflow.outage("SendNotification", error, 1000, takes_s=takes_s)
    seen: list[float] = []
    order_workflow.meanwhile("UpdateInventory", lambda: seen.append(order_workflow.now_s))
    assert order_workflow.run(express(LINES)).status == "SUCCEEDED"
    assert seen[0] < 0.5, "the decision must not wait for the notification"
    assert order_workflow.now_s <= 1.5
    assert tables.order(sync_order_id())["status"] == "CONFIRMED"
