"""What a preview spends in the program itself: nothing is read, hashed or built twice, and its time has a limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from components.functions import archives
from operations import resource_graph
from operations.resource_graph import ROOT
from settings import FUNCTION_NAMES

# Measured: 7 to 8.5, and 11 to 13 with the garbage collector on.
LONGEST_RATIO = 10.0
ATTEMPTS = 4
MEASURED = """
import time
began = time.process_time()
import pulumi, pulumi_aws
imported = time.process_time()
from operations import resource_graph
resource_graph.record("prod")
print((time.process_time() - imported) / (imported - began))
"""


class Work:
    """What one run of the program made and read."""

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
    """A .build that holds the layers, which are tested elsewhere, and no function."""
    for archive in archives.BUILD.glob("*-layer-*.zip"):
        shutil.copy(archive, tmp_path)
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    return tmp_path


def test_a_run_reads_each_source_and_builds_each_function_once_and_the_next_builds_nothing(
    empty_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when an archive is made although there is one that was made of the same."""
    layers = len(list(empty_build.iterdir()))
    first = Work(monkeypatch)
    resource_graph.record("prod")
    sources = {path: times for path, times in first.read.items() if archives.ROOT in path.parents}
    assert len(sources) > len(FUNCTION_NAMES)
    assert not {path: times for path, times in sources.items() if times > 1}
    assert first.zipped == len(FUNCTION_NAMES) == len(list(empty_build.iterdir())) - layers
    before = {path: path.stat().st_mtime_ns for path in empty_build.iterdir()}
    second = Work(monkeypatch)
    resource_graph.record("prod")
    assert second.zipped == 0
    assert {path: path.stat().st_mtime_ns for path in empty_build.iterdir()} == before


def test_the_program_takes_no_more_than_some_imports_of_the_sdk() -> None:
    """CPU time against `import pulumi, pulumi_aws`, because machines differ.

    Other processes disturb it upwards only, so the least of a few is what counts. Seen to fail with the collector on.
    """
    ratios: list[float] = []
    for _ in range(ATTEMPTS):
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", MEASURED],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        ratios.append(float(done.stdout))
        if ratios[-1] <= LONGEST_RATIO:
            return
    pytest.fail(f"the program takes {min(ratios):.1f} times as long as `import pulumi, pulumi_aws`: {ratios}")
