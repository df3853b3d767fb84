"""Tests that interrupted and killed commands end immediately, leave no processes running, and lose no data.

The commands run in a pseudo-terminal. A test types Ctrl-C there like a user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import emulator, processes
from local.instance import ROOT, Instance, alone, instance
from local.instances import Running, command, free_port, stopped_at_the_end, up
from tests.local.cloud import eventually
from tests.local.program import FUNCTION, TABLE, write
from tests.local.terminal import CTRL_C, Terminal, in_terminal

WITHIN_S = 2.0
QUEUES = 70
MANY = """
    import pathlib, time
    class Many(pulumi.ComponentResource):
        def __init__(self):
            super().__init__("demo:index:Many", "many")
            for number in range(QUEUES):
                if number == 60 and MARK:
                    pathlib.Path(MARK).touch()
                    time.sleep(60)
                aws.sqs.Queue(f"queue-{number}", name=f"queue-{number}", visibility_timeout_seconds=SECONDS,
                              opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({})
    Many()
"""
KEPT = {"id": {"S": "kept"}}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A deployed instance whose table contains an item."""
    where = instance(free_port(), tmp_path_factory.mktemp("kept") / "instance")
    with stopped_at_the_end(where):
        running = up(where, program=many(where.home.parent / "program", 30))
        running.aws("dynamodb", "put_item", TableName="things", Item=KEPT)
        yield running


def many(root: Path, seconds: int, mark: Path | None = None) -> Path:
    """Write a program with a table, and with many queues that have a visibility timeout of `seconds` seconds.

    If `mark` is a path, the program creates a file there after 60 of the queues, and pauses for a minute.
    """
    text = MANY.replace("SECONDS", str(seconds)).replace("MARK", repr(str(mark or ""))).replace("QUEUES", str(QUEUES))
    return write(root, TABLE, text)


def left(where: Instance, *, but: tuple[int, ...] = ()) -> list[processes.Process]:
    """Return all running processes of the instance `where`, except the processes with ids in `but`."""
    return [each for each in processes.running() if str(where.home) in each.command and each.pid not in but]


def takes_signals(terminal: Terminal) -> bool:
    """Return whether the command already handles signals. It starts to do so before it imports most of its modules."""
    status = Path(f"/proc/{terminal.pid}/status").read_text(encoding="ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGHUP - 1))


def imports(terminal: Terminal, mark: Path) -> None:
    del mark
    eventually(lambda: takes_signals(terminal))
    terminal.type(CTRL_C)


def sixtieth_resource(terminal: Terminal, mark: Path) -> None:
    terminal.wait(path=mark)
    terminal.type(CTRL_C)


def resources(terminal: Terminal, mark: Path) -> None:
    mark.touch()
    terminal.wait(text="many  ")
    terminal.type(CTRL_C)


def twice(terminal: Terminal, mark: Path) -> None:
    sixtieth_resource(terminal, mark)
    terminal.type(CTRL_C)


def terminated(terminal: Terminal, mark: Path) -> None:
    mark.touch()
    terminal.wait(text="many  ")
    os.kill(terminal.pid, signal.SIGTERM)


def closed(terminal: Terminal, mark: Path) -> None:
    terminal.wait(path=mark)
    terminal.close()


def killed(terminal: Terminal, mark: Path) -> None:
    mark.touch()
    terminal.wait(text="many  ")
    os.kill(terminal.pid, signal.SIGKILL)


MOMENTS = {
    imports: 130,
    sixtieth_resource: 130,
    resources: 130,
    twice: 130,
    terminated: 143,
    closed: 129,
    killed: 137,
}
# The moments for which the deployed Pulumi program creates all queues without a pause. For every other moment, the
# program pauses after 60 queues.
GO_ON = (resources, terminated, killed)


@pytest.mark.parametrize(("moment", "code"), MOMENTS.items(), ids=[moment.__name__ for moment in MOMENTS])
def test_interrupted_make_up_ends_immediately_and_leaves_no_processes(
    kept: Running, tmp_path: Path, moment: Callable[[Terminal, Path], None], code: int
) -> None:
    where, mark = kept.instance, tmp_path / "mark"
    before = left(where)
    terminal = in_terminal(
        "up", where, many(tmp_path / "program", 100 + len(moment.__name__), None if moment in GO_ON else mark)
    )
    moment(terminal, mark)

    ended, took = terminal.end(WITHIN_S + 3)
    assert (ended, took < WITHIN_S) == (code, True), terminal.shown
    assert moment in (closed, killed) or "\r\ninterrupted\r\n" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert left(where) == before
    with alone(where):
        assert kept.aws("dynamodb", "get_item", TableName="things", Key=KEPT)["Item"] == KEPT


COMMANDS = {
    "up": ["local", "up"],
    "order": ["local", "order"],
    "status": ["local", "status"],
    "down": ["local", "down"],
    "redrive": ["operations.redrive", "local"],
    "prerequisites": ["operations.prerequisites", "dev"],
    "cost": ["tools.cost.report", "dev"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_can_be_interrupted_right_after_its_start(name: str, tmp_path: Path) -> None:
    terminal = Terminal([sys.executable, "-m", *COMMANDS[name]])
    imports(terminal, tmp_path)

    assert terminal.end(WITHIN_S)[0] == 130, terminal.shown
    assert terminal.shown == "^C\r\ninterrupted\r\n"


@pytest.mark.parametrize("moment", [resources, killed])
def test_next_make_up_completes_an_interrupted_deployment(
    kept: Running, tmp_path: Path, moment: Callable[[Terminal, Path], None]
) -> None:
    where, seconds = kept.instance, 200 + len(moment.__name__)
    program = many(tmp_path / "program", seconds)
    moment(terminal := in_terminal("up", where, program), tmp_path / "mark")
    terminal.end(WITHIN_S + 3)
    done = command("up", where, program=program)

    assert done.returncode == 0, done.stderr
    assert f"{QUEUES + 1} resources" in done.stdout or "resources " in done.stdout
    assert not [word for word in ("created", "replaced", "deleted") if word in done.stdout], done.stdout
    assert kept.aws("dynamodb", "get_item", TableName="things", Key=KEPT)["Item"] == KEPT
    urls = kept.aws("sqs", "list_queues", MaxResults=1000)["QueueUrls"]
    timeouts = [kept.aws("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]) for url in urls]
    assert Counter(each["Attributes"]["VisibilityTimeout"] for each in timeouts) == {str(seconds): QUEUES}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    where = instance(free_port(), tmp_path / "instance")
    with stopped_at_the_end(where):
        yield where


def test_make_up_interrupted_during_emulator_start_leaves_no_processes(fresh: Instance, tmp_path: Path) -> None:
    terminal = in_terminal("up", fresh, write(tmp_path / "program", TABLE))
    terminal.wait(text="emulator")
    terminal.type(CTRL_C)

    assert terminal.end(WITHIN_S)[0] == 130, terminal.shown
    assert left(fresh) == []
    assert {path.name for path in fresh.home.iterdir()} <= {"emulator.log", "lock"}


def test_make_reports_an_interruption_in_one_line() -> None:
    port = free_port()
    where = instance(port)
    terminal = Terminal(["make", "up", f"PORT={port}"])
    try:
        terminal.wait(text="emulator")
        terminal.type(CTRL_C)

        assert terminal.end(WITHIN_S)[0] == 130, terminal.shown
        # make itself prints one line after "interrupted": `make: *** [Makefile:31: up] Error 130`.
        assert terminal.shown.split("interrupted\r\n")[1].count("\n") == 1
        assert left(where) == []
    finally:
        shutil.rmtree(where.home)


def test_emulator_ends_if_the_first_make_up_is_killed(fresh: Instance, tmp_path: Path) -> None:
    program = many(tmp_path / "program", 30)
    killed(terminal := in_terminal("up", fresh, program), tmp_path / "mark")
    terminal.end(WITHIN_S)
    assert eventually(lambda: not left(fresh))
    done = command("up", fresh, program=program)

    assert done.returncode == 0, done.stderr
    assert "The first deployment was killed before it completed. Starting again." in done.stdout
    assert f"{QUEUES + 1} created" in done.stdout


def test_emulator_and_functions_end_if_the_process_that_started_them_is_killed(fresh: Instance, tmp_path: Path) -> None:
    program = write(tmp_path / "program", FUNCTION.replace("ANSWER", "__import__('time').sleep(600)"))
    script = f"""
import time
from pathlib import Path
from local.instance import instance
from local.instances import up
running = up(instance({fresh.port}, Path({str(fresh.home)!r})), program=Path({str(program)!r}))
running.aws("lambda", "invoke", FunctionName=running.outputs["function"], InvocationType="Event")
print("invoked", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        assert process.stdout.readline() == b"invoked\n"
        assert eventually(lambda: len(emulator.find(fresh).processes) == 2), (
            "expected the emulator and one execution environment"
        )
        process.kill()
    assert eventually(lambda: not left(fresh))


def test_endless_function_ends_when_the_emulator_is_killed(fresh: Instance, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    endless = f"open({str(mark)!r}, 'w').close() or next(n for n in iter(int, 1) if n)"
    running = up(fresh, program=write(tmp_path / "program", FUNCTION.replace("ANSWER", endless)))
    running.aws("lambda", "invoke", FunctionName=running.outputs["function"], InvocationType="Event")
    assert eventually(mark.exists)
    os.kill(emulator.find(fresh).record["pid"], signal.SIGKILL)

    assert eventually(lambda: not left(fresh))


@pytest.mark.parametrize("output", ["closed pipe", "full disk"])
def test_make_up_deploys_even_if_its_output_cannot_be_written(kept: Running, tmp_path: Path, output: str) -> None:
    where, seconds = kept.instance, 300 + len(output)
    program = many(tmp_path / "program", seconds)
    shell = {"closed pipe": '"$@" | head -1; exit ${PIPESTATUS[0]}', "full disk": '"$@" > /dev/full'}[output]
    arguments = ["--port", str(where.port), "--home", str(where.home), "--program", str(program)]
    up_to = [sys.executable, "-m", "local", "up", *arguments]
    done = subprocess.run(["bash", "-c", shell, "bash", *up_to], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    after = command("up", where, program=program)

    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == ((0, 0) if output == "closed pipe" else (1, 1)), done.stderr
    assert f"{QUEUES + 1} same" in after.stdout, after.stdout + after.stderr
    assert kept.aws("dynamodb", "get_item", TableName="things", Key=KEPT)["Item"] == KEPT


def test_discard_stops_the_emulator_unless_release_was_called_first(fresh: Instance) -> None:
    started = emulator.start(fresh, region="eu-west-1")
    started.wait()
    assert started.discard()
    started.release()

    assert left(fresh) == []
    assert emulator.find(fresh).state == "none"
    released = emulator.start(fresh, region="eu-west-1")
    released.wait()
    released.release()
    assert not released.discard()
    assert emulator.find(fresh).state == "running"
