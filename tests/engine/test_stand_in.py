"""Tests that Pulumi's state matches the stand-in for AWS after an update, and that `Engine` finds differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.engine import Engine, operations

STACK = "dev"


def test_deployed_stack_has_no_differences_and_no_further_changes(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    assert engine.differences() == []
    engine.must("preview", "--stack", STACK, "--expect-no-changes")


@pytest.mark.full
def test_update_with_refresh_recreates_a_deleted_resource(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    with engine.cloud.locked() as things:
        [key] = [key for key in things if key.startswith("aws:cloudwatch/dashboard")]
        del things[key]
    assert [line for line in engine.differences() if line.startswith("vanished")]
    engine.must_up(STACK, "--refresh")
    assert engine.differences() == []
    assert len(operations(engine.cloud.calls())["create"]) == 1
