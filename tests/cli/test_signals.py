"""Tests of how a command ends after a signal. The tests run small commands."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from cli import signals
from local import processes
from tests.cli.conftest import Command
from tests.local.terminal import CTRL_C, Terminal

WITHIN_S = 2.0


def ended(command: list[str], sent: signal.Signals) -> tuple[int, str, str]:
    """Start `command`, and send it the signal `sent` as soon as it has printed "begun".

    Return the exit code of the command, its output after "begun", and its errors.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(sent)
        output, errors = process.communicate(timeout=WITHIN_S + 1)
    return process.returncode, output, errors


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signal_ends_a_waiting_command(command: Command, sent: signal.Signals, code: int) -> None:
    assert ended(command("begun(); threading.Event().wait()"), sent) == (code, "", "interrupted\n")


def test_signal_ends_a_command_that_catches_every_exception(command: Command) -> None:
    body = """
        begun()
        while True:
            try:
                time.sleep(60)
            except BaseException:
                print("swallowed", flush=True)
    """
    assert ended(command(body), signal.SIGINT) == (130, "", "interrupted\n")


def test_a_signal_during_imports_ends_a_command(command: Command) -> None:
    slow = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
    assert ended(command("", imports=slow), signal.SIGINT) == (130, "", "interrupted\n")


def test_command_ignores_a_signal_that_its_parent_process_ignores(command: Command) -> None:
    body = "begun(); time.sleep(0.3); print('done')"
    assert ended(command(body, handler=signal.SIG_IGN), signal.SIGHUP) == (0, "done\n", "")


def test_registered_actions_run_before_a_signal_ends_the_command(command: Command, tmp_path: Path) -> None:
    body = f"""
        with on_signal(lambda: 1 / 0), on_signal(Path({str(tmp_path / "done")!r}).touch):
            begun()
            time.sleep(60)
    """
    assert ended(command(body), signal.SIGTERM) == (143, "", "interrupted\n")
    assert (tmp_path / "done").exists()


def test_command_does_not_wait_for_a_slow_action_after_a_signal(command: Command) -> None:
    body = """
        with on_signal(lambda: time.sleep(60)):
            begun()
            time.sleep(60)
    """
    assert ended(command(body), signal.SIGINT) == (130, "", "interrupted\n")
    assert signals.LIMIT_S < WITHIN_S


def test_code_after_an_on_signal_block_does_not_run_after_a_signal(command: Command) -> None:
    body = """
        with on_signal(lambda: time.sleep(0.5)):
            begun()
            time.sleep(0.2)
        print("further", flush=True)
    """
    assert ended(command(body), signal.SIGINT) == (130, "", "interrupted\n")


def test_started_change_completes_after_a_signal_and_no_other_change_starts(command: Command) -> None:
    body = """
        work = Work()
        with on_signal(lambda: (work.stop(), work.settle())):
            for name in ("one", "another"):
                with work.one():
                    begun()
                    time.sleep(0.4)
                    print(name, flush=True)
    """
    assert ended(command(body), signal.SIGINT) == (130, "one\n", "interrupted\n")


def test_second_ctrl_c_has_no_effect(command: Command, tmp_path: Path) -> None:
    body = f"""
        with on_signal(lambda: (time.sleep(0.3), Path({str(tmp_path / "done")!r}).touch())):
            begun()
            time.sleep(60)
    """
    terminal = Terminal(command(body))
    terminal.wait(text="begun")
    for _ in range(2):
        terminal.type(CTRL_C)
    assert terminal.end(WITHIN_S + 1)[0] == 130
    assert terminal.shown.count("interrupted") == 1
    assert (tmp_path / "done").exists()


def test_signal_ends_the_child_processes_of_a_command(command: Command, tmp_path: Path) -> None:
    body = f"""
        from cli import children
        script = "import os, time; print(os.getpid(), file=open('child', 'w')); time.sleep(60)"
        here = Path({str(tmp_path)!r})
        run = threading.Thread(target=lambda: children.run([sys.executable, "-c", script], cwd=here))
        run.start()
        while not (child := here / "child").exists() or not child.read_text():
            time.sleep(0.01)
        begun()
        run.join()
    """
    assert ended(command(body), signal.SIGTERM) == (143, "", "interrupted\n")
    assert processes.find(int((tmp_path / "child").read_text())) is None
