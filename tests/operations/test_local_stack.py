"""Tests that the commands for stacks on AWS refuse the stack `local`, which runs on the emulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operations import destroy, drift, recover


@pytest.mark.parametrize("main", [destroy.main, drift.main, recover.main], ids=["destroy", "refresh", "recover"])
def test_command_refuses_the_local_stack(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local"])
    said = "STACK=local runs on this machine's emulator, not on AWS; use `make up` and `make down`\n"
    assert capsys.readouterr().err.partition(": ")[2] == said
