"""Starts, uses and stops instances in tests and scripts.

    with running(tmp_path / "instance") as platform:
        tokens = platform.client.sign_in(**platform.outputs["local"]["customer"])
        platform.aws("sqs", "list_queues")

Each instance has its own port, directory and data, so several instances can run at the same time. A separate process
deploys to each instance, because Pulumi stores a program's state in global variables. The emulators end when this
process ends, even if it is killed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import emulator, owner
from local.aws import Aws
from local.client import Client, client_of
from local.errors import LocalError
from local.instance import HOST, ROOT, Instance, instance, read_outputs


@dataclass(frozen=True)
class Running:
    """A deployed instance that is running."""

    instance: Instance
    outputs: Mapping[str, Any]
    """The content of .local/outputs.json."""
    aws: Aws
    """Calls the instance's services as root: aws("sqs", "list_queues"), or aws.client("sqs")."""

    @property
    def client(self) -> Client:
        """A client that signs in and calls the REST API and the HTTP API, as a frontend does."""
        return client_of(self.outputs)

    @property
    def ops(self) -> Mapping[str, Any]:
        """The stack output `ops`."""
        return self.outputs["ops"]


def free_port() -> int:
    """Return a TCP port on which no program listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def command(
    name: str, where: Instance, *, program: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command `name` of `python -m local` for the instance `where`, and return its exit code and output.

    `program` is the directory of the Pulumi project. `environment` adds environment variables.
    """
    arguments = ["--port", str(where.port), "--home", str(where.home), "--program", str(program), "--owned"]
    return subprocess.run(  # noqa: S603 - the command comes from this repository
        [sys.executable, "-m", "local", name, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=owner.this_process(),
        capture_output=True,
        text=True,
        check=False,
    )


def up(where: Instance, *, program: Path = ROOT, environment: Mapping[str, str] | None = None) -> Running:
    """Start the instance if it is not running, and deploy to it.

    `environment` can set LOCAL_ASYNC_RETRY_BASE_S (seconds before the first retry of an asynchronous invocation,
    default 1). Raises LocalError with the output of a failed command.
    """
    done = command("up", where, program=program, environment=environment)
    if done.returncode:
        raise LocalError(f"make up failed:\n{done.stdout}{done.stderr}")
    return Running(where, read_outputs(where) or {}, Aws(where, emulator.find(where).record["region"]))


@contextmanager
def stopped_at_the_end(where: Instance) -> Generator[None]:
    """When the `with` block ends, stop the emulator of the instance `where` if it is running."""
    try:
        yield
    finally:
        emulator.stop(where)


@contextmanager
def running(
    home: Path,
    *,
    port: int | None = None,
    program: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Generator[Running]:
    """Start an instance in `home` on `port` (default: a free port), deploy to it, and stop it when the block ends."""
    where = instance(port or free_port(), home)
    with stopped_at_the_end(where):
        yield up(where, program=program, environment=environment)
