"""A fixture for small test commands, which start in the same way as the commands of this repository."""

from __future__ import annotations

import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.signals import SIGNALS
from local.instance import ROOT

Command = Callable[..., list[str]]
_HEAD = """
import sys, threading, time
from pathlib import Path
from cli.signals import Work, on_signal
def begun():
    print("begun", flush=True)
"""
# This code runs the package that the fixture `command` writes, in the same way as `python -m package`. It adds the
# folders of the repository and of the package to Python's path. A new process ignores the signals that its parent
# ignores, so the code sets the handler of each signal first.
_RUN = """
import runpy, signal, sys
for number in {signals}:
    signal.signal(number, {handler})
sys.path[:0] = {path}
sys.argv[0] = "-m"
runpy.run_module("package", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Return a function that writes a small command, and returns its command line.

    `body` is the Python code of the command. It calls `begun` when the command is ready for a signal.
    """

    def made(body: str, imports: str = "", handler: signal.Handlers = signal.SIG_DFL) -> list[str]:
        package = tmp_path / "package"
        package.mkdir()
        (package / "__init__.py").write_text(f"import cli\n\ncli.begin()\n{imports}\n", encoding="utf-8")
        (package / "__main__.py").write_text(_HEAD + textwrap.dedent(body), encoding="utf-8")
        return [
            sys.executable,
            "-c",
            _RUN.format(path=[str(ROOT), str(tmp_path)], signals=[*map(int, SIGNALS)], handler=int(handler)),
        ]

    return made
