"""The emulator as a background process of this machine: started, found again, stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from local import processes
from local.errors import LocalError
from local.instance import ACCOUNT, HOST, ROOT, ROOT_KEY, Instance, read_json, write_private

_START_LIMIT_S: Final = 60.0
_TAIL_LINES: Final = 15
# What the emulator is told, and its Lambda functions must not see.
_PRIVATE: Final = (
    "AUTH",
    "BIND_HOST",
    "DOCKER_HOST",
    "GATEWAY_PORT",
    "IOT_MTLS_ENABLED",
    "LAMBDA_ACCOUNT_CONCURRENCY",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS",
    "LOCAL_DECISIONS",
    "LOCAL_PRIVATE",
    "LOCAL_WARM",
    "LOG_LEVEL",
    "MINISTACK_ACCOUNT_ID",
    "MINISTACK_AUTOCREATE_AWS_MANAGED",
    "MINISTACK_HOST",
    "MINISTACK_REGION",
    "S3_DATA_DIR",
    "SFTP_ENABLED",
    "STATE_DIR",
    "TMPDIR",
)


@dataclass(frozen=True)
class Found:
    """What is known of an instance's emulator."""

    state: Literal["running", "died", "none"]
    processes: list[processes.Process]
    """The emulator and the workers of its Lambda functions, as far as they live."""
    record: dict[str, Any]
    """What was written down when it was started."""

    @property
    def abandoned(self) -> bool:
        """Whether it belongs to a `make up` that has not finished: it ends with that one."""
        return not self.record.get("released", True)


@dataclass
class Started:
    """An emulator that this process started."""

    _instance: Instance
    _process: subprocess.Popen[bytes]
    _began: float
    _record: dict[str, Any]
    _pipe: int | None
    """While this process holds it open, the emulator runs."""
    _decided: threading.Lock = field(default_factory=threading.Lock)
    """Taken for good by the first of release and discard. A signal may bring both at once."""

    def wait(self) -> float:
        """Wait until it answers; returns the seconds that it took. Raises LocalError."""
        while not answers(self._instance, limit_s=1.0):
            if self._process.poll() is not None:
                self._instance.process.unlink(missing_ok=True)
                raise LocalError(
                    f"the emulator ended with code {self._process.returncode} ({self._instance.log}):\n"
                    f"{tail(self._instance)}"
                )
            if time.monotonic() - self._began > _START_LIMIT_S:
                stop(self._instance)
                raise LocalError(
                    f"the emulator did not answer within {_START_LIMIT_S:.0f} s ({self._instance.log}):\n"
                    f"{tail(self._instance)}"
                )
            time.sleep(0.03)
        return time.monotonic() - self._began

    def release(self) -> None:
        """Let it outlive this process."""
        if self._pipe is not None and self._decided.acquire(blocking=False):
            write_private(self._instance.process, {**self._record, "released": True})
            os.write(self._pipe, b"\n")
            os.close(self._pipe)

    def discard(self) -> bool:
        """End it at once and delete its data, unless it was released; returns whether it was ended."""
        if not self._decided.acquire(blocking=False):
            return False
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._instance.process.unlink(missing_ok=True)
        shutil.rmtree(self._instance.data, ignore_errors=True)
        return True


def find(instance: Instance) -> Found:
    """Look for the emulator that was started for `instance`."""
    record: dict[str, Any] | None = read_json(instance.process)
    if not record:
        return Found("none", [], {})
    leader = processes.find(record["pid"])
    alive = leader is not None and leader.started == record["started"]
    # Without its leader a group number may belong to strangers by now: those of ours name the instance's directory.
    members = [each for each in processes.group(record["pid"]) if alive or str(instance.home) in each.command]
    return Found("running" if alive else "died", members, record)


