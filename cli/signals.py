"""A signal ends a command within two seconds, whatever the command is doing.

Python's own KeyboardInterrupt does not: it is raised inside of whatever code runs, and libraries swallow it, or then
wait for what never comes. Pulumi does both. So nothing is raised here. A thread takes the signal, does what the command
asked for in that case, and ends the process.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

SIGNALS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
LIMIT_S: Final = 1.5
"""How long the actions may take that a command asked for."""
_lock: Final = threading.Lock()
_actions: Final[list[Callable[[], None]]] = []
_ending: Final = threading.Event()


def take() -> None:
    """Let signals end this process: it says `interrupted` and exits with 128 + the signal's number, as shells count.

    Signals that are ignored stay ignored, as `nohup` wants it.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # Python writes the number of a signal to the pipe only if the signal has a handler, so an empty handler is
            # set.
            signal.signal(number, _pass)
    threading.Thread(target=_wait, args=(read,), daemon=True).start()
    atexit.register(_go_no_further)


@contextmanager
def on_signal(action: Callable[[], None]) -> Generator[None]:
    """Run `action` if a signal arrives while the block runs.

    The action runs in a thread of its own and may take LIMIT_S. Code in the block keeps running meanwhile, but the
    code after the block does not run: at its end, the block waits until the process has ended.
    """
    _go_no_further()
    with _lock:
        _actions.append(action)
    try:
        yield
    finally:
        with _lock:
            _actions.remove(action)
        _go_no_further()


class Work:
    """Changes that come to their end once they began. After a signal no more begin. Used by several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._stopped = False

    @contextmanager
    def one(self) -> Generator[None]:
        """Make one change in the block; wait for the end of the process instead if the work is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: not self._stopped)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def settle(self) -> None:
        """Wait for the changes that are being made."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def stop(self) -> None:
        """Let no change begin any more."""
        with self._changed:
            self._stopped = True


def _pass(number: int, frame: Any) -> None:
    del number, frame


def _wait(read: int) -> None:
    while (number := os.read(read, 1)[0]) not in SIGNALS:
        pass
    with _lock:
        _ending.set()
        threads = [threading.Thread(target=_do, args=(action,), daemon=True) for action in _actions]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + LIMIT_S
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    with suppress(OSError):
        # A terminal shows ^C in the line that the command was writing, so the message starts on a new line.
        os.write(2, b"\ninterrupted\n" if os.isatty(2) else b"interrupted\n")
    os._exit(128 + number)


def _do(action: Callable[[], None]) -> None:
    # If an action fails, the other actions must still run and the process must still end, without an error message.
    with suppress(Exception):
        action()


def _go_no_further() -> None:
    """Wait for the end of this process if a signal has come."""
    if _ending.is_set():
        threading.Event().wait()
