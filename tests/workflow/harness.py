"""Runs the real workflow definitions and functions in process, with the emulator's interpreter and in-memory tables.

Only AWS's responses are simulated: a test can make a step fail, or lose the response after the step has done its work.
"""

from __future__ import annotations

import contextvars
import copy
import importlib
import json
import types
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from botocore.exceptions import ClientError

from components.workflow import state_machine
from contracts.orders import LONGEST_BEHIND_API_S
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.runtime import LoadedFunction, loaded

FUNCTIONS: Final = ("validate_order", "update_inventory")
VALUES: Final = {
    "validate_order_arn": "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-validate-order:live",
    "update_inventory_arn": "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-dev-update-inventory:live",
    "orders_table": "orders",
    "inventory_table": "inventory",
    "notification_topic_arn": "arn:aws:sns:ap-northeast-1:123456789012:orders-dev-order-notifications",
}
_MACHINE: Final = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:order"
_ACCEPTED: Final = f"{_MACHINE}-standard"
ACCEPTED_VALUES: Final = {"express_arn": _MACHINE, "orders_table": VALUES["orders_table"]}
EXPRESS_LIMIT_S: Final = LONGEST_BEHIND_API_S
STANDARD_LIMIT_S: Final = 900
_engine: Any = importlib.import_module("ministack.services.stepfunctions")
_step: contextvars.ContextVar[str] = contextvars.ContextVar("step")


@dataclass(frozen=True)
class Fault:
    """An error in one attempt of a step."""

    error: str
    after: bool = False
    """Whether the step does its work before the error, as if only its response were lost."""


@dataclass(frozen=True)
class Outage:
    """An error in every attempt of a step until a point in simulated time."""

    error: str
    ends_at_s: float
    takes_s: float
    """Seconds that each attempt takes before the error."""


class _TimedOut(BaseException):
    """Raised when an execution reaches its time limit. The interpreter catches Exception, but not BaseException."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


@dataclass(frozen=True)
class Evaluation:
    """One JSONata expression with the variables and the result of its evaluation."""

    expression: str
    bindings: Mapping[str, Any]
    result: Any


@dataclass
class Ended:
    """The result of an execution."""

    status: str
    output: Any
    error: str
    cause: str
    """The message of the error. "" if the execution succeeded."""
    told: dict[str, Any]
    """The cause's fields if the cause is JSON: the message, the order's id and the details. Otherwise {}."""
    states: list[str]
    """Top-level states in the order in which the execution entered them."""
    tries: dict[str, int]
    """Number of attempts of each step."""
    events: int
    """Number of events in the execution's history."""