def start(
    instance: Instance,
    *,
    region: str,
    without: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    launcher: str = "local.launch",
    owner: int | None = None,
) -> Started:
    """Start the emulator of `instance` empty, with IAM enforced, on the loopback interface.

    Returns at once. `without` names corrections to leave out, for the tests that show that they are needed; `launcher`
    a module that does more than local.launch; `owner` the end of a pipe whose closing ends the emulator (see
    local.owner). Without `owner` it belongs to this process until it is released. Raises LocalError if the port is
    taken.
    """
    _require_free(instance.port)
    shutil.rmtree(instance.data, ignore_errors=True)
    for directory in ("tmp", "state", "s3"):
        (instance.data / directory).mkdir(parents=True)
    command = [sys.executable, "-m", launcher, "--home", str(instance.home)]
    command += [argument for name in without for argument in ("--without", name)]
    began = time.monotonic()
    read, write = (owner, None) if owner is not None else os.pipe()
    with instance.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            cwd=instance.data,
            env=_environment(instance, region) | (environment or {}),
            stdin=read,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    if write is not None:
        os.close(read)
    found = processes.find(process.pid)
    started = found.started if found else ""
    record = {
        "pid": process.pid,
        "started": started,
        "region": region,
        "runner": _runner(),
        "released": owner is not None,
    }
    write_private(instance.process, record)
    return Started(instance, process, began, record, write)


def outdated(found: Found) -> bool:
    """Whether what the emulator was started with (corrections, bootstrap) has changed since."""
    return found.record.get("runner") != _runner()


def stop(instance: Instance) -> bool:
    """Stop the emulator of `instance` and the workers of its functions; False if there was none."""
    found = find(instance)
    processes.stop(found.processes)
    left = [each for each in found.processes if processes.find(each.pid) == each]
    if left:
        numbers = ", ".join(str(each.pid) for each in left)
        raise LocalError(f"could not stop the emulator: process {numbers} does not end. Remedy: kill -9 {numbers}")
    instance.process.unlink(missing_ok=True)
    shutil.rmtree(instance.data, ignore_errors=True)
    return found.state == "running"


def answers(instance: Instance, *, limit_s: float = 5.0) -> bool:
    """Ask the emulator whether it is well."""
    try:
        with urllib.request.urlopen(f"{instance.url}/_ministack/health", timeout=limit_s) as answer:  # noqa: S310
            return answer.status == 200  # noqa: PLR2004
    except (OSError, urllib.error.URLError):
        return False


def tail(instance: Instance) -> str:
    """Return the last lines of the emulator's log."""
    try:
        lines = instance.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])


def _runner() -> str:
    here = Path(__file__).parent
    parts = (here / name for name in ("bootstrap.py", "launch.py", "owner.py"))
    sources = [*sorted(here.glob("corrections/*.py")), *parts, Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _require_free(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalError(
                f"port {port} is taken by another program ({error.strerror}). "
                f"Remedy: stop that program, or take another port: make up PORT={port + 1}"
            ) from None


def _environment(instance: Instance, region: str) -> dict[str, str]:
    data = instance.data
    environment = {
        "AUTH": "true",
        "BIND_HOST": HOST,
        # Some of its services look for Docker; this one they do not find.
        "DOCKER_HOST": f"unix://{data}/no-docker.sock",
        "GATEWAY_PORT": str(instance.port),
        "IOT_MTLS_ENABLED": "0",
        # AWS's quota. The emulator's would be what this machine's memory holds, but invocations wait for environments.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        # AWS waits one minute, then two, before it invokes a failed function again.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": os.environ.get("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "1"),
        "LOCAL_DECISIONS": os.environ.get("LOCAL_DECISIONS", ""),
        "LOCAL_PRIVATE": ",".join(_PRIVATE),
        "LOCAL_WARM": os.environ.get("LOCAL_WARM", "1"),
        "LOG_LEVEL": os.environ.get("LOCAL_LOG_LEVEL", "INFO"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "0",
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": region,
        "S3_DATA_DIR": str(data / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(data / "state"),
        "TMPDIR": str(data / "tmp"),
    }
    shared = {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": instance.url,
        "LANG": "C.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    # Where functions send their traces: UDP, and without it to a daemon on this machine, whether there is one or not.
    if daemon := os.environ.get("AWS_XRAY_DAEMON_ADDRESS"):
        shared["AWS_XRAY_DAEMON_ADDRESS"] = daemon
    return environment | shared
