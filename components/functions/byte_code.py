"""Compiles Python sources to byte code for the Python version of the Lambda runtime.

The files of a layer are read-only, so Python cannot store byte code beside them. If a layer contained sources, every
cold start would compile every module again. The initialization would take three times as long.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pulumi
import uv

_ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON_VERSION: Final = (_ROOT / ".python-version").read_text(encoding="utf-8").strip()
"""Python version of the Lambda runtime and of this project. The runtime cannot load byte code of another version."""
SCRIPT: Final = _ROOT / "functions" / "layers" / "compile.py"
"""Script that compiles the sources. It runs with PYTHON_VERSION, even if Pulumi runs on another version."""


class BuildError(pulumi.RunError):
    """An archive could not be built. Pulumi prints the message of this error without a traceback."""


def compiled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return `files` with each Python source replaced by its byte code. Equal sources produce equal byte code.

    Raises BuildError if a source has a syntax error or if there is no Python of the required version.
    """
    with tempfile.TemporaryDirectory() as scratch:
        sources, code = Path(scratch, "sources.zip"), Path(scratch, "code.zip")
        with zipfile.ZipFile(sources, "w") as archive:
            for name, content in files.items():
                if name.endswith(".py"):
                    archive.writestr(name, content)
        done = _run(lambda_python(), "-I", str(SCRIPT), str(sources), str(code))
        if done.returncode:
            raise BuildError(f"layers: the sources could not be compiled: {done.stderr.strip()[-2000:]}")
        with zipfile.ZipFile(code) as archive:
            byte_code = {name: archive.read(name) for name in archive.namelist()}
    return {name: content for name, content in files.items() if not name.endswith(".py")} | byte_code


@functools.cache
def lambda_python() -> str:
    """Return the path of a Python interpreter with PYTHON_VERSION: the running one, or one that uv finds or installs.

    A plain `pulumi up` creates .venv with any `python3`, so the program can run on another version.

    Raises BuildError if uv can neither find nor install this version.
    """
    if sys.version.startswith(f"{PYTHON_VERSION}."):
        return sys.executable
    find = (uv.find_uv_bin(), "python", "find", "--no-project", "--no-config", PYTHON_VERSION)
    found = _run(*find)
    if found.returncode:
        installed = _run(uv.find_uv_bin(), "python", "install", "--no-config", PYTHON_VERSION)
        found = _run(*find)
        if found.returncode:
            raise BuildError(
                f"Python {PYTHON_VERSION}, which compiles the layers, was not found, and uv could not install it: "
                f"{installed.stderr.strip()[-300:]}. Remedy: install Python {PYTHON_VERSION}."
            )
    return found.stdout.strip()


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the programs are constants
