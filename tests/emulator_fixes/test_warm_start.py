from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import emulator
from local.instance import Instance
from local.instances import free_port, stopped_at_the_end
from tests.local.cloud import Cloud, eventually, left_out


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Cloud]:
    """An emulator with the settings that `make up` uses."""
    instance = Instance(port=free_port(), home=tmp_path)
    with stopped_at_the_end(instance):
        emulator.start(instance, region="ap-northeast-1", without=left_out()).wait()
        yield Cloud(instance, "ap-northeast-1")


def test_execution_environment_of_an_alias_is_created_before_the_first_invocation(warm: Cloud) -> None:
    warm.function("def handle(event, context): return 1")

    assert eventually(lambda: len(emulator.find(warm.instance).processes) == 2)


def test_function_that_cannot_start_does_not_affect_others(warm: Cloud) -> None:
    broken = warm.function("raise ValueError('at import')")
    fine = warm.function("def handle(event, context): return 1")

    assert eventually(lambda: len(emulator.find(warm.instance).processes) == 2)
    assert warm.invoke(fine, {}) == 1
    assert "at import" in str(warm.invoke(broken, {}))
