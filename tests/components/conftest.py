"""Fixtures of the components' tests."""

from __future__ import annotations

import pulumi
import pytest

from components.functions import archives
from tests.components.api_programs import record_http_api, record_rest_api
from tests.support.graph import Graph


def _without_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(source: str) -> pulumi.AssetArchive:
        del source
        return pulumi.AssetArchive({})

    monkeypatch.setattr(archives, "function_archive", empty)


@pytest.fixture
def no_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions have an empty archive: what they hold is nothing to a test of what is around them."""
    _without_archives(monkeypatch)


@pytest.fixture(scope="session")
def rest_api_graph() -> Graph:
    """A RestApi alone, with one origin."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_archives(monkeypatch)
        return record_rest_api()


@pytest.fixture(scope="session")
def http_api_graph() -> Graph:
    """An HttpApi alone."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_archives(monkeypatch)
        return record_http_api()
