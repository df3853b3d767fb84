"""Tests of all corrections together: each has a description and tests, and a changed emulator is detected."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

import emulator_fixes

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", emulator_fixes.NAMES)
def test_every_correction_has_a_docstring_and_tests(name: str) -> None:
    assert (importlib.import_module(f"emulator_fixes.{name}").__doc__ or "").strip()
    assert "def test_" in (TESTS / f"test_{name}.py").read_text(encoding="utf-8")


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(_name: str) -> str:
        return "1.5.34"

    monkeypatch.setattr(importlib.metadata, "version", version)

    with pytest.raises(
        emulator_fixes.CorrectionError, match=r"ministack 1\.5\.34 is installed, but .* needs version 1\.5\.33"
    ):
        emulator_fixes.apply()


def test_changed_source_of_a_replaced_function_is_reported() -> None:
    found = emulator_fixes.Replacement("latency", "services.sqs._dlq_sweep", "000000000000", lambda: None)

    with pytest.raises(
        emulator_fixes.CorrectionError, match=r"correction latency: ministack\.services\.sqs\._dlq_sweep"
    ):
        found.install()


def test_missing_replaced_function_is_reported() -> None:
    found = emulator_fixes.Replacement("latency", "services.sqs._gone", "000000000000", lambda: None)

    with pytest.raises(emulator_fixes.CorrectionError, match="found missing"):
        found.install()


def test_an_unknown_correction_cannot_be_left_out() -> None:
    with pytest.raises(emulator_fixes.CorrectionError, match="unknown corrections: got nothing"):
        emulator_fixes.apply(without=frozenset({"nothing"}))
