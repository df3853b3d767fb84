"""Fresh clones of this repository, and the environment variables for commands that run in a clone."""

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
"""The Python interpreter that .venv uses."""
# Commands in a clone must not inherit these variables, because the variables would change what the commands do. make
# and pytest set the variables with the prefixes in _INHERITED. The Makefile reads the variables in _VARIABLES.
_INHERITED: Final = ("MAKE", "MFLAGS", "PYTEST_", "COVERAGE_")
_VARIABLES: Final = (
    "PORT",
    "STACK",
    "DRY_RUN",
    "ATTACKS",
    "ORDERS",
    "RATE",
    "PYTHON",
    "BENCH_PYTHON",
    "PULUMI_UP_FLAGS",
)


@dataclass(frozen=True)
class Clone:
    """A fresh clone of this repository. At first, no packages are installed in it."""

    path: Path
    environment: Mapping[str, str]
    user: int | None = None
    """Id of the user and group that run the clone's commands, or None for the user who runs the tests."""

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `command` in the clone until it ends."""
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
        """Start make in its own process group. At the end of the block, kill the group if make still runs."""
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
        """Run make in the clone until it ends."""
        return self.run("make", *arguments, **environment)

    @property
    def packages(self) -> list[str]:
        """The names of the packages in the clone's .venv."""
        found = (self.path / ".venv").glob("lib/python*/site-packages/*.dist-info")
        return sorted(path.name.partition("-")[0] for path in found)


def plain_environment() -> dict[str, str]:
    """Return the environment variables of this process without those of make and pytest."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_INHERITED) and name not in _VARIABLES
    }


def sources() -> list[str]:
    """Return the paths of the files that a fresh clone would have if all changes were committed."""
    git = shutil.which("git")
    if git is None:
        raise FileNotFoundError(
            "git is not on the PATH, so the files of a fresh clone are unknown. Remedy: install git"
        )
    listed = subprocess.run(  # noqa: S603 - the arguments are constants
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())


def copy(names: list[str], into: Path) -> None:
    """Copy the repository's files with the paths `names` to the folder `into`."""
    for name in names:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)


def tree(*folders: Path) -> dict[str, tuple[int, int]]:
    """Return {path: (size, modification time)} of every file in `folders`, to find changed files by comparison."""
    found: dict[str, tuple[int, int]] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if not path.is_dir():
                at = path.lstat()
                found[str(path)] = (at.st_size, at.st_mtime_ns)
    return found


def one_error(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error line that `done`, a failed run of make, wrote to standard error.

    Ignores lines that start with "make". Fails if make succeeded, or if there is no other line or more than one.
    """
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode, done.stdout
    assert len(lines) == 1, done.stderr
    return lines[0]
