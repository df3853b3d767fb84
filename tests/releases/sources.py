"""The sources of the functions of a release: copies of today's sources, and archives of earlier ones.

A folder of sources has the layout of the repository: functions/, contracts/ and workflows/.
"""

from __future__ import annotations

import importlib
import io
import lzma
import sys
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from components.functions import generated_code
from tests.support.graph import ROOT

_PATTERNS: Final = ("functions/**/*.py", "contracts/**/*.*", "workflows/*.json")
CHECKS: Final = "functions/shared/checks"


def of_today() -> dict[str, bytes]:
    """Return {path: content} of today's source files, including the generated validators in functions/shared/checks."""
    found = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for pattern in _PATTERNS
        for path in sorted(ROOT.glob(pattern))
        if "__pycache__" not in path.parts
    }
    # The generated validators in the working tree can be out of date, so this function generates them again.
    written = {path: content for path, content in found.items() if not path.startswith(f"{CHECKS}/")}
    return written | {f"{CHECKS}/{name}": content for name, content in generated_code.checks().items()}


def extract(files: dict[str, bytes], folder: Path) -> Path:
    """Write source files to `folder`, and return `folder`."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def packed(files: dict[str, bytes]) -> bytes:
    """Return an archive of source files. Equal files give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return lzma.compress(buffer.getvalue(), preset=9)


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return {path: content} of the source files in an archive."""
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(archive))) as files:
        return {entry.name: content.read() for entry in files if (content := files.extractfile(entry))}


@contextmanager
def importable(folder: Path) -> Generator[None]:
    """Let Python import the functions and contracts of `folder` instead of today's until the context ends."""
    roots = [str(folder / "functions"), str(folder)]
    replaced = {path.name for root in roots for path in Path(root).iterdir() if path.is_dir()}
    saved = _without(replaced)
    sys.path[:0] = roots
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = [path for path in sys.path if path not in roots]
        _without(replaced)
        sys.modules.update(saved)


def _without(packages: set[str]) -> dict[str, ModuleType]:
    """Remove the modules of `packages` from `sys.modules`, and return {name: module} of the removed modules."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}
