"""Runs code that stops before each of its AWS calls. The test decides what happens to the call, and what runs next.

An activity is one invocation of a function or one execution of the workflow. Each activity has its own thread, but only
one thread runs at a time: `go_on` runs an activity until its next call. Only the test decides which thread runs, so a
run can be repeated exactly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fakes.faults import client_error


class CallOutcome(Enum):
    """What happens to one AWS call of an activity."""

    FINE = "fine"
    PARTLY = "only some items of the call are processed"
    REPEATED = "carried out, its response is lost, and the client retries"
    REFUSED = "rejected, and so are all retries"
    UNANSWERED = "carried out, but without any response"
    DIES_BEFORE = "the caller dies before the call"
    DIES_AFTER = "the caller dies after the call was carried out"

    @property
    def is_deadly(self) -> bool:
        return self in (CallOutcome.DIES_BEFORE, CallOutcome.DIES_AFTER)


class Died(BaseException):
    """Raised in an activity when its process is killed. The functions' `except Exception` can't catch this class."""


@dataclass(eq=False)
class Activity:
    """One invocation of a function, or one execution of the workflow."""

    name: str
    run: Callable[[], Any]
    ends_by_s: float = float("inf")
    """Time at which the activity is killed, in seconds of the test's clock."""
    about: Any = None
    """Data that the test stores for the activity, for example its request."""
    at_end: list[Callable[[Activity], None]] = field(default_factory=list[Callable[["Activity"], None]])
    """Functions that are called after the activity has ended, outside its thread."""
    parent: Activity | None = None
    """The execution that waits for this invocation."""
    call: str = ""
    """The AWS call before which the activity pauses. If it waits for an invocation, the name of that invocation."""
    value: Any = None
    error: BaseException | None = None
    ended: bool = False
    is_waiting: bool = False
    """Whether the activity waits for an invocation that it started."""
    is_killed: bool = False
    is_unhindered: bool = False
    """Whether the activity runs to its end without further stops and faults."""
    faults: int = 0
    """Number of faults that affected this activity, or an invocation that it waited for."""
    done: list[str] = field(default_factory=list[str])
    """AWS calls that were carried out."""
    _outcome: CallOutcome = CallOutcome.FINE
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _thread: threading.Thread | None = None
    _router: tuple[Any, Any] = (None, None)

    @property
    def is_execution(self) -> bool:
        """Whether the activity is an execution and not an invocation."""
        return self.name.startswith(("execution ", "express-"))

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def call_aws(self, call: str, carry_out: Callable[[bool], Any]) -> Any:
        """Stop before the AWS call `call`, and continue with the outcome that the test chose.

        `carry_out(part)` makes the call, for only some of its items if `part` is true. Raises Died, or the error that
        an AWS client would raise.
        """
        while True:
            outcome = self._stop_before(call)
            if outcome is CallOutcome.DIES_BEFORE:
                raise Died
            if outcome is CallOutcome.REFUSED:
                raise client_error("ThrottlingException", call)
            self.done.append(call)
            if outcome in (CallOutcome.FINE, CallOutcome.PARTLY):
                return carry_out(outcome is CallOutcome.PARTLY)
            with suppress(ClientError):  # The caller gets no response, not even an error response.
                carry_out(False)
            if outcome is CallOutcome.DIES_AFTER:
                raise Died
            if outcome is CallOutcome.UNANSWERED:
                raise ReadTimeoutError(endpoint_url=f"https://{call}")

    def decide(self, call: str) -> CallOutcome:
        """Stop before the AWS call `call`, and return the outcome that the test chose. The caller applies it."""
        return self._stop_before(call)

    def wait_for(self, invocation: Activity) -> None:
        """Let other activities run until `invocation` has ended."""
        if not invocation.ended:
            self.is_waiting = True
            self._stop_before(invocation.name)
            self.is_waiting = False

    def _stop_before(self, call: str) -> CallOutcome:
        if self.is_killed:
            raise Died
        if self.is_unhindered and not self.is_waiting:
            return CallOutcome.FINE
        self.call = call
        self._router = (getattr(BaseRouter, "current_event", None), getattr(BaseRouter, "lambda_context", None))
        _floor.release()
        self._turn.acquire()
        self._here()
        if self.is_killed:
            raise Died
        return self._outcome

    def _here(self) -> None:
        _now.activity = self
        # Powertools stores the current request in class attributes, which all activities share. Restore the request of
        # this activity, because another activity may have replaced it.
        BaseRouter.current_event, BaseRouter.lambda_context = self._router

    def go_on(self, outcome: CallOutcome = CallOutcome.FINE, *, to_the_end: bool = False) -> None:
        """Apply `outcome` to the call before which the activity has stopped, and run the activity to its next call.

        With `to_the_end`, run the activity to its end without another stop.
        """
        self._outcome, self.is_unhindered = outcome, to_the_end
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)
            self._thread.start()
        else:
            self._turn.release()
        _floor.acquire()

    def run_here(self) -> None:
        """Run the whole activity in the current thread, without stops."""
        self.is_unhindered = True
        before = _now.activity
        try:
            self._live_on()
        finally:
            _now.activity = before

    def kill(self) -> None:
        """End the activity at the call before which it has stopped, as if its process were killed."""
        if self._thread is None:
            self.error, self.ended = Died(), True
        elif not self.ended:
            self.is_waiting, self.is_killed = False, True
            self.go_on()

    def _live(self) -> None:
        self._live_on()
        _floor.release()

    def _live_on(self) -> None:
        self._here()
        try:
            self.value = self.run()
        except BaseException as error:  # noqa: BLE001 - the callbacks in `at_end` read the error
            self.error = error
        self.ended = True


class _Now(threading.local):
    activity: Activity | None = None


_floor: Final = threading.Semaphore(0)
"""Released by an activity when it stops or ends."""
_now: Final = _Now()


def current() -> Activity | None:
    """Return the activity whose code is running in this thread."""
    return _now.activity
