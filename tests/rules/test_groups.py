"""Tests that share an expensive fixture run on one worker, so that it is made once."""

from __future__ import annotations

from typing import cast

import pytest


@pytest.mark.xdist_group("groups")
def test_pytest_xdist_knows_the_group_of_each_test(request: pytest.FixtureRequest) -> None:
    """pytest-xdist puts the group behind the node id, and spreads the tests without a word if that fails."""
    if request.config.getoption("loadgroup", default=False):
        assert cast("pytest.Item", request.node).nodeid.endswith("@groups")
