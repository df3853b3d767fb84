"""Tests that Pulumi's state matches the stand-in for AWS after an update, and that the engine finds differences."""

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
def test_deleted_resource_is_found_and_created_again_by_a_refreshing_update(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    with engine.cloud.locked() as things:
        [key] = [key for key in things if key.startswith("aws:cloudwatch/dashboard")]
        del things[key]
    assert [line for line in engine.differences() if line.startswith("vanished")]
    engine.must_up(STACK, "--refresh")
    assert engine.differences() == []
    assert len(operations(engine.cloud.calls())["create"]) == 1
