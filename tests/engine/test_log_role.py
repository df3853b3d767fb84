"""Tests that no stack deletes API Gateway's log role, which all stacks of an account and region share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.checkouts import edit
from tests.engine.engine import Engine, operations

STACK = "dev"
SHARED = ("rest-api-account", "rest-api-log-policy", "rest-api-log-role")


def on_aws(engine: Engine) -> list[str]:
    with engine.cloud.locked() as things:
        names = [thing["urn"].rsplit("::", 1)[-1] for thing in things.values()]
    return sorted(name for name in names if name in SHARED)


@pytest.mark.full
def test_log_role_stays_on_aws_when_its_stack_no_longer_manages_it_or_is_destroyed(
    deployed: Callable[[str], Engine],
) -> None:
    engine = deployed(STACK)
    edit(engine.checkout, f"Pulumi.{STACK}.yaml", ("ownsAccountLogRole: true", "ownsAccountLogRole: false"))
    engine.must_up(STACK)
    assert operations(engine.cloud.calls()) == {}
    assert on_aws(engine) == [*SHARED]

    # The first log role still exists, but the stack no longer manages it. The change of the setting below therefore
    # makes the stack create a second log role.
    edit(engine.checkout, f"Pulumi.{STACK}.yaml", ("ownsAccountLogRole: false", "ownsAccountLogRole: true"))
    engine.must_up(STACK)
    engine.must("destroy", "--stack", STACK, "--yes", "--skip-preview")
    with engine.cloud.locked() as things:
        left = {thing["urn"].rsplit("::", 1)[-1] for thing in things.values()}
    assert left == {*SHARED}
