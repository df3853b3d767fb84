"""Makes one of a command's calls to the operating system fail. A first run of the command records all its calls."""

from __future__ import annotations

import builtins
import errno
import fcntl
import inspect
import io
import os
import socket
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.graph import ROOT

_STANDARD_LIBRARY = sysconfig.get_path("stdlib")
_OURS = tuple(f"{ROOT / name}{os.sep}" for name in ("cli", "local", "operations", "tools"))
_FILES = (errno.EACCES, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENAMETOOLONG, errno.ENOSPC, errno.EROFS)
_ERRORS = {
    "bind": (errno.EACCES, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE),
    "flock": (errno.ENOLCK, errno.EIO),
    "kill": (errno.EPERM,),
    "Popen": (errno.EACCES, errno.EAGAIN, errno.ENOMEM, errno.ENOENT),
    "write": (errno.ENOSPC, errno.EDQUOT, errno.EIO),
}
_OF_TWO_FILES = {"link", "rename", "replace", "symlink"}
_NOT_ASKED = {"fspath", "stat", "lstat", "access", "readlink", "scandir", "listdir", "fstat", "pathconf", "statvfs"}


def errors_of(call: str) -> tuple[int, ...]:
    """Return the error numbers (`errno`) with which the call can fail."""
    return _ERRORS.get(call, _FILES)


@dataclass(frozen=True)
class Call:
    """One call to the operating system by a command of this repository."""

    name: str
    place: str
    """File and line of the code that makes the call."""
    time: int
    """The number of times that the code at `place` made this call before."""


@dataclass
class Refusals:
    """Records the calls of a command to the operating system, and makes one of them fail."""

    refused: Call | None = None
    """The call that fails. None lets all calls succeed."""
    number: int = 0
    """Error number (`errno`) of the refused call."""
    calls: list[Call] = field(default_factory=list[Call])
    """All recorded calls."""
    _times: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def ask(self, call: str, *arguments: Any) -> None:
        """Record `call` if a command of this repository makes it. Raises OSError if it is the call `refused`."""
        place = _place()
        if not place:
            return
        self.calls.append(Call(call, place, self._times[call, place]))
        self._times[call, place] += 1
        if self.calls[-1] == self.refused:
            named = [str(each) for each in arguments if isinstance(each, (str, Path))]
            second = (None, *named[1:2]) if call in _OF_TWO_FILES else ()
            raise OSError(self.number, os.strerror(self.number), *named[:1], *second)

    @contextmanager
    def installed(self) -> Generator[None]:
        """Intercept the calls to the operating system within the `with` block."""
        with pytest.MonkeyPatch.context() as patch:
            for function in os.supports_dir_fd | os.supports_fd | {os.replace, os.kill, os.makedirs, os.removedirs}:
                if function.__name__ not in _NOT_ASKED and hasattr(os, function.__name__):
                    patch.setattr(os, function.__name__, self._asking(function.__name__, function))
            opened = self._opening(io.open)
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            patch.setattr(fcntl, "flock", self._asking("flock", fcntl.flock))
            patch.setattr(subprocess, "Popen", self._asking("Popen", subprocess.Popen))
            patch.setattr(socket.socket, "bind", self._asking("bind", socket.socket.bind))
            yield

    def _asking(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any, **named: Any) -> Any:
            self.ask(name, *arguments)
            return function(*arguments, **named)

        return asked

    def _opening(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def opened(*arguments: Any, **named: Any) -> Any:
            self.ask("open", *arguments)
            file = function(*arguments, **named)
            if file.writable() and _place():
                write = file.write

                def written(data: Any) -> int:
                    self.ask("write")
                    return write(data)

                file.write = written
            return file

        return opened


def _place() -> str:
    """Return the file and line in cli, local, operations or tools that makes the call, or "" if other code makes it."""
    frame = inspect.currentframe()
    while frame:
        name = frame.f_code.co_filename
        if name.startswith(_OURS):
            return f"{name.removeprefix(f'{ROOT}{os.sep}')}:{frame.f_lineno}"
        inside = name == __file__ or name.startswith(("<frozen", f"{_STANDARD_LIBRARY}{os.sep}"))
        if not inside or "site-packages" in name:
            return ""
        frame = frame.f_back
    return ""
