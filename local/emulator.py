"""Starts, finds and stops the emulator, which runs as a background process on this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from cli.errors import described
from local import environment as environments
from local import loopback, processes
from local.errors import LocalError
from local.instance import DEFAULT_PORT, HOST, LAST_PORT, DamagedError, Instance, read_json, write_private

AT_WORK: Final = "/_ministack/at-work"
"""Path of the request that returns how much background work is left (see emulator_fixes/at_work.py)."""
_START_LIMIT_S: Final = 180.0
_ANSWER_LIMIT_S: Final = 30.0
_TAIL_LINES: Final = 15
_OTHER_SOURCES: Final = ("bootstrap.py", "certificate.py", "environment.py", "launch.py", "owner.py", "patience.py")


@dataclass(frozen=True)
class Found:
    """The state of an instance's emulator, as `find` returns it."""

    state: Literal["running", "died", "none"]
    processes: list[processes.Process]
    """The running processes of the emulator and its Lambda functions."""
    record: dict[str, Any]
    """The record of the emulator's process that `start` wrote to the file `Instance.process`."""

    @property
    def abandoned(self) -> bool:
        """True until the `make up` that started the emulator has completed.

        If that command is killed before it completes, the emulator ends too.
        """
        return not self.record.get("released", True)


@dataclass
class Started:
    """An emulator that this process started."""

    _instance: Instance
    _process: subprocess.Popen[bytes]
    _began: float
    _record: dict[str, Any]
    _pipe: int | None
    """Write end of a pipe. If this process ends before it calls `release`, the pipe closes, and the emulator ends."""
    _decided: threading.Lock = field(default_factory=threading.Lock)
    """Lock that the first successful call of `release` or `discard` acquires and keeps.

    Later calls of these methods do nothing.
    """

    def wait(self) -> float:
        """Wait until the emulator responds, and return the seconds since its start.

        If the emulator does not respond, this method ends it, deletes its data and raises LocalError.
        """
        while not answers(self._instance, limit_s=1.0):
            if self._process.poll() is not None:
                self.discard()
                raise LocalError(
                    f"the emulator ended with code {self._process.returncode}: {_last_words(self._instance)}"
                )
            if time.monotonic() - self._began > _START_LIMIT_S:
                self.discard()
                raise LocalError(
                    f"the emulator did not respond within {_START_LIMIT_S:.0f} s: {_last_words(self._instance)}"
                )
            time.sleep(0.03)
        return time.monotonic() - self._began

    def release(self) -> None:
        """Let the emulator keep running after this process ends.

        Does nothing if `discard` was called before. If `release` fails, `discard` can still end the emulator.
        """
        if self._pipe is None or not self._decided.acquire(blocking=False):
            return
        try:
            write_private(self._instance.process, {**self._record, "released": True})
        except OSError:
            self._decided.release()
            raise
        # If the emulator has just ended, nothing reads the pipe, and the write raises BrokenPipeError.
        with suppress(BrokenPipeError):
            os.write(self._pipe, b"\n")
        os.close(self._pipe)

    def discard(self) -> bool:
        """End the emulator immediately and delete its data, unless `release` was called before.

        Return whether this call ended the emulator.
        """
        if not self._decided.acquire(blocking=False):
            return False
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._instance.process.unlink(missing_ok=True)
        _delete_data(self._instance)
        return True


def find(instance: Instance) -> Found:
    """Return the state of the instance's emulator, its processes, and the record that `start` wrote."""
    try:
        record = read_json(instance.process, "pid", "started", "region", remedy=instance.anew)
    except DamagedError:
        record = _searched(instance)
    if not record:
        return Found("none", [], {})
    leader = processes.find(record["pid"])
    alive = leader is not None and leader.started == record["started"]
    # If the leader of the process group has ended, the system may have reused the group's id for other programs.
    # Therefore keep only the processes whose command line contains the instance's directory.
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
    """Start an empty emulator for `instance` on the loopback interface, with IAM enforced, and return immediately.

    `without` names corrections (see emulator_fixes) to leave out. Tests use it to prove that each correction is needed.
    `environment` adds environment variables. `launcher` names the module that the emulator's process runs.

    `owner` is the read end of a pipe. When the write end of the pipe is closed, the emulator ends (see local.owner).
    Without `owner`, the emulator ends when this process ends, unless `Started.release` was called before.

    Raises LocalError if the port is taken.
    """
    require_free(instance.port)
    _delete_data(instance)
    for directory in ("tmp", "state", "s3"):
        (instance.data / directory).mkdir(parents=True)
    began = time.monotonic()
    command = [sys.executable, "-m", launcher, "--home", str(instance.home)]
    command += [argument for name in without for argument in ("--without", name)]
    read, write = (owner, None) if owner is not None else os.pipe()
    try:
        process = _launched(instance, command, environments.of_emulator(instance, region) | (environment or {}), read)
    except BaseException:
        if write is not None:
            os.close(write)
        raise
    finally:
        if write is not None:
            os.close(read)
    try:
        found = processes.find(process.pid)
        record = {
            "pid": process.pid,
            "started": found.started if found else "",
            "region": region,
            "runner": _runner(),
            "released": owner is not None,
        }
        write_private(instance.process, record)
    except BaseException:
        # The record of the process was not written. Kill the process, because no later command could find it without
        # the record.
        process.kill()
        process.wait()
        if write is not None:
            os.close(write)
        raise
    return Started(instance, process, began, record, write)


