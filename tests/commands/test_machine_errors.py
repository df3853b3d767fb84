"""If the machine lacks something, make reports the problem and the remedy in one line, without a traceback."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import clones
from tests.commands.clones import PYTHON, Clone, one_error

NOBODY = 65534
OLD = "import sys; sys.version_info = (3, 9, 6); sys.version = '3.9.6 (default)'; exec(sys.argv[1])"
WITHOUT_ENSUREPIP = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[1])"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return bare(tmp_path / "clone")


def bare(path: Path, user: int | None = None) -> Clone:
    """Return a clone in `path` that contains only the files that an installation needs. `user` runs its commands."""
    clones.copy(["Makefile", ".python-version", "tools/install.sh", "requirements.in", "requirements-local.txt"], path)
    return Clone(path, clones.plain_environment(), user)


def python(folder: Path, code: str) -> str:
    """Write an executable to `folder` that replaces Python, and return its path, which contains a space.

    make calls Python with `-c SOURCE`. The executable ignores `-c`, and runs `code` with SOURCE as sys.argv[1].
    """
    path = folder / "a python"
    path.write_text(f'#!/bin/sh\nshift\nexec {shlex.quote(PYTHON)} -c {shlex.quote(code)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_missing_python_is_reported(clone: Clone) -> None:
    error = one_error(clone.make("up", PYTHON="python-that-is-not-there"))
    assert error.startswith("error: Python 3.13 is needed: env: ")
    assert "python-that-is-not-there" in error
    assert "No such file or directory" in error
    assert error.endswith("make PYTHON=/path/to/python3.13.")


def test_old_python_is_reported(clone: Clone, tmp_path: Path) -> None:
    error = one_error(clone.make("up", PYTHON=python(tmp_path, OLD)))
    assert error.startswith("error: Python 3.13 is needed: got 3.9.6. Remedy: ")


def test_python_without_ensurepip_is_reported(clone: Clone, tmp_path: Path) -> None:
    """On Debian and Ubuntu, Python may lack the module ensurepip, because it belongs to a separate package."""
    error = one_error(clone.make("up", PYTHON=python(tmp_path, WITHOUT_ENSUREPIP)))
    assert "a python cannot make a virtual environment: ModuleNotFoundError: " in error
    assert "Remedy: install python3.13-venv (Debian, Ubuntu)" in error


@pytest.fixture
def read_only() -> Iterator[Clone]:
    """A clone in a read-only folder. If the tests run as root, make runs as another user."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    made = bare(folder / "clone", user=NOBODY if os.geteuid() == 0 else None)
    # If the tests run as root, make runs as the user NOBODY. This user may be unable to run the Python of the tests, so
    # a shell script takes its place. The script exits with 0 for the version check of make, and runs tools/install.sh
    # as Python would.
    python = folder / "python"
    python.write_text('#!/bin/sh\n[ $# -gt 3 ] || exit 0\nshift 2\nexec sh "$@"\n')
    python.chmod(0o755)
    made.path.chmod(0o555)
    yield made
    made.path.chmod(0o755)
    shutil.rmtree(folder)


def test_unwritable_folder_is_reported(read_only: Clone) -> None:
    """Root may write to read-only folders, so make runs as another user if the tests run as root."""
    python = read_only.path.parent / "python"
    done = read_only.make("up", PYTHON=str(python))
    error = one_error(done)
    assert error.startswith(f"error: cannot write {read_only.path}/.venv: ")
    assert "Permission denied" in error
    assert "Remedy: free 1 GB of disk space there, and run make as a user who may write there." in error


def test_full_disk_is_reported(clone: Clone, tmp_path: Path) -> None:
    """A limit on the file size simulates a full disk: writing a file fails at the limit."""
    path = tmp_path / "make"
    path.write_text('#!/bin/sh\ntrap "" XFSZ\nulimit -f 200\nexec make "$@"\n')
    path.chmod(0o755)
    error = one_error(clone.run(str(path), "up", PYTHON=PYTHON))
    assert error.startswith(f"error: cannot make {clone.path}/.venv: ")
    assert "Remedy: free 1 GB of disk space there" in error
    assert not (clone.path / ".venv" / "made").exists()
