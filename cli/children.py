"""Runs other programs as child processes, and ends them when a signal ends this process."""

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
    """Run `command` in the directory `cwd`, with `text` as its standard input. Return its exit code and output.

    When a signal ends this process, this function kills the command. With `ends_itself`, it sends one SIGINT to the
    command instead. The command can then finish its current work, even after this process has ended.
    """
    started = threading.Event()

    def end() -> None:
        # A signal can arrive while the command is starting. `child` does not exist until the command has started.
        started.wait()
        if ends_itself:
            child.send_signal(signal.SIGINT)
        else:
            child.kill()
        child.wait()

    with on_signal(end):
        # A command with `ends_itself` starts in a new session, so Ctrl-C in the terminal does not reach it. Otherwise,
        # the command would receive SIGINT twice: from the terminal and from the function `end` above. At the second
        # SIGINT, the Pulumi CLI aborts an update without waiting for its running operations.
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
