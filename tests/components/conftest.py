"""Fixtures for the tests of the Pulumi components."""

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
    """Give every function an empty archive, because the code of the functions does not matter in these tests."""
    _without_archives(monkeypatch)


@pytest.fixture(scope="session")
def rest_api_graph() -> Graph:
    """The resource graph of a program that contains only a RestApi, with one CORS origin."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_archives(monkeypatch)
        return record_rest_api()


@pytest.fixture(scope="session")
def http_api_graph() -> Graph:
    """The resource graph of a program that contains only an HttpApi."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_archives(monkeypatch)
        return record_http_api()
