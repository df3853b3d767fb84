"""An execution stops at its time limit, and its history contains every step.

This correction runs the states itself, applies the time limit, and records all events.

Emulator: The emulator ignores TimeoutSeconds of a state machine and `Output` of a Succeed state in JSONata. The
    emulator records no steps inside the branches of a Parallel state, and waits 150 ms before the first state.
AWS: TimeoutSeconds and `Output` both have an effect, the history contains all steps, and the first state starts without
    this wait.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from emulator_fixes import internal, replaces
from emulator_fixes.workflow_stop import Stop, StoppedError, running, stopping
from local.patience import PATIENCE

_states: Any = internal("services.stepfunctions")
_HANDLERS: Final = ("Pass", "Task", "Choice", "Wait", "Parallel", "Map")


@replaces("services.stepfunctions._run_execution", "996dff84e0e0")
def run_execution(original: Any, arn: str) -> None:
    """Run an execution until it ends or reaches its time limit."""
    del original
    execution = _states._executions.get(arn)
    machine = _states._state_machines.get(execution["stateMachineArn"]) if execution else None
    if not execution or not machine:
        return
    definition: Mapping[str, Any] = json.loads(machine["definition"])
    # The emulator has already recorded the start of the execution in the history, so this call writes the start only to
    # the execution log.
    _states._add_event(execution, "", execution["events"][0])
    stop = Stop()
    run = contextvars.copy_context().run
    walk = threading.Thread(target=run, args=(_run, execution, machine, definition, stop), daemon=True)
    with running(express=machine["type"] == "EXPRESS"):
        walk.start()
        limit_s = definition.get("TimeoutSeconds")
        walk.join(limit_s and limit_s * PATIENCE)
        if walk.is_alive():
            stop.set()
            _end(execution, "TIMED_OUT", "ExecutionTimedOut", error="States.Timeout", cause="")


@replaces("services.stepfunctions._run_sub_machine", "f8d844168b14")
def run_sub_machine(
    original: Any, states: Any, start_at: str, data: Any, execution: Any, context: dict[str, Any]
) -> Any:
    """Run the states of a Parallel branch or of a Map iteration."""
    del original
    return _walk(states, start_at, data, execution, context)


@replaces("services.stepfunctions._scaled_sleep", "5ed19df2efa9")
def scaled_sleep(original: Any, seconds: float) -> None:
    """Wait as long as a Wait state or a retry requires, but stop when the execution ends."""
    stop = stopping.get()
    if stop is None:
        original(seconds)
    else:
        stop.sleep(seconds * _states._SFN_WAIT_SCALE)


@replaces("services.stepfunctions._fail_execution", "e6da895fa0b7")
def fail_execution(original: Any, execution: Any, error: str, cause: str) -> None:
    """End an execution as FAILED. A failed execution has no output."""
    del original
    _end(execution, "FAILED", "ExecutionFailed", error=error, cause=cause)


def _run(execution: Any, machine: Any, definition: Mapping[str, Any], stop: Stop) -> None:
    stopping.set(stop)
    try:
        data = json.loads(execution["input"])
        context = {
            "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
            "Execution": {
                "Id": execution["executionArn"],
                "Input": data,
                "Name": execution["name"],
                "RoleArn": machine["roleArn"],
                "StartTime": execution["startDate"],
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
            "variables": {},
        }
        output = _walk(definition["States"], definition["StartAt"], data, execution, context)
    except StoppedError:
        return
    except _states._ExecutionError as error:
        fail_execution(None, execution, error.error, error.cause)
    except Exception as error:
        _states.logger.exception("execution %s", execution["executionArn"])
        fail_execution(None, execution, "States.Runtime", str(error))
    else:
        _end(execution, "SUCCEEDED", "ExecutionSucceeded", output=json.dumps(output))


def _walk(states: Any, name: str, data: Any, execution: Any, context: dict[str, Any]) -> Any:
    """Run the states from the state `name` to the last one, and return the output of the last state."""
    step: str | None = name
    while step:
        if (stop := stopping.get()) is not None:
            stop.check()
        if execution["status"] != "RUNNING":
            raise StoppedError
        state = states[step]
        kind: str = state["Type"]
        context["State"] = {"Name": step, "EnteredTime": _states.now_iso(), "RetryCount": 0}
        _note(execution, f"{kind}StateEntered", "stateEntered", name=step, input=json.dumps(data))
        if kind == "Fail":
            raise _states._ExecutionError(*_states._fail_state_error(state, data, context))
        entered, step = step, None
        if kind == "Succeed":
            data = _succeed(state, data, context)
        else:
            data, step = _step(kind, state, data, execution, context)
        _note(execution, f"{kind}StateExited", "stateExited", name=entered, output=json.dumps(data))
    return data


def _step(kind: str, state: Any, data: Any, execution: Any, context: Any) -> tuple[Any, str | None]:
    if kind not in _HANDLERS:
        raise _states._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
    handler = getattr(_states, f"_execute_{kind.lower()}")
    return handler(state, data, *((execution,) if kind in ("Task", "Parallel", "Map") else ()), context)


def _succeed(state: Any, data: Any, context: Any) -> Any:
    if _states._state_query_language(state, context) == "JSONata":
        return _states._apply_jsonata_output(state, data, context, default=data)
    given = _states._apply_input_path(state, data, context)
    return _states._apply_output_path(state, given, context)


def _note(execution: Any, kind: str, detail: str, **content: str) -> None:
    _states._add_event(execution, kind, {f"{detail}EventDetails": content})


def _end(execution: Any, status: str, kind: str, **content: str) -> None:
    execution.update(status=status, stopDate=_states.now_iso(), **content)
    _note(execution, kind, f"{kind[0].lower()}{kind[1:]}", **content)
    _states._emit_execution_status_event(execution)
