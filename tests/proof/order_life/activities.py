"""Code that stops before each of its calls to AWS, so that a test decides what happens in between and to the call.

An activity is an invocation of a function or an execution of the workflow. Each has a thread, and one runs at a time:
`go_on` lets it run to its next call. What has a choice is never left to threads, so a run can be repeated exactly.
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


class Fate(Enum):
    """What becomes of one call."""

    FINE = "fine"
    PARTLY = "answered for a part of what it asks"
    REPEATED = "carried out, its answer lost, repeated"
    REFUSED = "refused, however often it is repeated"
    UNANSWERED = "carried out, but never answered"
    DIES_BEFORE = "the caller dies before it"
    DIES_AFTER = "the caller dies when it was carried out"

    @property
    def is_deadly(self) -> bool:
        return self in (Fate.DIES_BEFORE, Fate.DIES_AFTER)


class Died(BaseException):
    """The process is gone. Not an Exception: no code of the function may notice."""


@dataclass(eq=False)
class Activity:
    """One invocation or execution."""

    name: str
    run: Callable[[], Any]
    ends_by_s: float = float("inf")
    """When it is killed, by the world's clock."""
    about: Any = None
    """What the test wants to know of it again."""
    at_end: list[Callable[[Activity], None]] = field(default_factory=list[Callable[["Activity"], None]])
    """Called when it has ended, outside of its thread."""
    parent: Activity | None = None
    """The execution that waits for this invocation."""
    call: str = ""
    """The call that it stands before."""
    value: Any = None
    error: BaseException | None = None
    ended: bool = False
    is_waiting: bool = False
    """For an invocation of its own."""
    is_killed: bool = False
    is_unhindered: bool = False
    """No more faults are injected, so it runs to its end."""
    faults: int = 0
    """What it met, or an invocation that it waited for; the world counts them."""
    done: list[str] = field(default_factory=list[str])
    """Calls that were carried out."""
    _fate: Fate = Fate.FINE
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _thread: threading.Thread | None = None
    _router: tuple[Any, Any] = (None, None)

    @property
    def is_execution(self) -> bool:
        """Not an invocation."""
        return self.name.startswith(("execution ", "express-"))

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def call_aws(self, call: str, carry_out: Callable[[bool], Any]) -> Any:
        """Stop before the call, then do what was decided. `carry_out(part)`. Raises Died, and what a client raises."""
        while True:
            fate = self._stop_before(call)
            if fate is Fate.DIES_BEFORE:
                raise Died
            if fate is Fate.REFUSED:
                raise client_error("ThrottlingException", call)
            self.done.append(call)
            if fate in (Fate.FINE, Fate.PARTLY):
                return carry_out(fate is Fate.PARTLY)
            with suppress(ClientError):  # An error response of AWS is lost in the same way as a successful response.
                carry_out(False)
            if fate is Fate.DIES_AFTER:
                raise Died
            if fate is Fate.UNANSWERED:
                raise ReadTimeoutError(endpoint_url=f"https://{call}")

    def decide(self, call: str) -> Fate:
        """Stop before the call and return what is to become of it; the caller sees to it."""
        return self._stop_before(call)

    def wait_for(self, invocation: Activity) -> None:
        """Let others run until `invocation` has ended."""
        if not invocation.ended:
            self.is_waiting = True
            self._stop_before(invocation.name)
            self.is_waiting = False

    def _stop_before(self, call: str) -> Fate:
        if self.is_killed:
            raise Died
        if self.is_unhindered and not self.is_waiting:
            return Fate.FINE
        self.call = call
        self._router = (getattr(BaseRouter, "current_event", None), getattr(BaseRouter, "lambda_context", None))
        _floor.release()
        self._turn.acquire()
        self._here()
        if self.is_killed:
            raise Died
        return self._fate

    def _here(self) -> None:
        _now.activity = self
        # Powertools stores the request in a class attribute, so each activity must set its own request before it
        # continues.
        BaseRouter.current_event, BaseRouter.lambda_context = self._router

    def go_on(self, fate: Fate = Fate.FINE, *, to_the_end: bool = False) -> None:
        """Run to the next call, or to the end without another stop."""
        self._fate, self.is_unhindered = fate, to_the_end
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)
            self._thread.start()
        else:
            self._turn.release()
        _floor.acquire()

    def run_here(self) -> None:
        """Run all of it without a stop, in this thread."""
        self.is_unhindered = True
        before = _now.activity
        try:
            self._live_on()
        finally:
            _now.activity = before

    def kill(self) -> None:
        """End it where it stands."""
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
        except BaseException as error:  # noqa: BLE001 - the callback `then` receives the error
            self.error = error
        self.ended = True


class _Now(threading.local):
    activity: Activity | None = None


_floor: Final = threading.Semaphore(0)
"""Released by an activity that stops or ends."""
_now: Final = _Now()


def current() -> Activity | None:
    """Return the activity whose code is running."""
    return _now.activity
