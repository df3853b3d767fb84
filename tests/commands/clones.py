"""Fresh clones, and the environments that people run make in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PYTHON: Final = os.path.realpath(sys.executable)
"""The Python that .venv was made with."""
# make and pytest pass variables with these prefixes to their child processes, and the Makefile reads the variables
# below. Commands of a clone must get none of them.
_INHERITED: Final = ("MAKE", "MFLAGS", "PYTEST_", "COVERAGE_")
_VARIABLES: Final = ("PORT", "STACK", "DRY_RUN", "ATTACKS", "ORDERS", "PYTHON", "BENCH_PYTHON", "PULUMI_UP_FLAGS")


@dataclass(frozen=True)
class Clone:
    """A checkout that nothing was installed into."""

    path: Path
    environment: Mapping[str, str]
    user: int | None = None
    """Who runs its commands, if it is not the user of the tests."""

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it to its end."""
        return subprocess.run(  # noqa: S603 - the commands come from this repository
            command,
            cwd=self.path,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )

    @contextmanager
    def started(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """Run make in it, in a process group of its own, which is killed at the end."""
        with subprocess.Popen(  # noqa: S603 - the command comes from this repository
            ["make", *arguments],  # noqa: S607
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run make in it to its end."""
        return self.run("make", *arguments, **environment)

    @property
    def packages(self) -> list[str]:
        """The names of the packages in its .venv."""
        found = (self.path / ".venv").glob("lib/python*/site-packages/*.dist-info")
        return sorted(path.name.partition("-")[0] for path in found)


def plain_environment() -> dict[str, str]:
    """Return the environment of this process, without what make and pytest put there."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_INHERITED) and name not in _VARIABLES
    }


def sources() -> list[str]:
    """Return the files of a fresh clone, with the changes that are not committed yet."""
    git = shutil.which("git")
    if git is None:
        raise FileNotFoundError("git is not on the PATH, so a fresh clone cannot be made. Remedy: install git")
    listed = subprocess.run(  # noqa: S603 - the arguments are constants
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())


def copy(names: list[str], into: Path) -> None:
    """Copy files of this repository."""
    for name in names:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)


def tree(*folders: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of every file in `folders`, to see whether anything changed."""
    found: dict[str, tuple[int, int]] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if not path.is_dir():
                at = path.lstat()
                found[str(path)] = (at.st_size, at.st_mtime_ns)
    return found


def one_error(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed make printed, besides its own."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode, done.stdout
    assert len(lines) == 1, done.stderr
    return lines[0]
