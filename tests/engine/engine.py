"""Runs the real Pulumi CLI with a folder as its backend. A stand-in for AWS stores the resources in a file."""

from __future__ import annotations

import json
import lzma
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.engine.stand_in.cloud import Cloud
from tests.support.graph import ROOT

# Path of a compressed Pulumi CLI outside of the checkout. The tests use this copy if no Pulumi CLI is on the PATH.
_PACKED: Final = ROOT.parent / "shared" / "tools" / "engine" / "pulumi.xz"

_OPERATIONS: Final = ("preview", "up", "refresh", "destroy")
# By default, the CLI writes the whole state after each step, and these writes take most of an update's time. With these
# variables, a command writes the state only once, at its end. Tests that kill an update don't set them, because they
# need the state after each step.
_NO_CHECKPOINTS: Final = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}


@cache
def cli() -> Path | None:
    """Return the path of the Pulumi CLI, or None if there is none.

    If no CLI is on the PATH, the function unpacks the CLI from the file _PACKED, if this file exists.
    """
    if found := shutil.which("pulumi"):
        return Path(found).resolve()
    if not _PACKED.exists():
        return None
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orders"
    path = cache_home / f"pulumi-{_PACKED.stat().st_size}" / "pulumi"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with lzma.open(_PACKED) as packed, tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as unpacked:
            shutil.copyfileobj(packed, unpacked)
        Path(unpacked.name).chmod(0o755)
        Path(unpacked.name).replace(path)
    return path


@dataclass(frozen=True)
class Ended:
    """The result of a command that has ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The standard output, followed by the standard error."""
        return self.out + self.err


