"""Simulated time for threads: only one thread runs at a time, and `sleep` takes no real time."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


class SimulatedClock:
    """Simulated time, with the functions of the module `time` that the platform uses. The time starts at 0 s."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._paused = threading.Semaphore(0)

    def monotonic(self) -> float:
        """Return the simulated time in seconds."""
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Pause this thread until the simulated time is `seconds` later. Other threads run during the pause."""
        turn = self._wait_for(seconds)
        self._paused.release()
        turn.wait()

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run each task in its own thread, and return when all tasks have ended. If a task failed, raises its error."""

        def whole(task: Callable[[], None], turn: threading.Event) -> None:
            turn.wait()
            try:
                task()
            finally:
                self._paused.release()

        with ThreadPoolExecutor(len(tasks)) as threads:
            running = [threads.submit(whole, task, self._wait_for(0)) for task in tasks]
            while self._waiting:
                self._now_s, _, turn = heapq.heappop(self._waiting)
                turn.set()
                self._paused.acquire()
        for each in running:
            each.result()

    def _wait_for(self, seconds: float) -> threading.Event:
        turn = threading.Event()
        heapq.heappush(self._waiting, (self._now_s + max(seconds, 0), next(self._numbers), turn))
        return turn
