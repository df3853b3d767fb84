"""The stored releases: what each release wrote, and the sources of its functions.

Each release has a folder in `tests/engine/releases/`, which also contains the Pulumi state of its deployment.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from tests.engine import releases
from tests.releases import sources
from tests.releases.platform import Json, platform
from tests.releases.recording import record

_DATA: Final = "data.json"
_SOURCES: Final = "sources.tar.xz"


def versions() -> list[str]:
    """Return the versions whose data are stored, oldest version first."""
    return sorted((path.parent.name for path in releases.FOLDER.glob(f"*/{_DATA}")), key=releases.by_age)


def data_of(version: str) -> Json:
    """Return the data that the functions of the release `version` wrote."""
    return json.loads((releases.FOLDER / version / _DATA).read_text(encoding="utf-8"))


def sources_of(version: str, folder: Path) -> Path:
    """Write the sources of the functions of the release `version` to `folder`, and return `folder`."""
    return sources.extract(sources.unpacked((releases.FOLDER / version / _SOURCES).read_bytes()), folder)


def write_data() -> list[Path]:
    """Store what today's functions write, and their sources, under today's version. Return the files' paths."""
    files = sources.of_today()
    folder = releases.FOLDER / releases.version()
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, platform(sources.extract(files, Path(scratch))) as functions:
        text = json.dumps(record(functions), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / _DATA).write_text(f"{text}\n", encoding="utf-8")
    (folder / _SOURCES).write_bytes(sources.packed(files))
    return [folder / _DATA, folder / _SOURCES]
