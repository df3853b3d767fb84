"""Runs many activities in simulated time: the clock jumps to the next activity that is due."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class _Due:
    """A thread that continues at a moment."""

    at_s: float
    number: int
    turn: threading.Semaphore = field(compare=False)


class Simulation:
    """Activities that run one at a time. While an activity sleeps, other activities run."""

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
        """Let other activities run until `seconds` have passed. Only an activity may call this method."""
        turn = threading.Semaphore(0)
        self._add(self.now_s + seconds, turn)
        self._next()
        turn.acquire()

    def at(self, moment_s: float, activity: Callable[[], None]) -> None:
        """Start `activity` at a moment, in seconds of the simulated time."""
        turn = threading.Semaphore(0)
        self._add(moment_s, turn)
        threading.Thread(target=self._run, args=(turn, activity), daemon=True).start()

    def run(self) -> None:
        """Run until all activities have ended. Raise the first exception of an activity."""
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
        """Give the turn to the activity that is due first, or to `run` if all activities have ended or one failed."""
        if self._error or not self._due:
            self._end.release()
            return
        due = heapq.heappop(self._due)
        self.now_s = due.at_s
        due.turn.release()
