"""Signals that end the threads of a workflow execution, or of a branch of a Parallel state, after its end."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final


class StoppedError(Exception):
    """The work must end, because its execution or the surrounding Parallel state has ended."""


class Stop:
    """A signal that an execution or a branch must end. A branch also ends when its outer execution or branch ends."""

    def __init__(self, outer: Stop | None = None) -> None:
        self._event, self._outer = threading.Event(), outer

    def set(self) -> None:
        """Set the signal, so that the execution or the branch ends."""
        self._event.set()

    def is_set(self) -> bool:
        """Return whether the signal or an outer signal is set."""
        return self._event.is_set() or (self._outer is not None and self._outer.is_set())

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. Raises StoppedError as soon as the signal or an outer signal is set."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._event.wait(min(left, 0.05))
            self.check()

    def check(self) -> None:
        """Raise StoppedError if the signal or an outer signal is set."""
        if self.is_set():
            raise StoppedError


stopping: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("workflow_stop", default=None)
_express: Final[set[threading.Event]] = set()
"""One threading event for each running EXPRESS execution. The event is set when the execution ends."""


@contextmanager
def running(*, express: bool) -> Generator[None]:
    """Mark an execution as running during the `with` block.

    `express` is True for an EXPRESS execution. `wait_for_express_executions` waits only for EXPRESS executions.
    """
    ended = threading.Event()
    if express:
        _express.add(ended)
    try:
        yield
    finally:
        _express.discard(ended)
        ended.set()


def wait_for_express_executions() -> None:
    """Wait until all currently running EXPRESS executions have ended."""
    for ended in _express.copy():
        ended.wait()
