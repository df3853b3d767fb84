"""Tests of the error messages about ports and damaged files, and of the remedies in the messages."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from local import emulator, loopback, processes
from local.client import Client
from local.errors import LocalError
from local.instance import HOST, LAST_PORT, DamagedError, Instance, alone, instance, read_outputs
from local.instances import free_port
from local.program import program_error
from local.project import Project
from local.state import State
from local.up import known_output


def _offered(said: str) -> int:
    found = re.search(r"make up PORT=(\d+)", said)
    assert found, said
    return int(found[1])


def test_port_suggested_by_the_error_about_a_port_in_use_is_free() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind((HOST, 0))
        first.listen()
        port = first.getsockname()[1]
        with suppress(OSError):
            second.bind((HOST, port + 1))
            second.listen()
        with pytest.raises(LocalError, match=f"port {port} is in use by another program") as refused:
            emulator.require_free(port)
        emulator.require_free(_offered(str(refused.value)))


def _refusing(number: int, *, above: int = LAST_PORT) -> Callable[[socket.socket, tuple[str, int]], None]:
    def bind(_self: socket.socket, address: tuple[str, int]) -> None:
        if address[1] <= above:
            raise OSError(number, os.strerror(number))

    return bind


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_privileged_port_is_not_reported_as_in_use(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(socket.socket, "bind", _refusing(number, above=1023))
    with pytest.raises(LocalError, match=r"port 80: .* this user is not allowed to listen on this port") as refused:
        emulator.require_free(80)
    assert _offered(str(refused.value)) == 1024


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EADDRNOTAVAIL, "sudo ip link set lo up"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EADDRINUSE, "no port is free"),
    ],
)
def test_each_port_error_has_its_own_remedy(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    monkeypatch.setattr(socket.socket, "bind", _refusing(number))
    with pytest.raises(LocalError, match=said):
        emulator.require_free(4566)


def test_port_suggested_instead_of_port_65535_is_valid() -> None:
    assert emulator.free_port(LAST_PORT) < LAST_PORT


def test_missing_response_is_reported_with_helpful_commands(where: Instance) -> None:
    with pytest.raises(loopback.NoAnswerError) as refused:
        Client({}, "").send("GET", f"{where.url}/login?state=secret")
    said = str(refused.value)
    assert said.startswith(f"{where.url}/login: no response (")
    assert f"`make status PORT={where.port}` shows whether the emulator runs" in said
    assert "secret" not in said


def test_error_in_the_pulumi_program_is_reported_in_one_line(tmp_path: Path) -> None:
    project = Project("demo", tmp_path, tmp_path / "__main__.py", {})
    said = str(program_error(project, RuntimeError("uv could not install:\n  no such package\n")))
    assert said == "the program failed: RuntimeError: uv could not install: no such package"


@pytest.fixture
def where(tmp_path: Path) -> Instance:
    return Instance(free_port(), tmp_path)


DAMAGED = ["", "{", '{"format": 1', "[]", "null", "7", '"x"', "{}", "\x00", "[" * 100_000]


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_state_or_outputs_file_is_reported_with_a_remedy(where: Instance, content: str) -> None:
    where.state.write_text(content)
    where.outputs.write_text(content)
    with pytest.raises(DamagedError, match=r"state.json: .* \(deletes the instance's data\)"):
        State(where)
    with pytest.raises(DamagedError, match=rf"outputs.json: .* Remedy: run `make up PORT={where.port}`"):
        read_outputs(where)
    assert known_output(where) == {}, "make up continues without the file"


def test_binary_outputs_file_is_reported_as_damaged(where: Instance) -> None:
    where.outputs.write_bytes(b"\xff\xfe")
    with pytest.raises(DamagedError):
        read_outputs(where)


@pytest.mark.parametrize("resources", ["[]", "7", '{"urn": {"unknown": 1}}', '{"urn": 7}'])
def test_invalid_records_in_the_state_file_are_reported_as_damaged(where: Instance, resources: str) -> None:
    where.state.write_text(f'{{"format": 1, "deploying": false, "resources": {resources}}}')
    with pytest.raises(DamagedError, match=r"state.json: a record is damaged"):
        State(where)


@pytest.mark.parametrize("line", ["7", "[7]", '[["unknown", "urn", 1]]', '[["resources", "urn", 7]]', "[" * 100_000])
def test_invalid_line_in_the_state_journal_is_reported_as_damaged(where: Instance, line: str) -> None:
    where.journal.write_text(line)
    with pytest.raises(DamagedError, match=r"state\.\w+: a record is damaged .* \(deletes the instance's data\)"):
        State(where)


def test_state_file_in_a_newer_format_is_refused(where: Instance) -> None:
    where.state.write_text('{"format": 2, "deploying": false, "resources": {}}')
    with pytest.raises(LocalError, match="got format 2; allowed: 1"):
        State(where)


@pytest.mark.parametrize("content", DAMAGED)
def test_running_emulator_is_found_despite_a_damaged_record(
    where: Instance, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    def process(pid: int, command: str) -> processes.Process:
        return processes.Process(pid=pid, group=pid, started="then", command=command)

    listed = [
        process(1, f"python -m local up --port 1 --home {where.home} --program /x"),
        process(2, f"python -m local.launch --home {where.home}/4801"),
        process(3, f"python -m local.launch --home {where.home}"),
    ]
    monkeypatch.setattr(processes, "running", lambda: listed)
    monkeypatch.setattr(processes, "find", {each.pid: each for each in listed}.get)
    where.process.write_text(content)
    found = emulator.find(where)
    assert (found.state, [each.pid for each in found.processes]) == ("running", [3])
    listed.pop()
    assert emulator.find(where).state == "none"


def test_emulator_of_another_user_is_reported_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_pid: int, _signal: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    own = processes.find(os.getpid())
    assert own
    monkeypatch.setattr(os, "kill", kill)
    with pytest.raises(LocalError, match=f"process {own.pid} belongs to another user. Remedy: sudo kill {own.pid}"):
        processes.stop([own])


@pytest.mark.parametrize("target", ["loop", "nowhere/deep"])
def test_symbolic_link_to_the_instance_directory_is_followed_or_reported(tmp_path: Path, target: str) -> None:
    home = tmp_path / "loop"
    home.symlink_to(tmp_path / target)
    where = instance(4600, home)
    if target == "loop":
        with pytest.raises(OSError, match="loop"), alone(where):
            pass
    else:
        with alone(where):
            assert (tmp_path / target / "lock").exists()
