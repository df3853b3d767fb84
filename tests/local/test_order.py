"""Tests which steps `make order` expects. test_platform.py tests the command itself."""

from __future__ import annotations

import pytest

from local.order import EXPECTED, missing_steps


def test_every_expected_step_is_missing_before_the_first_one_arrives() -> None:
    assert missing_steps(set()) == list(EXPECTED)


def test_email_about_the_receipt_may_be_left_out_after_the_confirmation() -> None:
    """send_email leaves out the email about an earlier status, if it receives the events in the wrong sequence."""
    assert missing_steps(EXPECTED.keys() - {"mail Your order is received"}) == []


@pytest.mark.parametrize("step", [each for each in EXPECTED if each != "mail Your order is received"])
def test_any_other_step_is_reported_as_missing(step: str) -> None:
    assert missing_steps(EXPECTED.keys() - {step}) == [step]
