"""Fixtures with a running emulator for the tests of the local platform."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from local import emulator
from local.instance import Instance
from local.instances import free_port, stopped_at_the_end
from tests.local.cloud import Cloud, left_out

REGION = "ap-northeast-1"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An empty emulator that enforces IAM permissions.

    It retries failed asynchronous invocations quickly, and starts no execution environments in advance.
    """
    with _cloud(tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator that doesn't multiply time limits (LOCAL_PATIENCE is 1), for tests that wait for a timeout."""
    with _cloud(tmp_path_factory, LOCAL_PATIENCE="1") as found:
        yield found


@contextmanager
def _cloud(tmp_path_factory: pytest.TempPathFactory, **environment: str) -> Generator[Cloud]:
    instance = Instance(port=free_port(), home=tmp_path_factory.mktemp("emulator"))
    quick = {"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1", "LOCAL_WARM": "0", **environment}
    with stopped_at_the_end(instance):
        emulator.start(instance, region=REGION, without=left_out(), environment=quick).wait()
        yield Cloud(instance, REGION)
