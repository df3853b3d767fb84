"""The Makefile and the shell scripts work with the tools of macOS: GNU Make 3.81, bash 3.2 and POSIX tools."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.commands import clones
from tests.commands.clones import ROOT, Clone

MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS: Final = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
SCRIPTS: Final = (ROOT / "Makefile", ROOT / ".ci" / "run", *sorted((ROOT / "tools").glob("*.sh")))

NEWER_MAKE: Final = {
    "an assignment operator that GNU Make 3.81 lacks": r"^[\w.-]+ *(::?:=|!=)",
    "define with an assignment": r"^(override +)?define +\S+ *[:?+]?=",
    "a directive that GNU Make 3.81 lacks": r"^(undefine|private|load)\b",
    "a special target that GNU Make 3.81 lacks": r"^\.(ONESHELL|SHELLFLAGS|EXTRA_PREREQS|WAIT|NOTINTERMEDIATE)\b",
    "targets in a group": r"&:",
    "a function that GNU Make 3.81 lacks": r"\$[({](file|guile|let|intcmp)\b",
}
NEWER_SHELL: Final = {
    "a Bash array or declaration": r"\b(declare|typeset|local -n|mapfile|readarray|coproc)\b",
    "a Bash test": r"\[\[",
    "a Bash redirection": r"&>|\|&|<<<|<\(",
    "a Bash 4 substitution": r"\$\{\w+(\^|,|@)",
    "a Bash replacement": r"\$\{\w+/",
    "echo with an option": r"\becho -[neE]",
    "a GNU tool": r"\b(readlink|realpath|mktemp|timeout|seq|stat|nproc|tac|shuf|sha256sum|install -D)\b",
    "a GNU option": r"\b(sed -[irz]|grep -[Porz]|xargs -[rd]|date -d|cp -a|sort -[Vz]|head -c|find [^|]*-printf)\b",
    "a long option of a POSIX tool": r"\b(awk|cat|cp|cut|grep|head|ls|mkdir|mv|rm|sed|sort|tail|touch|tr) [^|;\n]*--\w",
}


def newer(text: str, rules: dict[str, str]) -> Iterator[str]:
    """Yield "NAME OF THE RULE: MATCH" for each match of `rules` in `text`. Comments in `text` are ignored."""
    code = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines())
    for name, pattern in rules.items():
        yield from (f"{name}: {found.group()}" for found in re.finditer(pattern, code, re.MULTILINE))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_needs_a_newer_shell_or_gnu_tools(path: Path) -> None:
    assert list(newer(path.read_text(encoding="utf-8"), NEWER_SHELL)) == []


def test_makefile_uses_no_syntax_newer_than_make_3_81() -> None:
    assert list(newer(MAKEFILE, NEWER_MAKE)) == []


@pytest.mark.parametrize(
    "line",
    [
        "X ::= 1",
        "X != date",
        "define X =",
        "undefine X",
        ".ONESHELL:",
        "a b &: c",
        "\t@echo $(file <x)",
    ],
)
def test_syntax_of_a_newer_make_is_detected(line: str) -> None:
    assert list(newer(line, NEWER_MAKE))


@pytest.mark.parametrize(
    "line",
    [
        "declare -A x",
        "[[ -v x ]]",
        "make &> log",
        "echo ${x,,}",
        "echo ${x/a/b}",
        "echo -n x",
        "readlink -f x",
        "here=$(realpath .)",
        "sed -i s/a/b/ x",
        "grep -P x",
        "xargs -r rm",
        "date -d yesterday",
        "cp -a x y",
        "mktemp -d",
        "touch --no-create x",
    ],
)
def test_syntax_of_a_newer_shell_is_detected(line: str) -> None:
    assert list(newer(line, NEWER_SHELL))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, posix_tools: Path) -> Clone:
    """A fresh clone, in which only make and POSIX tools are on the PATH."""
    path = tmp_path_factory.mktemp("makefile") / "clone"
    clones.copy(clones.sources(), path)
    return Clone(path, {**clones.plain_environment(), "PATH": str(posix_tools)})


def test_help_lists_every_target_with_a_description(clone: Clone) -> None:
    done = clone.make()
    assert done.returncode == 0, done.stderr
    described = re.findall(r"^([a-z-]+):.*## (.*)$", MAKEFILE, re.MULTILINE)
    assert done.stdout.splitlines() == [f"{name:<12}{words}" for name, words in described]


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_installs_its_requirements(clone: Clone, target: str) -> None:
    """In a fresh clone, `make --dry-run TARGET` also prints the commands that install what the target needs."""
    done = clone.make("--dry-run", target)
    assert done.returncode == 0, done.stderr
    uses = {
        "install.sh packages": r"\.venv/bin/python -m|pulumi ",
        "install.sh packages requirements-dev.txt": r"-m (pytest|tests\.)|/(ruff|basedpyright) ",
        "install.sh node tests/workflow": r"-m pytest",
        "install.sh node tests/browser": r"(?m)-m pytest( --?[a-z-]+| loadfile| \d)*$",
    }
    for installs, needed in uses.items():
        if re.search(needed, done.stdout):
            assert installs in done.stdout


def test_ci_script_ignores_cdpath(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    (tmp_path / "make").write_text('#!/bin/sh\necho "$PWD: make $*"\n')
    (tmp_path / "make").chmod(0o755)
    done = clone.run(".ci/run", PATH=f"{tmp_path}:{os.defpath}", CDPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{clone.path}: make test\n")
