"""Byte code for the functions' Python, whatever Python builds it.

Lambda cannot write it beside the sources of a layer, so without it each cold start compiles every module anew: three
times the initialisation. Pyodide (functions/layers/package.json) is CPython 3.13 in WebAssembly; it runs on Node.js.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ROOT / "functions" / "layers"
INSTALLED: Final = ROOT / ".venv" / "layers"
"""Where `make` puts what package.json there names."""


def compiled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return `files` with byte code in the place of Python sources: the same for the same sources, everywhere.

    Raises RuntimeError if Node.js or Pyodide is not there, or a source cannot be compiled.
    """
    with tempfile.TemporaryDirectory() as scratch:
        sources, target = Path(scratch, "sources.zip"), Path(scratch, "code.zip")
        with zipfile.ZipFile(sources, "w") as archive:
            for name, content in files.items():
                if name.endswith(".py"):
                    archive.writestr(name, content)
        _run(sources, target)
        with zipfile.ZipFile(target) as archive:
            code = {name: archive.read(name) for name in archive.namelist()}
    return {name: content for name, content in files.items() if not name.endswith(".py")} | code


def node() -> str | None:
    """Return where Node.js is: beside this Python, where requirements.txt puts it, or on the PATH."""
    return shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _run(sources: Path, code: Path) -> None:
    runtime = node()
    if runtime is None or not (INSTALLED / "node_modules").is_dir():
        raise RuntimeError(
            "layers: Node.js or Pyodide, which compile them, are not installed. Remedy: make .venv/layers/installed"
        )
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [runtime, str(SOURCES / "compile.mjs"), str(sources), str(code)],
        cwd=INSTALLED,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"layers: could not be compiled: {done.stderr.strip()[-2000:]}")