def _launched(
    instance: Instance, command: list[str], environment: dict[str, str], stdin: int
) -> subprocess.Popen[bytes]:
    with instance.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the command runs a module of this repository
            command,
            cwd=instance.data,
            env=environment,
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def outdated(found: Found) -> bool:
    """Return whether a source file of the emulator's process, such as a correction, changed after its start."""
    return found.record.get("runner") != _runner()


def stop(instance: Instance) -> bool:
    """Stop the emulator of `instance` and its functions, and delete its data. Return False if none was running."""
    found = find(instance)
    processes.stop(found.processes)
    left = [each for each in found.processes if processes.find(each.pid) == each]
    if left:
        numbers = ", ".join(str(each.pid) for each in left)
        raise LocalError(f"could not stop the emulator: process {numbers} is still running. Remedy: kill -9 {numbers}")
    instance.process.unlink(missing_ok=True)
    _delete_data(instance)
    return found.state == "running"


def is_at_rest(instance: Instance) -> bool:
    """Return whether the emulator has finished all work with events, executions, stream records and messages."""
    try:
        return not any(json.loads(loopback.get(instance.url + AT_WORK, limit_s=_ANSWER_LIMIT_S)).values())
    except loopback.NoAnswerError:
        return False  # An emulator that an earlier release started may lack this endpoint.


def answers(instance: Instance, *, limit_s: float = _ANSWER_LIMIT_S) -> bool:
    """Return whether the emulator responds to its health check within `limit_s` seconds."""
    try:
        loopback.get(f"{instance.url}/_ministack/health", limit_s=limit_s)
    except loopback.NoAnswerError:
        return False
    return True


def free_port(port: int) -> int:
    """Return the next port after `port` on which this user can listen. Raises LocalError if there is none."""
    for each in (*range(port + 1, LAST_PORT + 1), *range(DEFAULT_PORT, port)):
        if _bind(each) is None:
            return each
    raise LocalError("no port is free. Remedy: stop a program that listens on a port")


def tail(instance: Instance) -> str:
    """Return the last lines of the emulator's log."""
    try:
        lines = instance.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])


def _delete_data(instance: Instance) -> None:
    while instance.data.exists():
        # If another process deletes a file in this directory at the same time, `rmtree` raises FileNotFoundError, and
        # the loop tries again.
        with suppress(FileNotFoundError):
            shutil.rmtree(instance.data)


def _last_words(instance: Instance) -> str:
    """Return the last line of the emulator's log, and the advice to read the log.

    If the emulator failed with a traceback, the last line contains the error.
    """
    return f"{tail(instance).splitlines()[-1].removeprefix('  | ')}. Remedy: read {instance.log}"


def _runner() -> str:
    here = Path(__file__).parent
    sources = [
        *sorted(here.parent.glob("emulator_fixes/*.py")),
        *(here / name for name in _OTHER_SOURCES),
        Path(__file__),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def require_free(port: int) -> None:
    """Raise LocalError with the cause and a remedy if the emulator can't listen on `port`."""
    error = _bind(port)
    if error is None:
        return
    if error.errno == errno.EADDRNOTAVAIL:
        raise LocalError(f"{HOST} is not an address of this machine. Remedy: sudo ip link set lo up")
    if error.errno not in (errno.EACCES, errno.EADDRINUSE, errno.EPERM):
        raise LocalError(f"port {port}: {described(error)}")
    remedy = f"use another port: make up PORT={free_port(port)}"
    if error.errno == errno.EADDRINUSE:
        raise LocalError(f"port {port} is in use by another program. Remedy: stop that program, or {remedy}")
    raise LocalError(
        f"port {port}: {error.strerror}: this user is not allowed to listen on this port. Remedy: {remedy}"
    )


def _bind(port: int) -> OSError | None:
    """Return the error that prevents a program from listening on `port`, or None."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError as error:
        return error
    return None


def _searched(instance: Instance) -> dict[str, Any] | None:
    """Search all processes for the emulator of `instance`, and return a new record of its process.

    This search is necessary if the record file is damaged. Returns None if the emulator is not running.
    """
    # This pattern matches only the command line that `start` uses. In other `python -m local` commands, a subcommand
    # such as `up` precedes `--home`.
    mark = re.compile(rf" -m \S+ --home {re.escape(str(instance.home))} ")
    leader = next((each for each in processes.running() if mark.search(f"{each.command} ")), None)
    return {"pid": leader.pid, "started": leader.started} if leader else None
