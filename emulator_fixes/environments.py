"""Each function has at most PLACES execution environments, and further invocations wait for a free one.

In the emulator, each environment is a process on the same machine. Without a limit, a burst of orders would cause many
cold starts at the same time. These cold starts would slow each other down until functions time out. This correction
limits the environments of each function. The wait for a free environment does not count toward the time limit of the
invocation.

Emulator: If no execution environment of a function is free, the emulator creates a new one for each invocation. It does
    not limit the number of environments, so many invocations can overload the machine.
AWS: Lambda also creates a new execution environment for each such invocation, but distributes the environments over
    many machines.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
Upstream: nothing to report, because a useful limit depends on the machine.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Any, Final

from emulator_fixes import internal, replaces

PLACES: Final = max(4, 2 * (os.cpu_count() or 1))
"""Highest number of concurrent invocations of one function. A function that invokes itself could wait forever."""
_lambda: Any = internal("services.lambda_svc")


class Line:
    """Limits how many callers run at the same time, and admits waiting callers in the order of their arrival."""

    def __init__(self, places: int) -> None:
        self._places = self._free = places
        self.waiting: deque[threading.Event] = deque()
        self._guard = threading.Lock()

    def enter(self, limit: int | None = None) -> bool:
        """Wait until the caller may run, and return True.

        If `limit` or more callers already run or wait, return False immediately. With None, there is no such limit.
        """
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
        """Record that a caller has ended, and admit the caller that has waited longest."""
        with self._guard:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self._free += 1


_lines: Final[dict[str, Line]] = {}


@replaces("services.lambda_svc._acquire_execution_slot", "ed3b38149e2e")
def acquire(original: Any, function: Any, config: Any) -> Any:
    """Wait for a free environment of the function.

    A waiting invocation already counts toward the function's reserved concurrency, because AWS would start the
    invocation without this wait. It counts toward the account's concurrency only after the wait.
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
    """End an invocation, and give its environment to the invocation that has waited longest."""
    original(slot)
    if slot is not None:
        _lines[slot].leave()
