"""Where the journeys run."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2 --dist loadgroup` all journeys go to one worker, since they share one emulator."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.emulator)
            item.add_marker(pytest.mark.xdist_group("journeys"))
