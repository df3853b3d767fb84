"""Tests that the operators' commands report every error of the operating system in one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from operations import prerequisites, redrive, stack_outputs
from tests.operations.redrive_world import World
from tests.support.graph import Graph
from tests.support.refusals import Refusals, errors_of
from tools.cost import report as cost
from tools.preview_comment import __main__ as preview_comment

Main = Callable[[list[str]], int]
COMMANDS: dict[str, tuple[Main, Sequence[str]]] = {
    "redrive": (redrive.main, ["local"]),
    "redrive-aws": (redrive.main, ["dev"]),
    "cost": (cost.main, ["prod"]),
    "prerequisites": (prerequisites.main, ["dev"]),
    "preview_comment": (preview_comment.main, ["dev", "preview.json"]),
}


@pytest.fixture
def _machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph_of: Callable[[str], Graph]) -> None:
    """Create what the commands need to succeed: a fake Pulumi CLI, the outputs of a local stack, and a preview."""
    outputs = {**world.outputs, "local": {"endpointUrl": "http://127.0.0.1:9"}}
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    (tmp_path / "preview.json").write_text("{}")
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\nexec cat {tmp_path / 'outputs.json'}\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)

    def outputs_file(_port: int) -> Path:
        return tmp_path / "outputs.json"

    graph = graph_of("local")

    def record(_stack: str, **_: object) -> Graph:
        return graph

    def session(**_: object) -> World:
        raise ValueError("no AWS calls in this test")

    monkeypatch.setattr(stack_outputs, "outputs_file", outputs_file)
    monkeypatch.setattr(cost, "record", record)
    monkeypatch.setattr("operations.account.boto3.Session", session)


def _ended(name: str, refusals: Refusals) -> tuple[int, str]:
    main, arguments = COMMANDS[name]
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()), refusals.installed():
        code = main(list(arguments))
    return code, errors.getvalue()


@pytest.mark.usefixtures("_machine")
@pytest.mark.parametrize("name", COMMANDS)
def test_system_error_is_reported_in_one_line(name: str) -> None:
    asked = Refusals()
    as_usual = _ended(name, asked)
    calls = [call for call in asked.calls if not call.time]
    assert calls
    for call in calls:
        for number in errors_of(call.name):
            code, said = _ended(name, Refusals(call, number))
            what = f"{call} refused with {os.strerror(number)}: {said}"
            assert code, what
            assert said != as_usual[1], what
            assert said.count("\n") == 1, what
            assert "Remedy: " in said, what
            assert "defect" not in said, what


@pytest.mark.parametrize("name", COMMANDS)
def test_defect_is_reported_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a defect")

    for module in (redrive, cost, prerequisites, preview_comment):
        monkeypatch.setattr(module, "ERROR_LOG", tmp_path / "error.log")
        for function in ("_command", "comment"):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, fail)
    (tmp_path / "preview.json").touch()
    monkeypatch.chdir(tmp_path)
    main, arguments = COMMANDS[name]
    assert main(list(arguments)) in (1, 2)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "AssertionError: a defect. Remedy: report the bug and attach" in said
    assert "Traceback" in (tmp_path / "error.log").read_text()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"local": {}}'])
def test_damaged_outputs_file_is_reported_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    monkeypatch.setattr(stack_outputs, "ROOT", tmp_path)
    path = stack_outputs.outputs_file(4577)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert redrive.main(["local", "--port", "4577"]) == 2
    assert capsys.readouterr().err.endswith("Remedy: `make up PORT=4577` writes it again\n")


def test_stack_without_outputs_is_reported_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho '{}'\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert redrive.main(["dev"]) == 2
    assert (
        "got no output frontend, ops; required: a deployed stack; run `make deploy STACK=dev`"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("setting", [("AWS_MAX_ATTEMPTS", "many"), ("AWS_ENDPOINT_URL", "nonsense")])
def test_invalid_aws_setting_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, setting: tuple[str, str]
) -> None:
    def read(_stack: str, *, port: int) -> dict[str, object]:
        del port
        return World().outputs

    monkeypatch.setattr(stack_outputs, "read", read)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(*setting)
    assert redrive.main(["dev"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho '{}'\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (warning,) = prerequisites.check("dev").warnings
    assert "\n" not in warning


def test_only_calls_to_aws_use_the_configured_http_proxy(world: World) -> None:
    redrive.clients(world.outputs)("sqs")
    redrive.clients({**world.outputs, "local": {"endpointUrl": "http://127.0.0.1:9"}})("sqs")
    (_, aws), (_, emulator) = world.clients
    assert aws["config"].proxies is None, "the SDK reads the proxies from the environment"
    assert emulator["config"].proxies == {}
