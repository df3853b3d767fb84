"""Commands of others that a command runs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cli.signals import on_signal


def run(command: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `command` and return its end, output and all. A signal that ends this process ends it too."""

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
