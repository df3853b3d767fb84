"""Runs the real functions in pytest's process, with the test's clock.

Each invocation has its own simulated process: a copy of the function's modules that no other invocation uses at the
same time.
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from typing import Any, Final, Self
from unittest import mock

from shared.domain import times
from tests.fakes import runtime
from tests.fakes.runtime import Context, LoadedFunction, loaded
from tests.proof.order_life.activities import Activity, current
from tests.support.graph import record, stack_config

STANDARD_LIMIT_S: Final = json.loads(stack_config("prod")["orders:workflow"])["standardTimeoutSeconds"]
ENVIRONMENT: Final = {
    **runtime.ENVIRONMENT,
    "STANDARD_TIMEOUT_S": str(STANDARD_LIMIT_S),
    "POWERTOOLS_METRICS_DISABLED": "true",
}
_START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """The test's time, in Unix seconds. It advances only when `tick` is called."""

    now_s: float = _START

    def tick(self, seconds: float) -> None:
        """Advance the time."""
        self.now_s += seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def milliseconds(self) -> int:
        return int(self.now_s * 1000)


class OwnThread:
    """Replaces a pool of threads. Runs each task immediately, in the thread that submits the task."""

    def __init__(self, number: int) -> None:
        del number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run the task, and return a future with its result or its error."""
        made = Future[Any]()
        try:
            made.set_result(task(*arguments))
        except Exception as error:  # noqa: BLE001 - the error is the result of the task
            made.set_exception(error)
        return made


@dataclass
class Functions:
    """Loads functions, and gives each invocation a process that no other invocation uses at the same time."""

    clock: Clock
    clients: Mapping[str, Any]
    mutate: Callable[[LoadedFunction], None]
    """Called with each process after it was loaded, for example to introduce a defect."""
    _stack: ExitStack
    _idle: defaultdict[str, list[LoadedFunction]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: str) -> LoadedFunction:
        """Return a process of the function `name` that no invocation is using."""
        idle = self._idle[name]
        if idle:
            return idle.pop()
        # Replace `time.sleep` before the module is loaded. Some functions have it as the default value of a parameter,
        # and Python evaluates default values while it loads the module.
        with mock.patch("time.sleep", self.clock.tick):
            process = self._stack.enter_context(loaded(name, clients=self.clients, environment=ENVIRONMENT))
        if name == "record_analytics":
            process.module.traced_threads = OwnThread  # pyright: ignore[reportAttributeAccessIssue]
        self.mutate(process)
        return process

    def give_back(self, process: LoadedFunction) -> None:
        """Keep the process of an ended invocation, so that a later invocation can use it.

        The process of a killed invocation can be used again as well, because the functions keep no state.
        """
        self._idle[process.name].append(process)


@dataclass(kw_only=True)
class Invocation(Context):
    """The context that a handler receives. Its remaining time depends on the test's clock."""

    clock: Clock
    ends_by_s: float

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_by_s - self.clock.now_s) * 1000)


def invocation(functions: Functions, name: str, event: Any, request_id: str) -> Activity:
    """Create an invocation without starting it."""
    ends_by_s = functions.clock.now_s + time_limit_s(name)
    process = functions.take(name)
    context = Invocation(function_name=name, aws_request_id=request_id, clock=functions.clock, ends_by_s=ends_by_s)

    def run() -> Any:
        answer = process.module.lambda_handler(json.loads(json.dumps(event)), context)
        return json.loads(json.dumps(answer))

    activity = Activity(name, run, ends_by_s=ends_by_s)
    activity.at_end.append(lambda _: functions.give_back(process))
    return activity


def time_limit_s(name: str) -> int:
    """Return the timeout of a function in prod, in seconds."""
    return _limits()[name]


CarryOut = Callable[[str, str, Mapping[str, Any], bool], Any]
"""`carry_out(service, operation, arguments, part)` makes an AWS call for the running activity."""


class Gate:
    """An AWS client. Each call stops the running activity until the test continues it. `carry_out` makes the call."""

    def __init__(self, service: str, carry_out: CarryOut) -> None:
        self._service, self._carry_out = service, carry_out

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            activity = current()
            assert activity, f"{self._service}.{operation} was called outside an activity"
            return activity.call_aws(operation, partial(self._carry_out, self._service, operation, arguments))

        return call


@contextmanager
def functions_in_process(
    clock: Clock, clients: Mapping[str, Any], mutate: Callable[[LoadedFunction], None]
) -> Generator[Functions]:
    """Yield functions that use `clock` and the AWS clients `clients`, and that write no logs.

    `mutate` is called with each process after it was loaded, for example to introduce a defect.
    """
    ids = random.Random(0)  # noqa: S311 - a run must be repeatable

    class Virtual(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(clock.now_s, tz)

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=ids.getrandbits(128), version=4)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(times, "datetime", Virtual))
        stack.enter_context(mock.patch("uuid.uuid4", uuid4))
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        # Disable logging, because writing log lines would take most of the time of a run.
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable()
        yield Functions(clock, clients, mutate, stack)


@cache
def _limits() -> Mapping[str, int]:
    """Return {folder of a function: its timeout in prod, in seconds}."""
    functions = record("prod", build_archives=False).of("aws:lambda/function:Function")
    return {made.inputs["handler"].split(".")[0]: made.inputs["timeout"] for made in functions if made.custom}
