"""Runs many activities in simulated time. When all of them sleep, the time jumps to the end of the shortest sleep."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class _Due:
    """A thread that waits until the simulated time is `at_s`."""

    at_s: float
    number: int
    turn: threading.Semaphore = field(compare=False)


class Simulation:
    """Runs activities in simulated time, one at a time. While an activity sleeps, other activities run."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.running = 0
        """Number of activities that have started and not ended."""
        self.most_running = 0
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._end = threading.Semaphore(0)
        self._error: BaseException | None = None

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Pause this activity for `seconds`, and let other activities run. Only an activity may call this method."""
        turn = threading.Semaphore(0)
        self._add(self.now_s + seconds, turn)
        self._next()
        turn.acquire()

    def at(self, moment_s: float, activity: Callable[[], None]) -> None:
        """Start `activity` when the simulated time is `moment_s` seconds."""
        turn = threading.Semaphore(0)
        self._add(moment_s, turn)
        threading.Thread(target=self._run, args=(turn, activity), daemon=True).start()

    def run(self) -> None:
        """Run until all activities have ended. Raises the first error of an activity."""
        if self._due:
            self._next()
            self._end.acquire()
        if self._error:
            raise self._error

    def _run(self, turn: threading.Semaphore, activity: Callable[[], None]) -> None:
        turn.acquire()
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            activity()
        except BaseException as error:  # noqa: BLE001 - `run` raises it in the thread of the test
            self._error = self._error or error
        self.running -= 1
        self._next()

    def _add(self, at_s: float, turn: threading.Semaphore) -> None:
        heapq.heappush(self._due, _Due(at_s, next(self._numbers), turn))

    def _next(self) -> None:
        """Continue with the activity that is due first.

        If all activities have ended or an activity has failed, continue with `run` instead.
        """
        if self._error or not self._due:
            self._end.release()
            return
        due = heapq.heappop(self._due)
        self.now_s = due.at_s
        due.turn.release()
