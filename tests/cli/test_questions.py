"""At a terminal, a command asks for confirmation, and continues only after the expected answer."""

from __future__ import annotations

import io
import sys

import pytest

from cli import questions


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "goes_on"), [("dev\n", True), (" dev \n", True), ("y\n", False), ("", False)])
def test_command_at_a_terminal_asks_for_confirmation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, goes_on: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(typed))
    assert questions.confirmed("This cannot be undone.", "dev") is goes_on
    assert capsys.readouterr().out == "This cannot be undone. Type dev to continue: "


@pytest.mark.parametrize("stdin", [io.StringIO("no\n"), None])
def test_command_without_a_terminal_asks_no_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdin: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    assert questions.confirmed("This cannot be undone.", "dev")
    assert capsys.readouterr().out == ""
