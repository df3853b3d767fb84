"""Runs other programs as child processes."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from cli.signals import on_signal


def run(
    command: Sequence[str], *, cwd: Path, text: str | None = None, ends_itself: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `command` with `text` as its input, and return its exit code and output.

    A signal that ends this process kills the command too. If `ends_itself` is true, the command receives one SIGINT
    instead, and can finish its current work after this process has ended.
    """
    started = threading.Event()

    def end() -> None:
        # The signal can arrive while the command is starting, so `child` may not exist yet.
        started.wait()
        if ends_itself:
            child.send_signal(signal.SIGINT)
        else:
            child.kill()
        child.wait()

    with on_signal(end):
        # On Ctrl-C, a terminal sends SIGINT to every process of the foreground process group. A command that shuts down
        # by itself on SIGINT would receive two SIGINTs: one from the terminal and one from `end`. The Pulumi CLI aborts
        # an update at the second SIGINT. Such a command therefore starts in a new session, which is outside the
        # terminal's foreground process group.
        try:
            child = subprocess.Popen(  # noqa: S603 - no shell is involved
                command,
                cwd=cwd,
                stdin=None if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=ends_itself,
            )
        finally:
            started.set()
        with child:
            output, errors = child.communicate(text)
    return subprocess.CompletedProcess(command, child.returncode, output, errors)
