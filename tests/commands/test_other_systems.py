"""Tests that the programs for users' machines also run on macOS.

A program may use a function or file that macOS lacks only if the program also has an alternative. basedpyright checks
with the type stubs of the standard library (typeshed) which functions macOS has.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.commands.clones import ROOT

SOURCES: Final = sorted(path for folder in ("local", "operations", "tools") for path in (ROOT / folder).rglob("*.py"))
# The modules in MODULES have different functions on different operating systems. FILES and the system calls in CALLS
# exist only on Linux.
MODULES: Final = ("fcntl", "mmap", "os", "pty", "resource", "select", "signal", "socket", "termios", "time")
FILES: Final = ("/proc", "/sys/", "/dev/shm", "libc.so")  # noqa: S108 - the test creates no such file
CALLS: Final = ("prctl", "inotify_init", "unshare", "setns")
FALLBACKS: Final = {("local/processes.py", "/proc"), ("tools/bench/__main__.py", "/proc")}
"""(module, Linux file), for modules with an alternative for other systems: `ps`, and Python's name of the processor."""


def names(source: str) -> Iterator[str]:
    """Yield the names of MODULES that the Python code `source` uses, for example `os.memfd_create`."""
    tree = list(ast.walk(ast.parse(source)))
    imported = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names} & set(MODULES)
    for node in tree:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def only_linux(source: str) -> list[str]:
    """Return the Linux files in FILES and the Linux system calls in CALLS that the Python code `source` uses."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [name for name in FILES if node.value.startswith(name)]
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            found += [name for call in CALLS if name == call]
    return found


def missing_on_macos(wanted: set[str], folder: Path) -> set[str]:
    """Return the names in `wanted` that Python's standard library lacks on macOS."""
    modules, lines = sorted({name.partition(".")[0] for name in wanted}), sorted(wanted)
    (folder / "uses.py").write_text("\n".join([f"import {', '.join(modules)}", *lines]))
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"pythonPlatform": "Darwin", "typeCheckingMode": "off", "reportAttributeAccessIssue": "error"})
    )
    done = subprocess.run(  # noqa: S603 - the arguments are constants
        [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1, done.stdout
    return {lines[each["range"]["start"]["line"] - 1] for each in report["generalDiagnostics"]}


def test_used_standard_library_functions_exist_on_macos(tmp_path: Path) -> None:
    used = {name: path for path in SOURCES for name in names(path.read_text(encoding="utf-8"))}
    assert len(used) > 20
    missing = missing_on_macos({*used, "os.memfd_create", "fcntl.F_SETPIPE_SZ", "signal.pidfd_send_signal"}, tmp_path)
    assert missing >= {"os.memfd_create", "fcntl.F_SETPIPE_SZ", "signal.pidfd_send_signal"}, "the check finds nothing"
    assert {name: used[name] for name in missing if name in used} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_linux_files_and_calls_are_used_only_with_a_fallback(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    found = {(where, name) for name in only_linux(path.read_text(encoding="utf-8"))}
    assert found <= FALLBACKS


def test_each_module_with_a_fallback_still_uses_its_linux_file() -> None:
    for where, name in FALLBACKS:
        assert name in only_linux((ROOT / where).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    ["open('/proc/cpuinfo')", "Path('/dev/shm')", "ctypes.CDLL('libc.so.6')", "ctypes.CDLL(None).prctl(1, 9)"],
)
def test_use_of_a_linux_file_or_call_is_detected(source: str) -> None:
    assert only_linux(source)


def test_functions_are_found_after_import_and_after_from_import() -> None:
    assert set(names("import os\nfrom signal import SIGPWR\nos.fork()")) == {"os.fork", "signal.SIGPWR"}
