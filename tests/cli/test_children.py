"""Tests that a signal to a command also ends the command's child process.

If the child ends itself after a signal, the command waits until the child has completed what it began.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import children
from tests.support.graph import ROOT

PROGRAM = """
import sys
from pathlib import Path
from cli import children, signals
signals.take()
children.run(["sh", "-c", sys.argv[1]], cwd=Path(sys.argv[2]), ends_itself=sys.argv[3] == "True")
"""
# This code delays the return of `subprocess.Popen` by half a second. A signal can therefore arrive after the child
# process has started but before `Popen` returns.
SLOW_START = "subprocess.Popen = lambda *args, **named: (start(*args, **named), time.sleep(0.5))[0]"
CHILD = "trap 'sleep 0.2; echo finished >> log' INT; echo $$ > ready; while [ ! -e log ]; do sleep 0.05; done; exit 0"


def test_child_process_reads_the_given_text_from_standard_input(tmp_path: Path) -> None:
    assert children.run(["cat"], cwd=tmp_path, text="some text").stdout == "some text"


def log_after_signal(folder: Path, program: str, *, ends_itself: bool) -> str:
    """Send SIGTERM to `program` as soon as its child runs.

    Return the child's log in `folder` after the program has ended.
    """
    command = [sys.executable, "-c", program, CHILD, str(folder), str(ends_itself)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    ready = folder / "ready"
    while not (ready.exists() and ready.read_text().strip()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    log = folder / "log"
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("ends_itself", [True, False])
def test_signal_kills_the_child_unless_the_child_ends_itself(tmp_path: Path, ends_itself: bool) -> None:
    assert log_after_signal(tmp_path, PROGRAM, ends_itself=ends_itself) == ("finished\n" if ends_itself else "")


def test_signal_while_the_child_starts_reaches_the_child(tmp_path: Path) -> None:
    program = f"import subprocess, time\nstart = subprocess.Popen\n{SLOW_START}\n{PROGRAM}"
    assert log_after_signal(tmp_path, program, ends_itself=True) == "finished\n"
