"""Runs the real functions in this process on a clock of the test. Each invocation has a process of its own.

A process here is a fresh copy of the function's modules.
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from typing import Any, Final
from unittest import mock

from shared.domain import times
from tests.fakes import runtime
from tests.fakes.runtime import Context, LoadedFunction, loaded
from tests.proof.order_life.activities import Activity, current
from tests.support.graph import record

ENVIRONMENT: Final = {**runtime.ENVIRONMENT, "POWERTOOLS_METRICS_DISABLED": "true"}
_START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """The test's time, in Unix seconds. Only the test advances it."""

    now_s: float = _START

    def tick(self, seconds: float) -> None:
        """Advance the time."""
        self.now_s += seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def milliseconds(self) -> int:
        return int(self.now_s * 1000)


@dataclass
class Functions:
    """Loads functions, and lends each invocation a process that no other invocation uses."""

    clock: Clock
    clients: Mapping[str, Any]
    mutate: Callable[[LoadedFunction], None]
    """Changes each process after the process was loaded."""
    _stack: ExitStack
    _idle: defaultdict[str, list[LoadedFunction]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: str) -> LoadedFunction:
        """Return an unused process of a function."""
        idle = self._idle[name]
        if idle:
            return idle.pop()
        # Some functions have `time.sleep` as the default value of a parameter. Python evaluates default values while it
        # loads the module, so `time.sleep` must be replaced before that.
        with mock.patch("time.sleep", self.clock.tick):
            process = self._stack.enter_context(loaded(name, clients=self.clients, environment=ENVIRONMENT))
        self.mutate(process)
        return process

    def give_back(self, process: LoadedFunction) -> None:
        """Return the process of an ended invocation for later use.

        The process of a killed invocation can be used again as well, because the functions keep no state.
        """
        self._idle[process.name].append(process)


@dataclass(kw_only=True)
class Invocation(Context):
    """The context that a handler receives, on the test's clock."""

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
    """An AWS client whose calls stop the activity that makes them. `carry_out` makes each call later."""

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
    """Load functions with `clock` and the AWS clients `clients`, without logs, until the context ends."""
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
        # Log lines would take most of the time of a run, so logging is disabled.
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable()
        yield Functions(clock, clients, mutate, stack)


@cache
def _limits() -> Mapping[str, int]:
    """Return the timeouts of all functions in prod, by their folders."""
    functions = record("prod", build_archives=False).of("aws:lambda/function:Function")
    return {made.inputs["handler"].split(".")[0]: made.inputs["timeout"] for made in functions if made.custom}
