"""Tests of `make up`, `make down` and `make status`: their output, exit codes and effects."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import emulator, processes
from local.aws import CallError
from local.instance import Instance, alone, instance
from local.instances import command, free_port, running, up
from tests.local.cloud import eventually
from tests.local.program import FUNCTION, TABLE, write
from tests.support import hostile


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Instance]:
    found = instance(free_port(), tmp_path / "instance")
    yield found
    command("down", found)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return write(tmp_path / "program", TABLE, "pulumi.export('table', table.arn)")


def test_make_up_writes_stack_outputs_that_only_their_owner_can_read(where: Instance, program: Path) -> None:
    done = command("up", where, program=program)

    assert done.returncode == 0, done.stderr
    assert "1 created" in done.stdout
    assert "Ready in" in done.stdout
    outputs = json.loads(where.outputs.read_text())
    assert outputs["table"] == "arn:aws:dynamodb:eu-west-1:000000000000:table/things"
    assert outputs["local"]["endpointUrl"] == where.url
    for path in (where.outputs, where.state):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_second_make_up_changes_no_resources_and_keeps_the_data(where: Instance, program: Path) -> None:
    first = up(where, program=program)
    first.aws("dynamodb", "put_item", TableName="things", Item={"id": {"S": "kept"}})
    again = command("up", where, program=program)

    assert again.returncode == 0
    assert "1 same" in again.stdout
    key = {"id": {"S": "kept"}}
    assert first.aws("dynamodb", "get_item", TableName="things", Key=key)["Item"] == key


def test_make_down_without_an_instance_reports_that_nothing_is_running(where: Instance) -> None:
    done = command("down", where)

    assert (done.returncode, done.stdout) == (0, f"{where.url}: Nothing is running.\n")


def test_make_status_reports_the_running_processes(where: Instance, program: Path) -> None:
    before = command("status", where)
    up(where, program=program)
    after = command("status", where)

    assert (before.returncode, "nothing is running" in before.stdout) == (1, True)
    assert (after.returncode, "running, process" in after.stdout) == (0, True)


def test_local_commands_ignore_settings_for_aws_proxies_and_other_emulators(where: Instance, tmp_path: Path) -> None:
    settings = hostile.everything(tmp_path)
    program = write(tmp_path / "program", FUNCTION.replace("ANSWER", "dict(__import__('os').environ)"))
    platform = up(where, program=program, environment=settings)
    answer = platform.aws("lambda", "invoke", FunctionName=platform.outputs["function"])
    seen: dict[str, str] = json.loads(answer["Payload"].read())

    assert [name for name, value in settings.items() if seen.get(name) == value] == []
    assert command("status", where, environment=settings).returncode == 0
    down = command("down", where, environment=settings)
    assert (down.returncode, down.stdout) == (0, f"{where.url}: Stopped the instance and deleted its data.\n")


def test_make_down_ends_all_processes(where: Instance, tmp_path: Path) -> None:
    platform = up(where, program=write(tmp_path / "program", FUNCTION.replace("ANSWER", "1")))
    platform.aws("lambda", "invoke", FunctionName=platform.outputs["function"])
    found = emulator.find(where)
    commands = " ".join(each.command for each in found.processes)
    assert "local.launch" in commands, "the emulator must be among the processes"
    assert "bootstrap.py" in commands, "an execution environment must be among the processes"

    assert command("down", where).returncode == 0
    assert not [each for each in found.processes if processes.find(each.pid)]
    assert not where.outputs.exists()
    with pytest.raises(CallError):
        platform.aws("lambda", "list_functions")


def test_make_up_with_invalid_settings_leaves_no_emulator_running(where: Instance, tmp_path: Path) -> None:
    done = command("up", where, program=write(tmp_path / "program", "raise pulumi.RunError('size: allowed: 1-5')"))

    assert done.returncode == 1
    assert emulator.find(where).state == "none"


def test_port_in_use_is_reported_with_a_remedy(where: Instance, program: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", where.port))
        taken.listen()
        done = command("up", where, program=program)

    assert done.returncode == 1
    assert f"port {where.port} is in use" in done.stderr
    assert "make up PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_make_up_reports_a_dead_emulator_and_starts_a_new_one(where: Instance, program: Path) -> None:
    up(where, program=program)
    os.kill(emulator.find(where).record["pid"], signal.SIGKILL)
    while emulator.find(where).state == "running":
        time.sleep(0.05)
    status = command("status", where)
    again = command("up", where, program=program)

    assert "stopped unexpectedly" in status.stdout
    assert again.returncode == 0, again.stderr
    assert "had stopped unexpectedly" in again.stdout
    assert "1 created" in again.stdout


def test_killed_emulator_ends_its_execution_environments(where: Instance, tmp_path: Path) -> None:
    platform = up(where, program=write(tmp_path / "program", FUNCTION.replace("ANSWER", "1")))
    platform.aws("lambda", "invoke", FunctionName=platform.outputs["function"])
    found = emulator.find(where)
    os.kill(found.record["pid"], signal.SIGKILL)

    assert eventually(lambda: not [each for each in found.processes if processes.find(each.pid)])


def test_make_down_does_not_stop_another_process_with_the_same_id(where: Instance, program: Path) -> None:
    up(where, program=program)
    command("down", where)
    where.process.write_text(json.dumps({"pid": os.getpid(), "started": "another time", "region": "eu-west-1"}))

    assert command("down", where).returncode == 0
    assert processes.find(os.getpid())


def test_failed_start_of_the_emulator_shows_the_end_of_its_log(where: Instance) -> None:
    started = emulator.start(where, region="eu-west-1", without=("no-such-correction",))

    with pytest.raises(Exception, match="unknown corrections: got no-such-correction"):
        started.wait()


def test_changed_region_requires_a_new_instance(where: Instance, program: Path) -> None:
    up(where, program=program)
    write(program, TABLE, config={"aws:region": "us-west-2"})
    done = command("up", where, program=program)

    assert done.returncode == 1
    assert "runs in region eu-west-1, but the configuration says us-west-2" in done.stderr
    assert f"make down PORT={where.port} && make up PORT={where.port}` (deletes the instance's data)" in done.stderr


@pytest.mark.parametrize("name", ["up", "down"])
def test_second_command_is_refused_while_another_command_uses_the_instance(
    where: Instance, program: Path, name: str
) -> None:
    with alone(where):
        done = command(name, where, program=program)

    assert done.returncode == 1
    assert "another `make up` or `make down` is running" in done.stderr
    assert emulator.find(where).state == "none"


def test_two_instances_run_at_the_same_time_with_separate_data(tmp_path: Path, program: Path) -> None:
    with running(tmp_path / "one", program=program) as one, running(tmp_path / "two", program=program) as two:
        one.aws("dynamodb", "put_item", TableName="things", Item={"id": {"S": "one"}})

        assert one.aws("dynamodb", "scan", TableName="things")["Count"] == 1
        assert two.aws("dynamodb", "scan", TableName="things")["Count"] == 0


def test_make_order_without_an_instance_reports_that_nothing_is_running(where: Instance) -> None:
    done = command("order", where)

    assert done.returncode == 1
    assert "nothing is running" in done.stderr
    assert "make up PORT=" in done.stderr