@dataclass(frozen=True)
class Engine:
    """Runs the Pulumi CLI in a checkout.

    The folder `home` contains the backend, the plugins and the stand-in for AWS.
    """

    home: Path
    checkout: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Additional environment variables of every command."""

    @property
    def cloud(self) -> Cloud:
        """The stand-in for AWS."""
        return Cloud(self.home / "cloud")

    def environment(self) -> dict[str, str]:
        """Return the environment variables for a command. Their PATH starts with the folder of the Pulumi CLI."""
        binaries = self.home / "bin"
        for folder in (binaries, self.home / "state", self.home / "cloud", self.home / "pulumi"):
            folder.mkdir(parents=True, exist_ok=True)
        for name, module in (
            ("pulumi-language-python", "language_host"),
            ("pulumi-resource-aws", "provider"),
        ):
            path = binaries / name
            if not path.exists():
                run = f'exec env PYTHONPATH="{ROOT}" "{sys.executable}" -m tests.engine.stand_in.{module} "$@"'
                path.write_text(f"#!/bin/sh\n{run}\n", encoding="utf-8")
                path.chmod(0o755)
        found = cli()
        assert found, "no Pulumi CLI: see tests/engine/conftest.py"
        link = binaries / "pulumi"
        if not link.exists():
            link.symlink_to(found)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "STAND_IN_"))}
        return {
            **inherited,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(self.home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "STAND_IN_CLOUD": str(self.home / "cloud"),
            "STAND_IN_BASE_PYTHON": sys.executable,
            **self.variables,
        }

    def command(self, *arguments: str) -> list[str]:
        """Return the command line for `pulumi ARGUMENTS`, with the option `--non-interactive`."""
        return [str(self.home / "bin" / "pulumi"), *arguments, "--non-interactive"]

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        """Run a pulumi command, and return its result.

        Before `preview`, `up`, `refresh` and `destroy`, deletes the recorded calls to AWS. `cloud` therefore contains
        only the calls of the last of these commands.
        """
        environment = {**self.environment(), **_NO_CHECKPOINTS, **(variables or {})}
        if arguments[0] in _OPERATIONS:
            self.cloud.forget_calls()
        done = subprocess.run(
            self.command(*arguments), cwd=self.checkout, env=environment, capture_output=True, text=True, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        """Run a pulumi command and return its result. Fails if the command fails."""
        ended = self.run(*arguments, variables=variables)
        assert ended.code == 0, f"pulumi {' '.join(arguments)}: exit code {ended.code}\n{ended.said}"
        return ended

    def create(self, stack: str) -> None:
        """Create the stack `stack` in the backend, without changing its stack file in the checkout."""
        self.must("stack", "init", stack)

    def up(self, stack: str, *options: str, variables: Mapping[str, str] | None = None) -> Ended:
        """Deploy the stack `stack`, without asking for confirmation."""
        return self.run("up", "--stack", stack, "--yes", "--skip-preview", *options, variables=variables)

    def must_up(self, stack: str, *options: str) -> Ended:
        """Deploy the stack `stack`. Fails if the deployment fails."""
        return self.must("up", "--stack", stack, "--yes", "--skip-preview", *options)

    def exported(self, stack: str) -> dict[str, Any]:
        """Return the state of the stack, as `pulumi stack export` prints it."""
        return json.loads(self.must("stack", "export", "--stack", stack).out)

    def state(self, stack: str) -> list[dict[str, Any]]:
        """Return the resources in the state of the stack."""
        return self.exported(stack)["deployment"].get("resources") or []

    def killed(self, *arguments: str, after: float, number: int = signal.SIGKILL) -> int:
        """Run a pulumi command, and return its exit code.

        If the command is still running after `after` seconds, sends the signal `number` to it.
        """
        self.cloud.forget_calls()
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return process.wait()

    def killed_at(self, number: int, *arguments: str) -> None:
        """Run a pulumi command. Kill it and its plugins as soon as the stand-in for AWS has received `number` calls."""
        self.cloud.forget_calls()
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while process.poll() is None and len(self.cloud.calls()) < number:
            time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # If the state is stored in a folder, a killed command can leave empty `.attrs` files there. Pulumi cannot read
        # the stack until these files are deleted. Delete them here, as the message of operations/pulumi_cli.py tells
        # users to do.
        for path in (self.home / "state").rglob("*.attrs"):
            if not path.stat().st_size:
                path.unlink()

    def operation(self, module: str, *arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        """Run `python -m operations.MODULE` in the checkout, without a terminal, and return its result."""
        environment = {**self.environment(), **(variables or {})}
        command = [sys.executable, "-m", f"operations.{module}", *arguments]
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def command_of(target: str, *variables: str) -> list[str]:
        """Return the arguments of the pulumi command that `make TARGET` runs."""
        command = ["make", "--dry-run", target, *variables]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        (line,) = [line for line in shown.splitlines() if line.startswith("pulumi ")]
        return shlex.split(line)[1:]

    def differences(self) -> list[str]:
        """Return one line for each difference between the states of all stacks and the stand-in for AWS."""
        listed = json.loads(self.must("stack", "ls", "--json").out)
        with self.cloud.locked() as things:
            there = {(thing["type"], thing["id"]): thing["urn"] for thing in things.values()}
        resources = [
            resource
            for stack in listed
            for resource in self.state(stack["name"])
            if resource["type"].startswith("aws:")
        ]
        # The stand-in for AWS stores the URN of the Pulumi resource that owns each AWS resource. After a rename with an
        # alias, it still stores the old URN, because Pulumi does not call the provider. Different URNs alone are
        # therefore not reported. If a state also contains the stored URN, two Pulumi resources share one AWS resource.
        # This is reported as "taken over".
        urns = {resource["urn"] for resource in resources}
        known: set[tuple[str, str]] = set()
        found: list[str] = []
        for resource in resources:
            key = (resource["type"], resource["id"])
            known.add(key)
            if key not in there:
                found.append(f"vanished: {resource['urn']}: {resource['id']} is in the state, but not on AWS")
            elif there[key] != resource["urn"] and there[key] in urns:
                found.append(f"taken over: {resource['urn']}: on AWS, the resource belongs to {there[key]}")
        found += [f"left over: {there[key]}: {key[1]} is on AWS, but in no state" for key in sorted({*there} - known)]
        return found


def copy_of(source: Path, target: Path, environment: Path = ROOT / ".venv", *, built: bool = True) -> Path:
    """Copy the checkout `source` to `target`, without its tests and the files that git ignores. Return `target`.

    `.venv` in the copy is a link to the virtual environment `environment`. With `built`, the function also copies the
    archives in the checkout's folder `.build`.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if name.startswith("tests/") or not (source / name).exists():
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, path)
    (target / ".venv").symlink_to(environment)
    for archive in (source / ".build").glob("*.zip") if built else ():
        (target / ".build").mkdir(exist_ok=True)
        shutil.copy2(archive, target / ".build" / archive.name)
    return target


def operations(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the logical names of the resources in `calls`, by kind of call: {"create": [...], "update": [...]}."""
    found: dict[str, list[str]] = {}
    for call in calls:
        found.setdefault(call["call"], []).append(call["urn"].rsplit("::", 1)[-1])
    return {kind: sorted(names) for kind, names in found.items()}
