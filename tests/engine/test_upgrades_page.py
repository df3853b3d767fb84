"""Tests that the commands in docs/upgrades.md do what the page says."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from tests.engine.engine import Engine
from tests.support.graph import ROOT

STACK = "dev"
PAGE = ROOT / "docs" / "upgrades.md"


def command(start: str) -> list[str]:
    """Return the arguments of the only pulumi command in docs/upgrades.md that starts with `pulumi {start}`."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    [line] = [line for line in text.splitlines() if line.startswith(f"    pulumi {start}")]
    return shlex.split(line)[1:]


@pytest.mark.full
def test_imported_resource_belongs_to_the_stack_and_needs_no_change(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    urn = next(found["urn"] for found in engine.state(STACK) if found["urn"].endswith("::events-sender"))
    engine.must("state", "delete", urn, "--stack", STACK, "--yes")
    assert engine.differences() == [f"left over: {urn}: orders@dev.example.com is on AWS, but in no state"]
    engine.must(*command("import"), "--yes")
    assert engine.differences() == []
    engine.must("preview", "--stack", STACK, "--expect-no-changes")
