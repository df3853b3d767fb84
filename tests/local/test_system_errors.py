"""Tests that a command reports every error of the operating system in one line, and leaves no processes running.

Testing hundreds of errors takes only seconds, because the commands run in the process of the test, the emulator is a
process that only sleeps, and the program has one resource.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import local.program
from local import __main__ as command_line
from local import aws, deployment, emulator, functions, processes
from local.adapters.base import Adapter, Made
from local.deployment import Deployment, Resource
from local.instance import Instance
from local.instances import free_port
from tests.local.program import write
from tests.support.refusals import Call, Refusals, errors_of

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
PORT = free_port()
REAL_POPEN = subprocess.Popen
LAYER = "arn:aws:lambda:eu-west-1:000000000000:layer:common:1"


class FunctionAdapter(Adapter):
    """A fake adapter that writes the files of a layer and a function."""

    def create(self, aws: Any, new: Any) -> Made:
        del new
        functions.extract_layer(aws.instance, LAYER, EMPTY_ZIP)
        functions.package(aws.instance, EMPTY_ZIP, [LAYER])
        return Made("id", {})


def _run(_project: Any, _aws: Any, deployment: Deployment, _progress: Any) -> dict[str, Any]:
    deployment.apply(Resource("urn:function", "test:function", "function", {}, ()))
    return {}


def _always(answer: Any) -> Callable[..., Any]:
    def given(*_: Any, **__: Any) -> Any:
        return answer

    return given


class Machine:
    """One instance of the platform, and the processes that its commands started."""

    def __init__(self, home: Path, program: Path) -> None:
        self.where, self.program = Instance(PORT, home), program
        self.started: list[subprocess.Popen[Any]] = []

    def popen(self, command: Any, **options: Any) -> subprocess.Popen[Any]:
        self.started.append(REAL_POPEN(["sleep", "60"] if "local.launch" in command else command, **options))
        return self.started[-1]

    def found(self) -> list[processes.Process]:
        return [found for each in self.started if (found := processes.find(each.pid))]

    @property
    def running(self) -> list[int]:
        return [each.pid for each in self.started if each.poll() is None]

    def command(self, name: str, refusals: Refusals) -> tuple[int, str]:
        """Run a command, and return its exit code and its standard error."""
        home = ["--port", str(PORT), "--home", str(self.where.home)]
        errors = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(errors):
            patch.setattr(sys, "argv", ["local", name, *home, "--program", str(self.program)])
            patch.setattr(subprocess, "Popen", self.popen)
            patch.setattr(processes, "running", self.found)
            with contextlib.redirect_stdout(io.StringIO()), refusals.installed():
                code = command_line.main()
        return code, errors.getvalue()


Make = Callable[[], Machine]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return a function that creates a new instance, but starts none of its processes."""
    monkeypatch.setattr(aws, "session", _always(aws.session("eu-west-1")))
    monkeypatch.setattr(deployment, "adapter_of", _always(FunctionAdapter()))
    monkeypatch.setattr(emulator, "answers", _always(True))
    monkeypatch.setattr(local.program, "run", _run)
    program, made = write(tmp_path / "program"), list[Machine]()

    def machine() -> Machine:
        made.append(Machine(tmp_path / str(len(made)), program))
        return made[-1]

    yield machine
    for each in made:
        for process in each.started:
            process.kill()
            process.wait()


@pytest.mark.parametrize("before", [(), ("up",)], ids=["nothing-runs", "something-runs"])
@pytest.mark.parametrize("name", ["up", "status", "order", "down"])
def test_system_error_is_reported_in_one_line_and_leaves_no_processes(
    make: Make, name: str, before: tuple[str, ...]
) -> None:
    for call, number in _possible(make, name, before):
        machine = make()
        where = machine.where
        for each in before:
            assert machine.command(each, Refusals()) == (0, "")
        ran = machine.running
        refusals = Refusals(call, number)
        code, said = machine.command(name, refusals)
        what = f"{call} refused with {os.strerror(number)}: {said}"
        assert refusals.calls, what
        assert "defect" not in said, what
        assert said.count("\n") <= 1, what
        if code and name != "status":
            assert said.startswith("error: "), what
            assert "Remedy: " in said, what
            assert call.name in ("Popen", "bind") or "the operating system" not in said, (
                f"the message contains no file: {what}"
            )
        if code and name == "up":
            assert machine.running == ran, what
        if not code and name == "down":
            assert not [each for each in (where.data, where.state, where.outputs) if each.exists()], what
        assert not list(where.home.glob(f"*.{os.getpid()}")), f"an incomplete file is left: {what}"
        again, said = machine.command(name, Refusals())
        assert again == 0 or name in ("order", "status"), f"{what}; the next run printed: {said}"


def test_defect_is_reported_in_one_line_with_its_traceback_in_a_file(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = make()

    def find(_instance: Instance) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr(emulator, "find", find)
    code, said = machine.command("status", Refusals())
    log = machine.where.home / "error.log"
    words = f"error: a bug in this program: AssertionError: a defect. Remedy: report the bug and attach {log}\n"
    assert (code, said) == (1, words)
    assert "in find" in log.read_text()


def _possible(make: Make, name: str, before: tuple[str, ...]) -> Iterator[tuple[Call, int]]:
    """Yield (system call, error number) for each error that the test simulates.

    A line of code can make the same call several times. For the first of these calls, the test simulates each possible
    error. For the last call, it simulates one error. For the calls between them, it simulates none.
    """
    machine, asked = make(), Refusals()
    for each in before:
        machine.command(each, Refusals())
    machine.command(name, asked)
    last = {(call.name, call.place): call for call in asked.calls}
    assert last
    for call in asked.calls:
        if not call.time:
            yield from ((call, number) for number in errors_of(call.name))
    yield from ((call, errors_of(call.name)[0]) for call in last.values() if call.time)
