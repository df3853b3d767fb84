"""Runs other programs as child processes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cli.signals import on_signal


def run(command: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `command`, and return its exit code and output. A signal that ends this process also ends `command`."""

    def end() -> None:
        child.kill()
        child.wait()

    with (
        subprocess.Popen(  # noqa: S603 - no shell is involved
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as child,
        on_signal(end),
    ):
        output, errors = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, output, errors)
