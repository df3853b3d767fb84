"""Prints the progress of a deployment. On a terminal, lines are redrawn. A log gets one line for each step."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TextIO

_REDRAW_S: Final = 0.08


@dataclass
class _Component:
    began: float
    ended: float
    running: int = 0
    actions: Counter[str] = field(default_factory=Counter[str])

    @property
    def made(self) -> int:
        return sum(self.actions.values())


class Progress:
    """Counts, for each component, the actions and the seconds that they took. Objects of this class are thread-safe."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._lock = threading.RLock()
        self._components: dict[str, _Component] = {}
        self._drawn, self._drawn_at = 0, 0.0

    def say(self, line: str) -> None:
        """Print `line` above the progress lines of the components."""
        with self._lock:
            clear = f"\x1b[{self._drawn}A\x1b[J" if self._drawn else ""
            self._out.write(f"{clear}{line}\n")
            self._out.flush()
            if self._drawn:
                self._drawn = 0
                self._draw()

    @contextmanager
    def step(self, name: str) -> Generator[Callable[[str], None]]:
        """Print the name, a note and the duration of a step.

        The `with` block receives a function that sets the note. On a terminal the name appears at the start of the
        block. In a log, the whole line appears at the end.
        """
        began, note = time.monotonic(), [""]
        if self._live:
            self._out.write(f"  {name} …")
            self._out.flush()
        try:
            yield lambda text: note.__setitem__(0, text)
        except BaseException:
            if self._live:
                self._out.write("\n")
            raise
        start = "\r\x1b[K" if self._live else ""
        self.say(f"{start}  {name:<16} {note[0]:<44} {time.monotonic() - began:5.1f} s")

    @contextmanager
    def waiting(self) -> Generator[Callable[[str], None]]:
        """Show a line of text until the `with` block ends.

        The block receives a function that sets the text. In a log, nothing is printed.
        """

        def say(line: str) -> None:
            if self._live:
                self._out.write(f"\r\x1b[K  {line}")
                self._out.flush()

        try:
            yield say
        finally:
            if self._live:
                self._out.write("\r\x1b[K")

    @contextmanager
    def resource(self, component: str) -> Generator[Callable[[str], None]]:
        """Count a resource of `component`. The `with` block receives a function that records its action."""
        with self._lock:
            now = time.monotonic()
            entry = self._components.setdefault(component, _Component(began=now, ended=now))
            entry.running += 1
        outcome: list[str] = []
        try:
            yield outcome.append
        finally:
            with self._lock:
                entry.running -= 1
                entry.ended = time.monotonic()
                entry.actions.update(outcome)
                if self._live and entry.ended - self._drawn_at > _REDRAW_S:
                    self._draw()

    def components(self) -> Counter[str]:
        """Print the final line of each component, and return how often each action occurred."""
        with self._lock:
            if self._live:
                self._draw()
            else:
                for line in self._lines():
                    self.say(line)
            self._drawn = 0
            return sum((entry.actions for entry in self._components.values()), Counter[str]())

    def _draw(self) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        lines = self._lines()
        self._out.write(up + "".join(f"\r\x1b[K{line}\n" for line in lines))
        self._out.flush()
        self._drawn, self._drawn_at = len(lines), time.monotonic()

    def _lines(self) -> list[str]:
        return [
            f"  {name:<16} {f'{entry.made} resources{_changes(entry.actions)}':<44} {entry.ended - entry.began:5.1f} s"
            for name, entry in self._components.items()
        ]


def _changes(actions: Counter[str]) -> str:
    changed = [f"{count} {action}" for action, count in sorted(actions.items()) if action != "same"]
    if actions and not changed:
        return ", unchanged"
    return "" if set(actions) <= {"created"} else f", {', '.join(changed)}"
