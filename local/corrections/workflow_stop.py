"""The end of an execution or of a branch, made known to all that runs in it and to who waits for it."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final


class StoppedError(Exception):
    """The execution, or the Parallel state around this branch, ended while the branch was running."""


class Stop:
    """Whether an execution or a branch is to end; a branch also ends with what is around it."""

    def __init__(self, outer: Stop | None = None) -> None:
        self._event, self._outer = threading.Event(), outer

    def set(self) -> None:
        """Let it end."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it is to end."""
        return self._event.is_set() or (self._outer is not None and self._outer.is_set())

    def sleep(self, seconds: float) -> None:
        """Wait. Raises StoppedError as soon as it is to end."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._event.wait(min(left, 0.05))
            self.check()

    def check(self) -> None:
        """Raise StoppedError if it is to end."""
        if self.is_set():
            raise StoppedError


stopping: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("workflow_stop", default=None)
_express: Final[set[threading.Event]] = set()
"""One for each EXPRESS execution that runs, set when it ends."""


@contextmanager
def running(*, express: bool) -> Generator[None]:
    """Let others know that an execution runs."""
    ended = threading.Event()
    if express:
        _express.add(ended)
    try:
        yield
    finally:
        _express.discard(ended)
        ended.set()


def wait_for_express_executions() -> None:
    """Wait until the EXPRESS executions that run now have ended."""
    for ended in _express.copy():
        ended.wait()
