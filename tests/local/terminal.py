"""Runs commands in a pseudo-terminal, as a user does: Ctrl-C reaches every process in the foreground."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.signals import SIGNALS
from local.instance import ROOT, Instance

CTRL_C = b"\x03"


class Terminal:
    """A command in a pseudo-terminal. Its output is read only while `wait` or `end` runs."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self.shown = ""
        self._began = time.monotonic()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            # Restore the default action of each signal. If a shell runs the tests in the background, it makes them
            # ignore some signals, and the command would inherit this setting.
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            os.chdir(ROOT)
            os.execvpe(command[0], list(command), {**os.environ, "TERM": "xterm", **(environment or {})})  # noqa: S606 - no shell is involved

    def wait(self, until: float = 0, *, text: str = "", path: Path | None = None, within_s: float = 60) -> bool:
        """Wait until the output contains `text` or the file `path` exists.

        Without `text` and `path`, wait until the command has run for `until` seconds. Return False if the command ends
        earlier. Raises TimeoutError after `within_s` seconds.
        """
        ends = time.monotonic() + within_s
        while time.monotonic() < ends:
            if (text and text in self.shown) or (path and path.exists()):
                return True
            if not text and not path and time.monotonic() - self._began > until:
                return True
            if not self._read(0.01):
                return False
        raise TimeoutError(f"waited {within_s} s, but {text or path} did not appear; the terminal shows:\n{self.shown}")

    def type(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self._descriptor, keys)

    def close(self) -> None:
        """Close the terminal window. The command gets SIGHUP."""
        os.close(self._descriptor)
        self._descriptor = -1

    def end(self, within_s: float) -> tuple[int, float]:
        """Wait until the command ends. Return (exit code as a shell reports it, seconds that this method waited)."""
        began = time.monotonic()
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > within_s:
                raise TimeoutError(f"the command did not end within {within_s} s; the terminal shows:\n{self.shown}")
            if not self._read(0.01):
                time.sleep(0.01)
        took = time.monotonic() - began
        while self._read(0):
            pass
        if self._descriptor >= 0:
            os.close(self._descriptor)
        code = os.waitstatus_to_exitcode(status)
        return (code if code >= 0 else 128 - code), took

    def _read(self, wait_s: float) -> bool:
        """Wait up to `wait_s` seconds for output of the command, and read it.

        Return False if the output has ended, or if `wait_s` is 0 and no output is available.
        """
        if self._descriptor < 0:
            return False
        if not select.select([self._descriptor], [], [], wait_s)[0]:
            return wait_s > 0
        try:
            read = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self.shown += read.decode(errors="replace")
        return bool(read)


def in_terminal(name: str, where: Instance, program: Path = ROOT) -> Terminal:
    """Start `python -m local {name}` for the instance `where` in a terminal."""
    options = ["--port", str(where.port), "--home", str(where.home), "--program", str(program)]
    return Terminal([sys.executable, "-m", "local", name, *options])
