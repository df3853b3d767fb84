"""The report of `make prove` adds up the figures of an attack's tests, and shows failed and missing tests."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.proof.plugin import Dose, outcomes, table

When = Literal["setup", "call", "teardown"]


def report(row: str, *, failed: bool = False, when: When = "call", **figures: int) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="tests/x.py::test_x",
        location=("x.py", 1, "test_x"),
        keywords={},
        outcome="failed" if failed else "passed",
        longrepr=None,
        when=when,
        user_properties=[("row", row), ("tried", figures)],
        duration=1.5,
    )


def test_report_adds_up_the_figures_of_an_attack_and_counts_each_test_once() -> None:
    found = outcomes(
        [report("stock-race", when="setup", orders=3), report("stock-race", orders=3), report("stock-race", orders=4)]
    )
    assert found["stock-race"].tried == {"orders": 7}
    assert (found["stock-race"].verdict, found["stock-race"].seconds) == ("holds", 4.5)
    assert "| 7 orders |" in table(found, "full")


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_failure_in_any_phase_of_a_test_marks_its_attack_as_broken(when: When) -> None:
    assert (
        outcomes([report("stock-race"), report("stock-race", failed=True, when=when)])["stock-race"].verdict == "BROKEN"
    )


def test_attack_whose_tests_are_skipped_counts_as_not_run() -> None:
    skipped = report("stock-race")
    skipped.outcome = "skipped"
    assert outcomes([skipped])["stock-race"].verdict == "not run"


def test_attack_without_a_test_counts_as_not_run() -> None:
    assert outcomes([report("stock-race")])["many-orders"].verdict == "not run"


def test_dose_selects_the_full_size_of_an_attack_only_in_make_prove() -> None:
    assert (Dose(full=False)(40, 1000), Dose(full=True)(40, 1000)) == (40, 1000)
