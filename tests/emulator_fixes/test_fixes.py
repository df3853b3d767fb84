"""Tests that each correction of the emulator has a description and tests.

A correction replaces functions of the emulator. This module also tests that an error reports another version of the
emulator, and a change in a function that a correction replaces.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from pathlib import Path

import pytest

import emulator_fixes
from tests.support.graph import ROOT
from tools.docs import fixes

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", emulator_fixes.NAMES)
def test_correction_describes_the_behavior_of_the_emulator_and_of_aws_with_sources(name: str) -> None:
    fix = fixes.read(importlib.import_module(f"emulator_fixes.{name}").__doc__ or "")
    assert fix.summary.endswith(".")
    assert fix.emulator.endswith(".")
    assert fix.aws.endswith(".")
    assert all(source.startswith("https://") for source in fix.sources)
    assert re.fullmatch(
        r"report as a bug\.|request as a feature\.|nothing to report, because .+\.|https://.+", fix.upstream
    )


@pytest.mark.parametrize("label", ["Emulator", "AWS", "Source", "Upstream"])
def test_correction_docstring_that_lacks_a_required_part_is_refused(label: str) -> None:
    whole = importlib.import_module("emulator_fixes.http_api_cors").__doc__ or ""
    with pytest.raises(ValueError, match=f"docstring: no {label};"):
        fixes.read(whole.replace(f"{label}:", f"{label} -"))


@pytest.mark.parametrize("name", emulator_fixes.NAMES)
def test_correction_has_tests(name: str) -> None:
    assert "def test_" in (TESTS / f"test_{name}.py").read_text(encoding="utf-8")


def test_document_about_corrections_names_the_issue_tracker_of_the_emulator() -> None:
    assert fixes.tracker() in (ROOT / "docs" / "emulator-fixes.md").read_text(encoding="utf-8")


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(_name: str) -> str:
        return "1.5.34"

    monkeypatch.setattr(importlib.metadata, "version", version)

    with pytest.raises(
        emulator_fixes.CorrectionError, match=r"ministack 1\.5\.34 is installed, but .* needs version 1\.5\.33"
    ):
        emulator_fixes.apply()


def test_change_in_a_function_that_a_correction_replaces_is_reported() -> None:
    found = emulator_fixes.Replacement("latency", "services.sqs._dlq_sweep", "000000000000", lambda: None)

    with pytest.raises(
        emulator_fixes.CorrectionError, match=r"correction latency: ministack\.services\.sqs\._dlq_sweep"
    ):
        found.install()


def test_missing_function_that_a_correction_replaces_is_reported() -> None:
    found = emulator_fixes.Replacement("latency", "services.sqs._gone", "000000000000", lambda: None)

    with pytest.raises(emulator_fixes.CorrectionError, match="found missing"):
        found.install()


def test_leaving_out_an_unknown_correction_is_an_error() -> None:
    with pytest.raises(emulator_fixes.CorrectionError, match="unknown corrections: got nothing"):
        emulator_fixes.apply(without=frozenset({"nothing"}))
