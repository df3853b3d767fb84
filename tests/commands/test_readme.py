"""Every command in the README works in a fresh clone, in the README's order.

The clone has only what earlier commands of the README installed. Another environment is active, and only POSIX tools
are available. The path contains a space and non-ASCII letters. The Pulumi CLI is replaced by a script that records its
calls.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import uv

from local import emulator
from local.instance import Instance
from local.instances import free_port
from tests.commands import clones, foreign
from tests.commands.clones import ROOT, Clone
from tests.commands.foreign import Other, Watched

BLOCKS: Final = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
CONSOLES: Final = "".join(block for kind, block in BLOCKS if kind == "console")
LINES: Final = [line.removeprefix("$ ") for line in CONSOLES.splitlines() if line.startswith("$ ")]
RECORDER: Final = '#!/bin/sh\necho "$*" >>"$PULUMI_CALLS"\necho "{}"\n'
"""Script that records each call of the Pulumi CLI. It prints `{}`, because `make deploy` expects JSON."""

# Commands of the README that this test does not run, or stops before their end.
TEST: Final = "make test"
"""Not run here, because this test is a part of `make test`. CI runs `make test` on a clean checkout."""
PROVE: Final = "make prove"
"""The attacks of `make prove` are only collected here, because running them takes many minutes."""
BENCH: Final = "make bench"
"""`make bench` is ended here when its first table begins, because all measurements take minutes."""
BENCH_IS_READY: Final = "| handler"
"""First column of the first table's header."""


@dataclass
class Tour:
    """A user who types the README's commands one after the other."""

    clone: Clone
    port: int
    calls: Path
    """File with the calls of the Pulumi CLI, one in each line."""
    watched: Watched
    """Watches the active environment for changes."""
    done: dict[int, subprocess.CompletedProcess[str]] = field(
        default_factory=dict[int, subprocess.CompletedProcess[str]]
    )

    def line(self, number: int) -> subprocess.CompletedProcess[str]:
        """Run the README's commands up to the command with the index `number`. Return the result of that command."""
        for each in range(number + 1):
            if each not in self.done:
                self.done[each] = self._type(LINES[each])
        return self.done[number]

    def _type(self, line: str) -> subprocess.CompletedProcess[str]:
        command = line.partition("#")[0].strip()
        if command == TEST:
            return self.clone.make("--dry-run", "test")
        if command == PROVE:
            return self.clone.run("sh", "-c", line, PYTEST_ADDOPTS="--collect-only --quiet")
        if command == BENCH:
            return self._bench()
        # `make deploy` requests the caller's identity from AWS STS. This variable redirects the request to the
        # emulator, which an earlier command of the README has started.
        aws = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"} if "STACK=dev" in command else {}
        return self.clone.run("sh", "-c", line, **aws)

    def _bench(self) -> subprocess.CompletedProcess[str]:
        with self.clone.started("bench") as process:
            assert process.stdout
            printed = ""
            for text in process.stdout:
                printed += text
                if text.startswith(BENCH_IS_READY):
                    return subprocess.CompletedProcess(BENCH, 0, printed, "")
        return subprocess.CompletedProcess(BENCH, process.wait() or 1, printed, "")


@pytest.fixture(scope="session")
def tour(tmp_path_factory: pytest.TempPathFactory, wheels: Path, other: Other, posix_tools: Path) -> Iterator[Tour]:
    place = tmp_path_factory.mktemp("readme")
    path, port = place / "注文 orders", free_port()
    clones.copy(clones.sources(), path)
    recorder = place / "cli" / "pulumi"
    recorder.parent.mkdir()
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    environment = {
        **clones.plain_environment(),
        **other.variables(),
        **_without_network(place, wheels),
        "PATH": os.pathsep.join(map(str, (other.path / "bin", posix_tools, recorder.parent))),
        "PORT": str(port),
        "PULUMI_CALLS": str(place / "calls"),
        "BENCH_PYTHON": clones.PYTHON,
        # Don't let uv compile all installed modules, because that takes a long time. The commands import only a
        # twentieth of the modules, and Python compiles these when it imports them.
        "UV_COMPILE_BYTECODE": "0",
    }
    try:
        yield Tour(Clone(path, environment), port, place / "calls", foreign.watched(other.path))
    finally:
        emulator.stop(Instance(port, path / ".local" / str(port)))


def _without_network(place: Path, wheels: Path) -> dict[str, str]:
    """Return environment variables that make pip, npm and uv avoid the network as far as possible."""
    lock = place / "requirements.txt"
    # Find out whether uv's cache contains all packages of the lock file. Leave out uv itself, because pip installs it
    # from a wheel in `wheels`.
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    lock.write_text(re.sub(r"^uv==.*?(?=^\S)", "", text, flags=re.MULTILINE | re.DOTALL))
    asked = subprocess.run(  # noqa: S603 - the arguments are constants
        [
            uv.find_uv_bin(),
            "pip",
            "install",
            "--offline",
            "--dry-run",
            "--target",
            str(place / "none"),
            "-r",
            str(lock),
        ],
        check=False,
        capture_output=True,
    )
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "npm_config_prefer_offline": "true",
        **({} if asked.returncode else {"UV_OFFLINE": "1"}),
    }


def test_readme_has_only_console_blocks_and_a_diagram() -> None:
    assert {kind for kind, _ in BLOCKS} == {"console", "mermaid"}
    assert len(LINES) > 10


def test_readme_contains_each_command_that_these_tests_skip_or_shorten() -> None:
    commands = [line.partition("#")[0].strip() for line in LINES]
    assert {TEST, PROVE, BENCH} <= set(commands)


@pytest.mark.parametrize("number", range(len(LINES)), ids=LINES)
def test_readme_command_works(tour: Tour, number: int) -> None:
    done = tour.line(number)
    printed = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0, printed[-4000:]
    assert "Traceback" not in printed


def test_readme_shows_the_number_of_resources_that_make_up_creates(tour: Tour) -> None:
    """The times in the README's output differ from machine to machine. Everything else must be as printed."""
    (shown,) = (text for _, text in BLOCKS if "make up\n" in text and "created" in text)
    printed = tour.line(next(number for number, line in enumerate(LINES) if line == "make up")).stdout
    counted = re.compile(r"^  ([\w-]+) +(\d+ (?:resources|created))", re.MULTILINE)
    assert dict(counted.findall(shown)) == dict(counted.findall(printed)) != {}


def test_deployment_runs_the_pulumi_cli_with_the_policy_pack(tour: Tour) -> None:
    last = max(number for number, line in enumerate(LINES) if "STACK=dev" in line)
    assert tour.line(last).returncode == 0
    calls = tour.calls.read_text().splitlines()
    assert "stack init dev --no-select" in calls
    for command in ("preview", "up"):
        (call,) = (call for call in calls if call.startswith(f"{command} "))
        assert call.startswith(f"{command} --stack dev ")
        assert "--policy-pack policy" in call


def test_readme_commands_do_not_change_the_active_virtual_environment(tour: Tour) -> None:
    tour.line(len(LINES) - 1)
    assert tour.watched.changed() == set()
