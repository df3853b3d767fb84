"""Tests of the command `make redrive`: its arguments, its stack outputs and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations import redrive as command
from operations import stack_outputs
from tests.operations.redrive_world import World, envelope

Run = Callable[..., int]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    def read(_stack: str, *, port: int) -> dict[str, Any]:
        return {**world.outputs, "local": {"endpointUrl": f"http://127.0.0.1:{port}"}}

    def run_command(*arguments: str) -> int:
        monkeypatch.setattr(stack_outputs, "read", read)
        return command.main(list(arguments))

    return run_command


def test_exit_code_is_0_if_no_message_remains(run: Run) -> None:
    assert run("local") == 0


def test_exit_code_is_1_if_a_message_remains(run: Run, world: World) -> None:
    world.sqs.put("process-order-failures", "not JSON")
    assert run("local") == 1


def test_dry_run_argument_sends_nothing(run: Run, world: World) -> None:
    world.sqs.put("process-order-failures", envelope())
    assert run("local", "--dry-run") == 0
    assert not world.functions.invocations


def test_port_argument_selects_the_emulator(run: Run, world: World) -> None:
    run("local", "--port", "4577")
    assert {keywords["endpoint_url"] for _, keywords in world.clients} == {"http://127.0.0.1:4577"}


def test_exit_code_is_2_with_a_remedy_when_no_instance_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    assert command.main(["local", "--port", "4577"]) == 2
    assert "make up PORT=4577" in capsys.readouterr().err


def test_exit_code_is_2_with_a_remedy_without_the_pulumi_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert command.main(["dev"]) == 2
    assert "Pulumi CLI" in capsys.readouterr().err


def test_unknown_stack_is_reported_with_the_existing_stacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["acme/nope"]) == 2
    assert "Pulumi.nope.yaml is missing; stacks with a file: dev, local, prod" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "4566.0", ""])
def test_invalid_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["local", f"--port={port}"])
    assert f"PORT: got {port!r}; allowed: 1 to 65535" in capsys.readouterr().err


def test_killed_emulator_is_reported_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    free_port: Callable[[], int],
) -> None:
    port = free_port()
    outputs = {**World().outputs, "local": {"endpointUrl": f"http://127.0.0.1:{port}"}}
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    file = stack_outputs.outputs_file(port)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(outputs))
    assert command.main(["local", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f'no response: Could not connect to the endpoint URL: "http://127.0.0.1:{port}/"' in said
    assert f"make up PORT={port}" in said
