"""Tests that a browser test fails if its page sends a request to another machine."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from tests.browser import chromium


def test_request_to_another_machine_fails_the_test(browser: Browser) -> None:
    with (
        pytest.raises(AssertionError, match=r"https://shop\.example\.com/"),
        chromium.profile(browser) as context,
        pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"),
    ):
        context.new_page().goto("https://shop.example.com/")
