"""Fixtures that all load attacks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.instances import stopped_at_the_end
from tests.journeys.stack import temporary
from tests.proof.load.load import Load, started


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Load]:
    """A stack on its own emulator, with a client for many concurrent requests."""
    instance = temporary(free_port(), tmp_path_factory.mktemp("load"))
    with stopped_at_the_end(instance):
        yield started(instance)