@dataclass
class Workflow:
    """Both state machines with the functions and tables that they use."""

    functions: Mapping[str, LoadedFunction]
    dynamodb: FakeDynamoDB
    definition: Mapping[str, Any]
    """Definition of the EXPRESS state machine."""
    accepted: Mapping[str, Any]
    """Definition of the STANDARD state machine."""
    published: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Messages sent to the notification topic."""
    started: list[str] = field(default_factory=list[str])
    """Ids of orders for which a STANDARD execution started an EXPRESS execution."""
    waits: list[float] = field(default_factory=list[float])
    """Length in seconds of each pause before a retry or in a Wait state. The tests only simulate these pauses."""
    now_s: float = 0
    """Simulated time, in seconds. Pauses and outages advance it."""
    evaluations: list[Evaluation] = field(default_factory=list[Evaluation])
    _faults: defaultdict[str, deque[Fault | Callable[[], None]]] = field(default_factory=lambda: defaultdict(deque))
    random: float = 0.5
    """Result of JSONata's `$random()`."""
    _outages: dict[str, Outage] = field(default_factory=dict[str, Outage])
    _deadlines: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _tries: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def fail(self, step: str, error: str, times: int = 1) -> None:
        """Make the next `times` attempts of `step` fail with `error` before they do any work."""
        self._faults[step].extend([Fault(error)] * times)

    def outage(self, step: str, error: str, seconds: float, *, takes_s: float = 0) -> None:
        """Make every attempt of `step` fail for `seconds` of simulated time from now.

        Each attempt takes `takes_s` seconds and fails with `error`. An attempt that would exceed the step's time limit
        ends at this limit with States.Timeout. If `error` is States.Timeout, each attempt takes as long as the time
        limit.
        """
        steps = dict(state_machine.tasks(self.accepted)) | dict(state_machine.tasks(self.definition))
        limit_s = steps[step]["TimeoutSeconds"]
        if takes_s >= limit_s or error == "States.Timeout":
            error, takes_s = "States.Timeout", limit_s
        self._outages[step] = Outage(error, self.now_s + seconds, takes_s)

    def wait(self, seconds: float) -> None:
        """Advance the simulated time. Raises _TimedOut if an execution reaches its time limit."""
        self.now_s += seconds
        # `_deadlines` lists a STANDARD execution before the EXPRESS execution that it started, so the time limit of the
        # STANDARD execution is checked first.
        for deadline_s, arn in self._deadlines:
            if self.now_s >= deadline_s:
                self.now_s = deadline_s
                raise _TimedOut(arn)

    def sleep(self, seconds: float) -> None:
        """Record a pause of the interpreter, and advance the simulated time."""
        self.waits.append(seconds)
        self.wait(seconds)

    def lose_answer(self, step: str, error: str = "States.Timeout", times: int = 1) -> None:
        """Make the next `times` attempts of `step` do their work and then fail with `error`."""
        self._faults[step].extend([Fault(error, after=True)] * times)

    def meanwhile(self, step: str, happens: Callable[[], None]) -> None:
        """Call `happens` just before the next attempt of `step`."""
        self._faults[step].append(happens)

    def run(self, request: Mapping[str, Any]) -> Ended:
        """Run one EXPRESS execution to its end."""
        self._tries.clear()
        return self._ended(self._start(_MACHINE, self.definition, request))

    def run_accepted(self, request: Mapping[str, Any]) -> Ended:
        """Run one STANDARD execution to its end, including the EXPRESS executions that it starts."""
        self._tries.clear()
        return self._ended(self._start(_ACCEPTED, self.accepted, request))

    def _ended(self, execution: dict[str, Any]) -> Ended:
        succeeded = execution["status"] == "SUCCEEDED"
        cause: str = execution.get("cause", "")
        told: dict[str, Any] = json.loads(cause) if cause.startswith("{") else {}
        return Ended(
            status=execution["status"],
            output=json.loads(execution["output"]) if succeeded else None,
            error=execution.get("error", ""),
            cause=told.get("message", cause),
            told=told,
            states=[
                details["name"]
                for event in execution["events"]
                if (details := event.get("stateEnteredEventDetails")) and event["type"].endswith("StateEntered")
            ],
            tries=dict(self._tries),
            events=len(execution["events"]),
        )

    def _start(self, arn: str, definition: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
        machine_arn, arn = arn, f"{arn}:execution"
        machine = {"name": "order", "definition": json.dumps(definition), "roleArn": "arn:role"}
        _engine._state_machines[machine_arn] = machine
        execution: dict[str, Any] = {
            "executionArn": arn,
            "stateMachineArn": machine_arn,
            "name": "execution",
            "status": "RUNNING",
            "startDate": "2026-01-02T03:04:05.678Z",
            "input": json.dumps(request),
            "events": [],
            "sync": True,
        }
        _engine._executions[arn] = execution
        self._deadlines.append((self.now_s + definition["TimeoutSeconds"], arn))
        try:
            _engine._run_execution(arn)
        except _TimedOut as timed_out:
            if timed_out.arn != arn:
                raise
            execution["status"] = "TIMED_OUT"
        finally:
            self._deadlines.pop()
        return execution

    def invoke(self, _resource: str, arguments: Any, _limit_s: int) -> Any:
        """Make a Task's call to AWS, with the fault or callback that a test planned for this attempt."""
        step = _step.get()
        self._tries[step] += 1
        planned = self._faults[step].popleft() if self._faults[step] else None
        outage = self._outages.get(step)
        if outage and self.now_s < outage.ends_at_s:
            self.wait(outage.takes_s)
            raise _failure(outage.error)
        if isinstance(planned, Fault) and not planned.after:
            raise _failure(planned.error)
        if callable(planned):
            planned()
        answer = self._carry_out(_resource, json.loads(json.dumps(arguments)))
        if isinstance(planned, Fault):
            raise _failure(planned.error)
        return json.loads(json.dumps(answer))

    def _carry_out(self, resource: str, arguments: dict[str, Any]) -> Any:
        integration = resource.removeprefix("arn:aws:states:::")
        if integration == "lambda:invoke":
            return {"StatusCode": 200, "Payload": self._call(arguments)}
        if integration == "sns:publish":
            assert arguments["TopicArn"] == VALUES["notification_topic_arn"]
            self.published.append(json.loads(arguments["Message"]))
            return {"MessageId": str(len(self.published))}
        if integration == "aws-sdk:sfn:startSyncExecution":
            return self._decide(arguments)
        prefix = {"dynamodb": "DynamoDB", "aws-sdk:dynamodb": "DynamoDb"}[integration.rpartition(":")[0]]
        calls = {
            "putItem": self.dynamodb.put_item,
            "updateItem": self.dynamodb.update_item,
            "getItem": self.dynamodb.get_item,
            "batchGetItem": self.dynamodb.batch_get_item,
        }
        try:
            return calls[integration.rpartition(":")[2]](**arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise _failure(f"{prefix}.{code}", str(error)) from error

    def _decide(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run an EXPRESS execution, and return the response of StartSyncExecution."""
        assert arguments["StateMachineArn"] == _MACHINE
        self.started.append(arguments["Name"])
        execution = self._start(_MACHINE, self.definition, json.loads(arguments["Input"]))
        if execution["status"] == "SUCCEEDED":
            return {"Status": "SUCCEEDED", "Output": execution["output"]}
        return {"Status": execution["status"], **{name: execution.get(name.lower()) for name in ("Error", "Cause")}}

    def _call(self, arguments: Mapping[str, Any]) -> Any:
        name = next(name for name in FUNCTIONS if arguments["FunctionName"] == VALUES[f"{name}_arn"])
        try:
            return self.functions[name](arguments["Payload"])
        except Exception as error:
            # If a function raises an exception, Step Functions uses the name of the exception's class as the error, and
            # JSON text with the details as the cause.
            kind, message = type(error).__name__, str(error)
            cause: dict[str, Any] = {"errorMessage": message, "errorType": kind, "requestId": "1", "stackTrace": []}
            raise _failure(kind, json.dumps(cause)) from error


def _failure(error: str, cause: str = "") -> Exception:
    return _engine._ExecutionError(error, cause)


@contextmanager
def workflow(dynamodb: FakeDynamoDB, definitions: Path = state_machine.WORKFLOWS) -> Generator[Workflow]:
    """Load the functions and connect the emulator's interpreter to them within the `with` block.

    `definitions` is the folder of the workflow definitions.
    """
    environment = {"ORDERS_TABLE": "orders", "INVENTORY_TABLE": "inventory"}
    definition = _rendered(definitions / state_machine.DEFINITION, VALUES, timeout_s=EXPRESS_LIMIT_S)
    with ExitStack() as stack:
        functions = {
            name: stack.enter_context(loaded(name, clients={"dynamodb": dynamodb}, environment=environment))
            for name in FUNCTIONS
        }
        accepted_path = definitions / state_machine.ACCEPTED_DEFINITION
        accepted = _rendered(accepted_path, ACCEPTED_VALUES, timeout_s=STANDARD_LIMIT_S)
        made = Workflow(functions=functions, dynamodb=dynamodb, definition=definition, accepted=accepted)
        for attribute, replacement in _replacements(made).items():
            stack.enter_context(mock.patch.object(_engine, attribute, replacement))
        yield made


def _rendered(path: Path, values: Mapping[str, str], *, timeout_s: int) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # The definition of an earlier release can lack some of today's placeholders, so only the placeholders that it
    # contains get values.
    used = {name: values[name] for name in state_machine.placeholders(definition)}
    return json.loads(state_machine.render(definition, used, timeout_s=timeout_s))


def _replacements(made: Workflow) -> dict[str, Any]:
    """Return replacements for functions of the emulator's interpreter, as {name: replacement}.

    With these replacements, the workflow `made` controls the interpreter and records what it does.
    """
    execute, evaluate = _engine._execute_task, _engine._evaluate_jsonata
    find_retrier = _engine._find_matching_retrier
    names = [
        (state, name)
        for definition in (made.definition, made.accepted)
        for name, state in state_machine.tasks(definition)
    ]

    def execute_task(state: Any, data: Any, execution: Any, context: Any) -> Any:
        _step.set(next(name for known, name in names if known == state))
        return execute(state, data, execution, context)

    def recorded(expression: str, data: Any, context: Any, result: Any = None, error: Any = None) -> Any:
        states = {"input": data, "result": result, "errorOutput": error}
        bindings = json.loads(json.dumps({"states": states, **context["variables"]}))
        value = evaluate(expression, data, context, result, error)
        made.evaluations.append(Evaluation(expression, bindings, json.loads(json.dumps(value))))
        return value

    def condition(rule: Any, data: Any, context: Any) -> bool:
        value = _engine._apply_jsonata_template(rule["Condition"], data, context)
        # On AWS, an execution fails if a condition is not a boolean. The emulator's interpreter accepts any value, so
        # the value is checked here.
        assert isinstance(value, bool), f"{rule['Condition']}: {value!r} is not a boolean"
        return value

    def retrier(retriers: Any, error: str, counts: dict[int, int]) -> tuple[Any, int]:
        # The interpreter ignores MaxDelaySeconds, so the delay is limited here. The interpreter also ignores jitter, so
        # each delay has its maximum length.
        found, index = find_retrier(retriers, error, counts)
        if found is None:
            return found, index
        delay = min(found["IntervalSeconds"] * found["BackoffRate"] ** counts.get(index, 0), found["MaxDelaySeconds"])
        return {**found, "IntervalSeconds": delay, "BackoffRate": 1}, index

    def branches(state: Any, data: Any, execution: Any, context: Any) -> tuple[Any, str]:
        # The branches run one after another, but each one starts at the same simulated time, as if they ran in
        # parallel.
        started_s, ended_s = made.now_s, made.now_s
        results: list[Any] = []
        for branch in state["Branches"]:
            made.now_s = started_s
            own = {**context, "variables": dict(context["variables"])}
            given = copy.deepcopy(data)
            results.append(_engine._run_sub_machine(branch["States"], branch["StartAt"], given, execution, own))
            ended_s = max(ended_s, made.now_s)
        made.now_s = ended_s
        return results, state["Next"]

    return {
        "_sfn_jsonata_random": lambda: made.random,
        "_find_matching_retrier": retrier,
        "_run_parallel_branches": branches,
        "_invoke_resource_with_timeout": made.invoke,
        "_execute_task": execute_task,
        "_evaluate_jsonata": recorded,
        "_evaluate_jsonata_choice_rule": condition,
        "time": types.SimpleNamespace(sleep=made.sleep),
    }
