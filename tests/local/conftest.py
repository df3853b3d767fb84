"""A started emulator for the tests of the local runner."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import corrections, emulator
from local.instance import Instance
from tests.local.cloud import Cloud

REGION = "ap-northeast-1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An empty emulator with IAM enforced.

    ORDERS_WITHOUT=all (or names of corrections) leaves corrections out, to see which tests then fail.
    """
    home: Path = tmp_path_factory.mktemp("emulator")
    left_out = os.environ.get("ORDERS_WITHOUT", "")
    without = corrections.NAMES if left_out == "all" else tuple(filter(None, left_out.split(",")))
    instance = Instance(port=free_port(), home=home)
    wait = emulator.start(
        instance, region=REGION, without=without, environment={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}
    )
    wait()
    yield Cloud(instance, REGION)
    emulator.stop(instance)
