"""One run of the Pulumi program reads no file twice and builds no archive twice.

`make bench` measures how long a run takes.
"""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from components.functions import archives
from engine.graph import record


class Work:
    """Counts how often each file is read, and how many archives are built."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: Counter[Path] = Counter()
        self.zipped = 0
        read_bytes, zip_file = Path.read_bytes, zipfile.ZipFile

        def reads(path: Path) -> bytes:
            self.read[path.resolve()] += 1
            return read_bytes(path)

        def zips(file: Any, mode: Any = "r", *arguments: Any, **named: Any) -> zipfile.ZipFile:
            self.zipped += mode == "w"
            return zip_file(file, mode, *arguments, **named)

        monkeypatch.setattr(Path, "read_bytes", reads)
        monkeypatch.setattr(zipfile, "ZipFile", zips)


@pytest.fixture
def empty_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder that contains the archives of the layers, but no archive of a function."""
    for archive in archives.BUILD.glob("*-layer-*.zip"):
        shutil.copy(archive, tmp_path)
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    return tmp_path


def test_first_run_builds_each_function_archive_once_and_the_next_run_builds_none(
    empty_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run must not rebuild an archive, because no source has changed."""
    functions = len(list(archives.FUNCTIONS.glob("*/handler.py")))
    layers = len(list(empty_build.iterdir()))
    first = Work(monkeypatch)
    record("prod")
    sources = {path: times for path, times in first.read.items() if archives.ROOT in path.parents}
    assert len(sources) > functions
    assert not {path: times for path, times in sources.items() if times > 1}
    assert first.zipped == functions == len(list(empty_build.iterdir())) - layers
    before = {path: path.stat().st_mtime_ns for path in empty_build.iterdir()}
    second = Work(monkeypatch)
    record("prod")
    assert second.zipped == 0
    assert {path: path.stat().st_mtime_ns for path in empty_build.iterdir()} == before
