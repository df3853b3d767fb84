"""Runs the tools of the TypeScript client in clients/typescript: Node.js, the compiler and npm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from tools.client.generate import NODE, PACKAGE

COMPILER: Final = "node_modules/typescript/bin/tsc"
TESTS: Final = PACKAGE / ".build"
_TIMEOUT_S: Final = 300


def node(*arguments: str, given: str = "", folder: Path = PACKAGE) -> subprocess.CompletedProcess[str]:
    """Run Node.js with `arguments` in `folder`, and with `given` as standard input."""
    return _run([str(NODE), *arguments], given=given, folder=folder)


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm in the folder of the package."""
    return _run([str(Path(sys.prefix) / "bin" / "npm"), *arguments], given="", folder=PACKAGE)


@cache
def compiled_tests() -> Path:
    """Compile the tests of the package once per test run, and return the folder with the compiled tests."""
    for needed in (PACKAGE / COMPILER, PACKAGE / "dist" / "built"):
        assert needed.is_file(), f"{needed} is missing; run `make client`, which installs and builds it"
    done = node(COMPILER, "--project", "test/tsconfig.json")
    assert done.returncode == 0, done.stdout
    return TESTS


def check_tests(files: Sequence[Path], *options: str, folder: Path = PACKAGE) -> None:
    """Run the compiled tests in `files` with Node.js in `folder`.

    Fails if a test failed or was skipped. The message contains the output of each failed test.
    """
    done = node("--test", "--test-reporter=tap", *options, *map(str, files), folder=folder)
    failed = re.findall(r"^ *not ok.*?^ *\.\.\.$", done.stdout, re.DOTALL | re.MULTILINE)
    assert done.returncode == 0, "\n".join([*failed, done.stderr])
    assert re.search(r"^# skipped 0$", done.stdout, re.MULTILINE)


def results(script: str, entries: Sequence[Any]) -> list[Any]:
    """Pass `entries` to the compiled test script `script`, and return the JSON list that the script prints."""
    done = node(str(compiled_tests() / script), given=json.dumps(entries))
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def _run(command: list[str], *, given: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603 - the tests write the command
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path},
        timeout=_TIMEOUT_S,
    )
