"""Runs executions of the real workflow definition concurrently. Each execution stops before every AWS call.

The emulator's interpreter runs the definition, but its clock and threads are replaced. Retries and Wait states advance
the test's clock, and the test decides whether a task exceeds its time limit. The branches of a Parallel state run one
after another. They share no data, so running them at the same time would give the same result.
"""

from __future__ import annotations

import copy
import importlib
import json
import types
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from unittest import mock

from botocore.exceptions import ClientError

from components.workflow import state_machine
from tests.proof.order_life.activities import Activity, CallOutcome, Died, current
from tests.proof.order_life.functions import STANDARD_LIMIT_S, Clock
from tests.workflow.harness import ACCEPTED_VALUES, FUNCTIONS, VALUES

EXPRESS_LIMIT_S: Final = 28
EXPRESS: Final = ACCEPTED_VALUES["express_arn"]
STANDARD: Final = f"{EXPRESS}-standard"
_jsonata: Any = importlib.import_module("jsonata")
_timebox: Any = importlib.import_module("jsonata.timebox")
_engine: Any = importlib.import_module("ministack.services.stepfunctions")
_BUSY: Final = {
    "lambda": "Lambda.TooManyRequestsException",
    "sns": "SNS.ThrottledException",
    "aws-sdk:sfn": "Sfn.SfnException",
    "dynamodb": "DynamoDB.ThrottlingException",
    "aws-sdk:dynamodb": "DynamoDb.ThrottlingException",
}


@dataclass(frozen=True)
class Ended:
    """The result of an execution."""

    status: str
    output: Any
    error: str
    cause: str


