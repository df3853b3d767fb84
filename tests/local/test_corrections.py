"""Tests of all corrections together: each has a description and tests, and a changed emulator is detected."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

from local import corrections

TESTS = Path(__file__).with_name("corrections")


@pytest.mark.parametrize("name", corrections.NAMES)
def test_every_correction_has_a_docstring_and_tests(name: str) -> None:
    assert (importlib.import_module(f"local.corrections.{name}").__doc__ or "").strip()
    assert "def test_" in (TESTS / f"test_{name}.py").read_text(encoding="utf-8")


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(_name: str) -> str:
        return "1.5.34"

    monkeypatch.setattr(importlib.metadata, "version", version)

    with pytest.raises(
        corrections.CorrectionError, match=r"ministack 1\.5\.34 is installed, but .* needs version 1\.5\.33"
    ):
        corrections.apply()


def test_changed_source_of_a_replaced_function_is_reported() -> None:
    found = corrections.Replacement("latency", "services.sqs._dlq_sweep", "000000000000", lambda: None)

    with pytest.raises(corrections.CorrectionError, match=r"correction latency: ministack\.services\.sqs\._dlq_sweep"):
        found.install()


def test_missing_replaced_function_is_reported() -> None:
    found = corrections.Replacement("latency", "services.sqs._gone", "000000000000", lambda: None)

    with pytest.raises(corrections.CorrectionError, match="found missing"):
        found.install()


def test_an_unknown_correction_cannot_be_left_out() -> None:
    with pytest.raises(corrections.CorrectionError, match="unknown corrections: got nothing"):
        corrections.apply(without=frozenset({"nothing"}))
