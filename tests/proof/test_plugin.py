"""The table adds up what the tests of a row took down, and a failed or missing test shows."""

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


def test_figures_are_added_up_and_counted_once_a_test() -> None:
    found = outcomes(
        [report("stock-race", when="setup", orders=3), report("stock-race", orders=3), report("stock-race", orders=4)]
    )
    assert found["stock-race"].tried == {"orders": 7}
    assert (found["stock-race"].verdict, found["stock-race"].seconds) == ("holds", 4.5)
    assert "| 7 orders |" in table(found, "full")


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_a_failure_in_any_phase_breaks_its_row(when: When) -> None:
    assert (
        outcomes([report("stock-race"), report("stock-race", failed=True, when=when)])["stock-race"].verdict == "BROKEN"
    )


def test_a_test_that_was_skipped_was_not_run() -> None:
    skipped = report("stock-race")
    skipped.outcome = "skipped"
    assert outcomes([skipped])["stock-race"].verdict == "not run"


def test_a_row_without_a_test_was_not_run() -> None:
    assert outcomes([report("stock-race")])["many-orders"].verdict == "not run"


def test_a_dose_is_small_or_full() -> None:
    assert (Dose(full=False)(40, 1000), Dose(full=True)(40, 1000)) == (40, 1000)
