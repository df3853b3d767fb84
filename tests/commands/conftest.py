"""Fixtures: a fresh clone with one small package to install, and a package index that contains it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import clones, foreign, package_index
from tests.commands import posix_tools as tools
from tests.commands.clones import Clone
from tests.commands.foreign import Other, Watched
from tests.commands.package_index import Index

STAMP = ".venv/installed-local"


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two wheels: the package uv and a tiny package."""
    folder = tmp_path_factory.mktemp("wheels")
    package_index.uv_wheel(folder)
    package_index.tiny_wheel(folder)
    return folder


@pytest.fixture(scope="session")
def posix_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with POSIX tools. Tests put it on the PATH in place of the system's folders."""
    return tools.make(tmp_path_factory.mktemp("tools") / "bin")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Other:
    """The virtual environment of another project, which is active while make runs."""
    return foreign.make(tmp_path_factory.mktemp("somebody") / "other")


@dataclass(frozen=True)
class Office:
    """A clone on a company's machine, with the company's package index. Another project's environment is active."""

    clone: Clone
    index: Index
    other: Other
    home: Path
    watched: Watched
    """Watches the active environment and the home directory for changes."""

    def changed(self) -> set[str]:
        """Return the files outside the clone that `make` changed."""
        return self.watched.changed()


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory, wheels: Path, other: Other, posix_tools: Path) -> Iterator[Office]:
    """A clone on a machine whose settings for Python, pip and uv belong to another project.

    The environment variables and pip.conf of this machine contain paths of folders of the other project. If make did
    not override these settings, pip, uv or Python would use these folders.
    """
    place = tmp_path_factory.mktemp("office")
    clone, home = place / "注文 clone", place / "home"
    clones.copy(["Makefile", ".python-version", "tools/install.sh", "requirements.in"], clone)
    tiny = next(wheels.glob("tiny-*"))
    (clone / "requirements-local.txt").write_text(package_index.locked(tiny))
    settings = home / ".config" / "pip"
    settings.mkdir(parents=True)
    misled = [f"{key} = {other.path}" for key in ("target", "prefix", "root")]
    (settings / "pip.conf").write_text("\n".join(["[global]", *misled, "user = true", ""]))
    with package_index.serving([tiny, next(wheels.glob("uv-*"))]) as index:
        environment = {
            **clones.plain_environment(),
            **other.variables(),
            "HOME": str(home),
            "PATH": f"{other.path / 'bin'}{os.pathsep}{posix_tools}",
            "PIP_INDEX_URL": index.url,
            "PIP_EXTRA_INDEX_URL": index.url,
            "PIP_FIND_LINKS": str(settings),
            "PIP_CACHE_DIR": str(place / "cache-pip"),
            "UV_DEFAULT_INDEX": index.url,
            "UV_CACHE_DIR": str(place / "cache-uv"),
            "UV_COMPILE_BYTECODE": "0",
        }
        for name in ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX", "PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
            environment.pop(name, None)
        yield Office(Clone(clone, environment), index, other, home, foreign.watched(other.path, home))


@dataclass(frozen=True)
class Interrupted:
    """What happened when make was killed while it installed packages."""

    stamped: bool
    """Whether make had already marked the packages as installed when it was killed."""
    remade: str
    """The commands that the next make would run after the kill, as printed by `make --dry-run`."""
    second: str
    """The first line of output of another make, which started while the first make installed packages."""


@pytest.fixture(scope="session")
def interrupted(office: Office, wheels: Path) -> Interrupted:
    """Start the first make on the company's machine, kill it while it installs packages, and return what happened."""
    office.index.held = next(wheels.glob("tiny-*")).name
    with office.clone.started(STAMP) as process:
        while not office.index.reached.wait(0.1):
            assert process.poll() is None, process.communicate()[0]
        with office.clone.started(STAMP) as waiting:
            assert waiting.stdout
            second = waiting.stdout.readline()
    office.index.held = ""
    office.index.released.set()
    return Interrupted((office.clone.path / STAMP).exists(), office.clone.make("-n", STAMP).stdout, second)


@pytest.fixture(scope="session")
def installed(office: Office, interrupted: Interrupted) -> subprocess.CompletedProcess[str]:
    """Run make again after the first make was killed, and return its result."""
    assert interrupted
    return office.clone.make(STAMP)
