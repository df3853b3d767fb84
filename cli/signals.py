"""Ends a command within two seconds after a signal, whatever the command is doing.

Python's own KeyboardInterrupt does not end a command reliably. Python raises this exception inside the running code. A
library such as Pulumi's can catch the exception, or can wait forever after it. This module raises no exception.
Instead, a thread receives the signal, runs the actions that the command registered with `on_signal`, and ends the
process.
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
"""Time limit in seconds for all actions that a command registered."""
_lock: Final = threading.Lock()
_actions: Final[list[Callable[[], None]]] = []
_ending: Final = threading.Event()


def take() -> None:
    """Let signals end this process, which then prints `interrupted` and exits with 128 + the signal number.

    Signals that the process already ignores stay ignored. For example, `nohup` starts a command with SIGHUP ignored.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # When a signal with a Python handler arrives, Python writes the signal's number to the pipe. The thread
            # below reads the number and ends the process. The handler itself does nothing.
            signal.signal(number, _pass)
    threading.Thread(target=_wait, args=(read,), daemon=True).start()
    atexit.register(_go_no_further)


@contextmanager
def on_signal(action: Callable[[], None]) -> Generator[None]:
    """Run `action` if a signal arrives while the `with` block runs.

    The action runs in its own thread for at most LIMIT_S seconds. Meanwhile, the code in the block continues to run. If
    the block ends during this time, it waits until the process ends. Once a signal has arrived, the code that follows
    the block therefore never runs.
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
    """Lets running changes complete, but starts no new changes after `stop`.

    Each thread makes a change inside `with work.one():`. Several threads can share one `Work` object.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._stopped = False

    @contextmanager
    def one(self) -> Generator[None]:
        """Count the `with` block as one running change.

        If `stop` was called before, the block never starts: the calling thread waits until the process ends.
        """
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
        """Wait until all running changes have completed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def stop(self) -> None:
        """Prevent new changes from starting."""
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
        # After Ctrl-C, a terminal shows ^C in the line that the command was writing, so the message starts on a new
        # line.
        os.write(2, b"\ninterrupted\n" if os.isatty(2) else b"interrupted\n")
    os._exit(128 + number)


def _do(action: Callable[[], None]) -> None:
    # Ignore an error in one action, so that the other actions still run and the process still ends.
    with suppress(Exception):
        action()


def _go_no_further() -> None:
    """If a signal has arrived, wait until this process ends."""
    if _ending.is_set():
        threading.Event().wait()
