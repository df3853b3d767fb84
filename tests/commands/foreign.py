"""Simulates the Python environment of another project, which is active while make runs, and detects changes to it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.commands.clones import PYTHON, tree


@dataclass(frozen=True)
class Other:
    """A directory that is both the active virtual environment and the active conda environment."""

    path: Path

    def variables(self) -> dict[str, str]:
        """Return all environment variables that the Makefile unsets, with values that break make if it uses them."""
        return _misleading(self.path)


@dataclass(frozen=True)
class Watched:
    """Folders that make must not change, with the state of their files before make runs."""

    folders: tuple[Path, ...]
    before: dict[str, tuple[int, int]]

    def changed(self) -> set[str]:
        """Return the files that were added, changed or deleted after `watched` recorded the folders."""
        return {name for name, _ in self.before.items() ^ tree(*self.folders).items()}


def watched(*folders: Path) -> Watched:
    """Record the state of the folders, so that the returned object can report later changes."""
    return Watched(folders, tree(*folders))


def make(folder: Path) -> Other:
    """Create the environment of the other project in `folder`."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(folder)], check=True)  # noqa: S603 - the arguments are constants
    (folder / "conda-meta").mkdir()
    (folder / "conda-meta" / "history").touch()
    # Python imports sitecustomize when it starts. If a Python process inherits the PYTHONPATH of the other project, it
    # therefore exits with the message below.
    (folder / "modules").mkdir()
    (folder / "modules" / "sitecustomize.py").write_text('raise SystemExit("a foreign PYTHONPATH was used")\n')
    (folder / "startup.py").write_text('raise SystemExit("a foreign PYTHONSTARTUP was used")\n')
    (folder / "requirements.txt").write_text("a-foreign-package==1\n")
    return Other(folder)


def _misleading(folder: Path) -> dict[str, str]:
    python, requirements = str(folder / "bin" / "python"), str(folder / "requirements.txt")
    yes = dict.fromkeys(
        (
            "PYTHONSAFEPATH",
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONINSPECT",
            "PIP_USER",
            "PIP_ISOLATED",
            "PIP_REQUIRE_VIRTUALENV",
            "PIP_NO_DEPS",
            "PIP_DRY_RUN",
            "PIP_REQUIRE_HASHES",
            "PIP_PRE",
            "UV_SYSTEM_PYTHON",
            "UV_BREAK_SYSTEM_PACKAGES",
            "UV_MANAGED_PYTHON",
            "UV_NO_MANAGED_PYTHON",
            "UV_REQUIRE_HASHES",
            "UV_NO_VERIFY_HASHES",
            "UV_NO_SOURCES",
        ),
        "1",
    )
    places = dict.fromkeys(
        (
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "PYTHONHOME",
            "PYTHONUSERBASE",
            "PYTHONPYCACHEPREFIX",
            "PIP_TARGET",
            "PIP_PREFIX",
            "PIP_ROOT",
            "PIP_SRC",
            "UV_PROJECT",
            "UV_PROJECT_ENVIRONMENT",
            "UV_WORKING_DIR",
            "UV_WORKING_DIRECTORY",
        ),
        str(folder),
    )
    pythons = dict.fromkeys(("PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "PIP_PYTHON", "UV_PYTHON"), python)
    files = dict.fromkeys(
        (
            "PIP_REQUIREMENT",
            "PIP_CONSTRAINT",
            "PIP_BUILD_CONSTRAINT",
            "UV_CONSTRAINT",
            "UV_OVERRIDE",
            "UV_EXCLUDE",
            "UV_BUILD_CONSTRAINT",
        ),
        requirements,
    )
    return {
        **yes,
        **places,
        **pythons,
        **files,
        "CDPATH": str(folder.parent),
        "PYTHONPATH": str(folder / "modules"),
        "PYTHONSTARTUP": str(folder / "startup.py"),
        "PYTHONPLATLIBDIR": "foreign",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "PIP_EDITABLE": str(folder),
        "PIP_GROUP": "foreign",
        "PIP_UPLOADED_PRIOR_TO": "2000-01-01",
        "PIP_LOG": str(folder / "log"),
        "PIP_REPORT": str(folder / "report"),
        "PIP_PLATFORM": "win_amd64",
        "PIP_PYTHON_VERSION": "3.8",
        "PIP_IMPLEMENTATION": "pp",
        "PIP_ABI": "none",
        "PIP_NO_BINARY": ":all:",
        "PIP_ONLY_BINARY": ":none:",
        "UV_PYTHON_PREFERENCE": "only-managed",
        "UV_EXCLUDE_NEWER": "2000-01-01",
        "UV_RESOLUTION": "lowest",
        "UV_PRERELEASE": "allow",
        "UV_FORK_STRATEGY": "fewest",
        "UV_TORCH_BACKEND": "cpu",
        "UV_NO_BINARY": "1",
        "UV_NO_BINARY_PACKAGE": "tiny",
    }
