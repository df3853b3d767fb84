"""Finds and stops processes that local commands started.

When a process has ended, a process of another program can get its id. This module never stops such a process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError

_PROC = Path("/proc")
_KILLED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Process:
    """A process on this machine, as it was when a function of this module found it."""

    pid: int
    group: int
    """Process group id."""
    started: str
    """Start time in the operating system's format. Use it only to compare two processes."""
    command: str
    """Command line with arguments."""


def find(pid: int) -> Process | None:
    """Return the process `pid`, or None if it does not exist or is a zombie."""
    return next((process for process in _listed(pid) if process.pid == pid), None)


def running() -> list[Process]:
    """Return all processes of this machine."""
    return _listed(None)


def group(leader: int) -> list[Process]:
    """Return the processes of the process group whose id is `leader`."""
    return [process for process in running() if process.group == leader]


def stop(processes: list[Process], *, grace_s: float = 5.0) -> None:
    """Stop `processes` with SIGTERM, and after `grace_s` seconds with SIGKILL.

    Each process is looked up again before each signal, because another process may have reused its id. Raises
    LocalError if a process belongs to another user.
    """
    for sent, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILLED_WITHIN_S)):
        for process in _still(processes):
            try:
                os.kill(process.pid, sent)
            except ProcessLookupError:
                pass
            except PermissionError:
                raise LocalError(
                    f"process {process.pid} belongs to another user. Remedy: sudo kill {process.pid}, then run the "
                    "command again"
                ) from None
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if not _still(processes):
                return
            time.sleep(0.02)


def _still(processes: list[Process]) -> list[Process]:
    now = [(process, find(process.pid)) for process in processes]
    return [process for process, found in now if found and found.started == process.started]


def _listed(pid: int | None) -> list[Process]:
    if (_PROC / "self" / "stat").exists():
        pids = [pid] if pid else [int(path.name) for path in _PROC.iterdir() if path.name.isdigit()]
        return [process for each in pids if (process := _from_proc(each))]
    return _from_ps(pid)


def _from_proc(pid: int) -> Process | None:
    try:
        # In /proc/PID/stat, the program name is in parentheses and can itself contain parentheses. The other fields
        # begin after the last closing parenthesis.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if fields[0] == "Z":
        return None
    return Process(pid=pid, group=int(fields[2]), started=fields[19], command=command)


def _from_ps(pid: int | None) -> list[Process]:
    which = ["-p", str(pid)] if pid else ["-ax"]
    command = ["ps", *which, "-ww", "-o", "pid=,pgid=,stat=,lstart=,command="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    found: list[Process] = []
    for line in listed.splitlines():
        fields = line.split(None, 8)
        if len(fields) == 9 and not fields[2].startswith("Z"):  # noqa: PLR2004 - ps prints lstart as five words
            found.append(Process(int(fields[0]), int(fields[1]), " ".join(fields[3:8]), fields[8]))
    return found
