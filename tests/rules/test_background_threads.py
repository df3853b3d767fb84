"""Tests that no thread of the test runner calls `time.sleep`.

Other tests replace `time.sleep` for the whole process, and would otherwise also intercept the calls of these threads.
"""

from __future__ import annotations

import threading

import pytest


def test_no_thread_of_the_test_runner_calls_time_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    # In each pytest-xdist worker, a thread checks every 0.5 s whether the controller still runs (tests/conftest.py).
    # The wait is long enough for two of these checks.
    threading.Event().wait(1.2)
    assert slept == []
