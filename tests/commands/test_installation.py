"""make installs only into its own .venv, and resumes an installation that was interrupted."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import uv

from tests.commands import foreign, package_index
from tests.commands.clones import ROOT, Clone, one_error
from tests.commands.conftest import STAMP, Interrupted, Office

Done = subprocess.CompletedProcess[str]
CLOSED = "http://127.0.0.1:9/simple"
"""URL of a package index to which no connection is possible."""

# Environment variables of uv that the Makefile does not unset. The Makefile itself sets some of them. Users can set the
# others, for example to select a package index or a cache.
UV_MAY = {
    "UV_CACHE_DIR",
    "UV_COMPILE_BYTECODE",
    "UV_CONFIG_FILE",
    "UV_CUSTOM_COMPILE_COMMAND",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_LINK_MODE",
    "UV_NO_BUILD_ISOLATION",
    "UV_NO_CACHE",
    "UV_NO_CONFIG",
    "UV_NO_EDITABLE",
    "UV_NO_PROGRESS",
    "UV_OFFLINE",
    "UV_SYSTEM_CERTS",
}


def test_make_installs_into_its_own_venv(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    assert office.clone.packages[-2:] == ["tiny", "uv"]
    assert (office.clone.path / STAMP).exists()


def test_make_does_not_change_the_active_virtual_environment(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    assert office.changed() == set()


def test_make_uses_the_company_package_index(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    files = {path.rpartition("/")[2].partition("-")[0] for path in office.index.asked if path.startswith("/files/")}
    assert files == {"tiny", "uv"}


def test_packages_do_not_count_as_installed_after_make_was_killed(interrupted: Interrupted) -> None:
    assert not interrupted.stamped
    assert "install.sh venv" in interrupted.remade


def test_a_second_make_waits_for_the_first(interrupted: Interrupted) -> None:
    assert interrupted.second == "Another make installs into this .venv. Waiting until it has ended.\n"


def test_make_without_anything_to_install_reports_no_errors(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    again = office.clone.make(STAMP)
    assert (again.returncode, again.stderr) == (0, "")
    assert "is up to date" in again.stdout


@pytest.mark.parametrize("broken", ["python is gone", "uv is gone", "unfinished", "the checkout was moved"])
def test_broken_venv_is_created_again(office: Office, installed: Done, broken: str) -> None:
    assert installed.returncode == 0, installed.stderr
    clone, venv = office.clone, office.clone.path / ".venv"
    python, unfinished, elsewhere = venv / "bin" / "python", venv / "unfinished", clone.path.with_name("moved")
    (package,) = venv.glob("lib/python*/site-packages/uv")
    assert "install.sh venv" not in clone.make("-n", STAMP).stdout
    if broken == "python is gone":
        target = python.readlink()
        python.unlink()
        python.symlink_to(clone.path / "python-that-was-upgraded")
        planned = clone.make("-n", STAMP)
        python.unlink()
        python.symlink_to(target)
    elif broken == "uv is gone":
        package.rename(clone.path / "uv")
        planned = clone.make("-n", STAMP)
        (clone.path / "uv").rename(package)
    elif broken == "unfinished":
        unfinished.touch()
        planned = clone.make("-n", STAMP)
        unfinished.unlink()
    else:
        clone.path.rename(elsewhere)
        planned = Clone(elsewhere, clone.environment).make("-n", STAMP)
        elsewhere.rename(clone.path)
    assert "install.sh venv" in planned.stdout
    assert "install.sh packages" in planned.stdout


def test_existing_venv_of_the_user_retains_its_packages(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    venv = office.clone.path / ".venv"
    (theirs,) = (site / "theirs.py" for site in venv.glob("lib/python*/site-packages"))
    theirs.touch()
    for stamp in ("made", "installed-local"):
        (venv / stamp).unlink()
    done = office.clone.make(STAMP)
    assert done.returncode == 0, done.stderr
    assert theirs.exists()


def test_unavailable_packages_leave_the_venv_unchanged(office: Office, installed: Done, tmp_path: Path) -> None:
    assert installed.returncode == 0, installed.stderr
    lock = office.clone.path / "requirements-local.txt"
    before = lock.read_text()
    lock.write_text(before + package_index.locked(package_index.tiny_wheel(tmp_path, "newer")))
    failed = office.clone.make(STAMP, UV_DEFAULT_INDEX=CLOSED, UV_HTTP_RETRIES="0")
    lock.write_text(before)
    assert one_error(failed).startswith("error: cannot find the packages: ")
    assert "Remedy: check the network, the proxy and the package index" in failed.stderr
    assert office.clone.make(STAMP, UV_DEFAULT_INDEX=CLOSED, UV_OFFLINE="1").returncode == 0


def test_unreachable_index_is_reported_when_uv_is_missing(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    made = office.clone.path / ".venv" / "made"
    kept = made.rename(made.with_name("kept"))
    failed = office.clone.make(STAMP, PIP_INDEX_URL=CLOSED, PIP_EXTRA_INDEX_URL=CLOSED, PIP_RETRIES="1")
    kept.rename(made)
    (made.with_name("unfinished")).unlink()
    assert one_error(failed).startswith("error: cannot install uv: ")
    assert "Connection refused" in failed.stderr
    assert "Remedy: check the network, the proxy and the package index" in failed.stderr


def test_unwritable_cache_is_reported(office: Office, installed: Done) -> None:
    assert installed.returncode == 0, installed.stderr
    lock = office.clone.path / "requirements-local.txt"
    lock.touch()
    failed = office.clone.make(STAMP, UV_CACHE_DIR=str(lock))
    assert one_error(failed).startswith("error: uv does not work: error: Failed to initialize cache at ")
    assert failed.stderr.splitlines()[0].endswith("set HOME or UV_CACHE_DIR to a folder that this user may write.")
    assert office.clone.make(STAMP).returncode == 0


@pytest.mark.parametrize("key", ["target", "prefix"])
def test_uv_configuration_that_installs_outside_of_the_venv_is_refused(
    office: Office, installed: Done, key: str
) -> None:
    assert installed.returncode == 0, installed.stderr
    settings = office.home / ".config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[pip]\n{key} = "{office.other.path}"\n')
    (office.clone.path / "requirements-local.txt").touch()
    failed = office.clone.make(STAMP)
    remedied = office.clone.make(STAMP, UV_NO_CONFIG="1")
    shutil.rmtree(settings.parent)
    assert one_error(failed).startswith("error: uv would install outside of .venv: ")
    assert "take target and prefix out of [pip] in uv.toml" in failed.stderr
    assert remedied.returncode == 0, remedied.stderr
    assert office.changed() == set()


def test_every_variable_that_the_makefile_unsets_is_tested(tmp_path: Path) -> None:
    taken = re.findall(r"^unexport (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(" ".join(taken).split()) == sorted(foreign.Other(tmp_path).variables())


@pytest.mark.parametrize("command", ["install", "compile"])
def test_each_uv_variable_is_unset_or_harmless(command: str, tmp_path: Path) -> None:
    """The Makefile unsets all environment variables of uv, except for the harmless ones in UV_MAY.

    The test fails if a new version of uv has a variable that is neither unset nor in UV_MAY.
    """
    asked = [uv.find_uv_bin(), "pip", command, "--help"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout  # noqa: S603 - the arguments are constants
    known = set(re.findall(r"\[env:\s+(UV_\w+)", told))
    assert len(known) > 20
    assert known - set(foreign.Other(tmp_path).variables()) <= UV_MAY
