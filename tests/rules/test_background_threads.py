"""Tests that no thread of the test runner calls `time.sleep`.

Other tests replace this function for the whole process, so a call by such a thread would reach the replacement.
"""

from __future__ import annotations

import threading

import pytest


def test_no_thread_of_the_test_runner_calls_time_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    # A thread of each pytest-xdist worker checks every 0.5 s whether its controller still runs (tests/conftest.py), so
    # it checks twice during this wait.
    threading.Event().wait(1.2)
    assert slept == []
