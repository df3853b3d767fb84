"""Marks the journeys (end-to-end tests) as tests that need the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every journey the marker `emulator`, because it needs a running emulator."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.emulator)
