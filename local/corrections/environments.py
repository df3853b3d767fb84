"""A function has as few environments as this machine can carry, and an invocation waits for a free one.

Lambda makes an environment for each invocation that finds none free, and so does the emulator; but Lambda has a data
centre for them, and here they are processes on one machine. A burst of orders would become a burst of cold starts that
slow each other down until functions run out of their time. The wait is not part of the invocation's time.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Any, Final

from local.corrections import internal, replaces

PLACES: Final = max(4, 2 * (os.cpu_count() or 1))
"""Invocations of one function at the same time. None of ours invokes itself: that would wait for its own place."""
_lambda: Any = internal("services.lambda_svc")


class Line:
    """Lets so many in at the same time, in the order of their arrival, which a semaphore does not keep."""

    def __init__(self, places: int) -> None:
        self._places = self._free = places
        self.waiting: deque[threading.Event] = deque()
        self._guard = threading.Lock()

    def enter(self, limit: int | None = None) -> bool:
        """Wait for a place, and return True. Return False at once if `limit` others have a place or wait."""
        with self._guard:
            if limit is not None and self._places - self._free + len(self.waiting) >= limit:
                return False
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self.waiting.append(turn)
        turn.wait()
        return True

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        with self._guard:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self._free += 1


_lines: Final[dict[str, Line]] = {}


@replaces("services.lambda_svc._acquire_execution_slot", "ed3b38149e2e")
def acquire(original: Any, function: Any, config: Any) -> Any:
    """Wait for an environment before the invocation counts as one at work, of which the account may have so many.

    Reserved concurrency counts the waiting invocations too, because on AWS they would run.
    """
    line = _lines.setdefault(_lambda._inflight_key(config), Line(PLACES))
    if not line.enter(_lambda._reserved_concurrency(function, config)):
        return None, "function"
    slot, limit = original(function, config)
    if slot is None:
        line.leave()
    return slot, limit


@replaces("services.lambda_svc._release_execution_slot", "b35708f638af")
def release(original: Any, slot: str | None) -> None:
    """Let the next invocation have the environment."""
    original(slot)
    if slot is not None:
        _lines[slot].leave()
