"""A function has as few environments as this machine can carry, and an invocation waits for a free one.

Lambda makes an environment for each invocation that finds none free, and so does the emulator; but Lambda has a data
centre for them, and here they are processes on one machine. A burst of orders would become a burst of cold starts that
slow each other down until functions run out of their time. The wait is not part of the invocation's time.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from types import TracebackType
from typing import Any, Final

from local.corrections import internal, replaces

PLACES: Final = max(4, 2 * (os.cpu_count() or 1))
"""Environments of one version of a function. None of ours invokes itself: that would wait for its own place."""
_runtime: Any = internal("core.lambda_runtime")


class Line:
    """Lets so many in at the same time, in the order of their arrival, which a semaphore does not keep."""

    def __init__(self, places: int) -> None:
        self._free = places
        self.waiting: deque[threading.Event] = deque()
        self._guard = threading.Lock()

    def __enter__(self) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self.waiting.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self._free += 1


_lines: Final[dict[str, Line]] = {}


@replaces("services.lambda_svc._execute_function_provided_warm", "7cddef20157f")
def execute(original: Any, function: Any, event: Any, request_id: str) -> Any:
    """Invoke as soon as it is this invocation's turn."""
    config: Any = function.get("config") or function
    name, version = config.get("FunctionName", ""), config.get("Version", "$LATEST")
    with _lines.setdefault(_runtime._worker_key(name, config, version), Line(PLACES)):
        return original(function, event, request_id)