@dataclass
class Interpreter:
    """Runs executions.

    `carry_out(service, operation, arguments, part)` makes each AWS call, for only some of its items if `part` is true.
    """

    carry_out: Callable[[str, str, Mapping[str, Any], bool], Any]
    invoke_for: Callable[..., Activity]
    """`invoke_for(execution, function, payload, at_once=...)` runs a function, and returns the ended invocation."""

    def execution(self, name: str, given: Mapping[str, Any], *, machine: str = EXPRESS) -> Ended:
        """Run one execution of a state machine to its end, in the current activity."""
        arn = f"{machine}:{name}"
        execution: dict[str, Any] = {
            "executionArn": arn,
            "stateMachineArn": machine,
            "name": name,
            "status": "RUNNING",
            "startDate": "2026-01-02T03:04:05.678Z",
            "input": json.dumps(given),
            "events": [],
            "sync": True,
        }
        _engine._executions[arn] = execution
        try:
            _engine._run_execution(arn)
        finally:
            del _engine._executions[arn]
        is_done = execution["status"] == "SUCCEEDED"
        output = json.loads(execution["output"]) if is_done else None
        return Ended(execution["status"], output, execution.get("error", ""), execution.get("cause", ""))

    def invoke(self, resource: str, arguments: Any) -> Any:
        """Make the AWS call of a Task state."""
        activity = current()
        assert activity
        service, _, operation = resource.removeprefix("arn:aws:states:::").rpartition(":")
        outcome = activity.decide(f"{service}:{operation}")
        if outcome is CallOutcome.DIES_BEFORE:
            raise Died
        if outcome is CallOutcome.REFUSED:
            raise _failure(_BUSY[service])
        arguments = json.loads(json.dumps(arguments))
        try:
            if service == "aws-sdk:sfn":
                answer = self._decide(arguments)
            elif service == "lambda":
                answer = self._call_function(
                    arguments, activity, at_once=outcome not in (CallOutcome.FINE, CallOutcome.PARTLY)
                )
            else:
                answer = self._call(service, operation, arguments, part=outcome is CallOutcome.PARTLY)
        except _engine._ExecutionError:
            if outcome in (CallOutcome.FINE, CallOutcome.PARTLY):
                raise
            answer = None
        if outcome is CallOutcome.DIES_AFTER:
            raise Died
        if outcome in (CallOutcome.REPEATED, CallOutcome.UNANSWERED):
            raise _failure("States.Timeout")
        return json.loads(json.dumps(answer))

    def _decide(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run an EXPRESS execution inside the current execution."""
        ended = self.execution(arguments["Name"], json.loads(arguments["Input"]))
        if ended.status == "SUCCEEDED":
            return {"Status": ended.status, "Output": json.dumps(ended.output)}
        return {"Status": ended.status, "Error": ended.error, "Cause": ended.cause}

    def _call(self, service: str, operation: str, arguments: Mapping[str, Any], *, part: bool) -> Any:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)
        try:
            return self.carry_out(service.rpartition(":")[2], name, arguments, part)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise _failure(f"{_BUSY[service].partition('.')[0]}.{code}", str(error)) from error

    def _call_function(self, arguments: Mapping[str, Any], activity: Activity, *, at_once: bool) -> Any:
        name = next(name for name in FUNCTIONS if arguments["FunctionName"] == VALUES[f"{name}_arn"])
        invocation = self.invoke_for(activity, name, arguments["Payload"], at_once=at_once)
        error = invocation.error
        if error is None:
            return {"StatusCode": 200, "Payload": invocation.value}
        if isinstance(error, Died):
            raise _failure("Lambda.Unknown", "the process exited before completing the request")
        # If a function raises an exception, Step Functions uses the name of the exception's class as the error, and
        # JSON text with the details as the cause.
        cause: Any = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "1", "stackTrace": []}
        raise _failure(type(error).__name__, json.dumps(cause)) from error


def _failure(error: str, cause: str = "") -> Exception:
    return _engine._ExecutionError(error, cause)


@contextmanager
def interpreter(clock: Clock, shared: Interpreter) -> Generator[Interpreter]:
    """Change the emulator's interpreter until the context ends.

    Its waits advance `clock`, and `shared` makes the AWS calls of its Task states.
    """
    definition = state_machine.render(state_machine.load("order.asl.json"), VALUES, timeout_s=EXPRESS_LIMIT_S)
    machine = {"name": "order", "definition": definition, "roleArn": "arn:role"}

    def branches(state: Any, given: Any, execution: Any, context: Any) -> tuple[Any, str]:
        results: list[Any] = []
        for branch in state["Branches"]:
            own = {**context, "variables": dict(context["variables"])}
            results.append(
                _engine._run_sub_machine(branch["States"], branch["StartAt"], copy.deepcopy(given), execution, own)
            )
        return results, state["Next"]

    def no_event(_execution: Any, _kind: str, _details: Any = None) -> None:
        """Ignore execution events, because nothing reads the execution history."""

    def task(resource: str, arguments: Any, _limit_s: int) -> Any:
        return shared.invoke(resource, arguments)

    def choice(rule: Any, data: Any, context: Any) -> bool:
        value = _engine._apply_jsonata_template(rule["Condition"], data, context)
        if not isinstance(value, bool):
            raise _failure("States.QueryEvaluationError", f"{rule['Condition']}: expected a boolean, got {value!r}")
        return value

    replacements: dict[str, Any] = {
        "_invoke_resource_with_timeout": task,
        "_run_parallel_branches": branches,
        "_evaluate_jsonata_choice_rule": choice,
        "_add_event": no_event,
        "time": types.SimpleNamespace(sleep=clock.tick),
        # Compiled expressions are cached, because parsing an expression takes ten times as long as evaluating it.
        "jsonata": types.SimpleNamespace(Jsonata=types.SimpleNamespace(jsonata=_compiled), utils=_jsonata.utils),
    }
    accepted = state_machine.render(
        state_machine.load("accepted-order.asl.json"), ACCEPTED_VALUES, timeout_s=STANDARD_LIMIT_S
    )
    _engine._state_machines[EXPRESS] = machine
    _engine._state_machines[STANDARD] = {**machine, "definition": accepted}
    with (
        mock.patch.multiple(_engine, **replacements),
        mock.patch.object(_timebox.Timebox, "current_milli_time", clock.milliseconds),
    ):
        yield shared


def _compiled(expression: str, timeout: int) -> Any:
    del timeout
    found = _parsed(expression)
    _jsonata.Jsonata.CURRENT.jsonata = found
    return found


@cache
def _parsed(expression: str) -> Any:
    return _jsonata.Jsonata.jsonata(expression)
