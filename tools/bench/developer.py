"""Measures what a developer waits for: the Pulumi program and `make up`.

Tests don't check these times, because they vary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.graph import ROOT
from local import instances
from local.instance import instance

PROGRAM: Final = 10.0
"""Maximum CPU time of the Pulumi program, relative to `import pulumi, pulumi_aws`.

The measured values are 7 to 8.5, or 11 to 13 if Python's garbage collector is on.
"""
FIRST_UP_S: Final = 12
SECOND_UP_S: Final = 4
_ROUNDS: Final = 4
_MEASURED: Final = """
import time
began = time.process_time()
import pulumi, pulumi_aws
imported = time.process_time()
from engine.graph import record
record("prod")
print((time.process_time() - imported) / (imported - began))
"""


def program_ratio() -> float:
    """Return the CPU time of the Pulumi program for prod, divided by that of `import pulumi, pulumi_aws`.

    The result is the minimum of several rounds.
    """
    return min(_program_ratio() for _ in range(_ROUNDS))


def _program_ratio() -> float:
    done = subprocess.run(  # noqa: S603 - the arguments come from this repository
        [sys.executable, "-c", _MEASURED],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def up_times() -> Iterator[tuple[str, float, float]]:
    """Run `make up`, change one function, and run `make up` again. Yield (description, seconds, limit) of each run."""
    with tempfile.TemporaryDirectory() as directory:
        project, home = Path(directory, "project"), Path(directory, "home")
        copy_program(project)
        where = instance(instances.free_port(), home)
        try:
            yield "`make up` while no emulator runs", _up(where, project), FIRST_UP_S
            change_a_function(project)
            yield "`make up` with one function changed", _up(where, project), SECOND_UP_S
        finally:
            instances.command("down", where)


def copy_program(to: Path) -> None:
    """Copy the files that `make up` deploys, so that a change doesn't touch the checkout."""
    for name in ("components", "contracts", "functions", "workflows", ".build"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*(path.name for path in ROOT.glob("*.py")), ".python-version", "Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, to)


def change_a_function(project: Path) -> None:
    """Change the source code of the function catalog_api in `project`, a copy of the checkout."""
    with (project / "functions" / "catalog_api" / "handler.py").open("a", encoding="utf-8") as source:
        source.write("# changed\n")


def _up(where: instances.Instance, project: Path) -> float:
    began = time.monotonic()
    instances.up(where, program=project)
    return time.monotonic() - began
