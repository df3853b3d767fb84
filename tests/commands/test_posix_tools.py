"""The POSIX tools of these tests refuse options that POSIX does not define."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "line",
    [
        "cp -a one two",
        "sed -i s/a/b/ one",
        "sed -r s/a/b/ one",
        r"sed 's/a/\t/' one",
        r"sed -e 's/a\+/b/' one",
        r"grep 'a\|b' one",
        "grep -P a one",
        "readlink -f one",
        "realpath one",
        "date -d yesterday",
        "mktemp",
        "touch --no-create one",
        "head -c 1 one",
        "sort -V one",
        "stat -c %s one",
        "expand --tabs=4 one",
        "timeout 1 true",
        "seq 3",
    ],
)
def test_command_with_a_tool_or_option_that_posix_does_not_define_fails(
    line: str, tmp_path: Path, posix_tools: Path
) -> None:
    (tmp_path / "one").write_text("a\n")
    done = _run(line, tmp_path, posix_tools)
    assert done.returncode != 0


def test_posix_options_work(tmp_path: Path, posix_tools: Path) -> None:
    done = _run(r"echo a b | sed -n -e 's/\(a\)/\1/p' | awk '{ print $2 }' | tr -s b c", tmp_path, posix_tools)
    assert (done.returncode, done.stdout) == (0, "c\n")


def _run(line: str, where: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the lines come from this repository
        ["/bin/sh", "-c", line], cwd=where, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
