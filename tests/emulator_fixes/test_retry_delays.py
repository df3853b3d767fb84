from __future__ import annotations

import random
from typing import Any

import pytest

from emulator_fixes import retry_delays
from tests.local.cloud import Cloud, allow

FAILING = "def handle(event, context): raise ValueError('no')"
LONGEST_S = 60
"""Longest delay in seconds that the emulator without the correction uses before a retry."""


def delays(retrier: dict[str, Any], attempts: int) -> list[float]:
    """Return the delays in seconds before the first `attempts` retries of a task with the retrier `retrier`."""

    def found(*_: Any) -> tuple[dict[str, Any], int]:
        return retrier, 0

    given = [retry_delays.find_matching_retrier(found, [retrier], "ValueError", {0: n})[0] for n in range(attempts)]
    assert {each["BackoffRate"] for each in given} == {1}
    return [each["IntervalSeconds"] for each in given]


def test_retry_delay_stops_growing_at_its_maximum() -> None:
    assert delays({"IntervalSeconds": 1, "BackoffRate": 3, "MaxDelaySeconds": 5}, 4) == [1, 3, 5, 5]


def test_retry_delay_without_a_maximum_keeps_growing() -> None:
    assert delays({"IntervalSeconds": 1, "BackoffRate": 3}, 4) == [1, 3, 9, 27]


def test_full_jitter_randomizes_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", iter([0.0, 0.25, 0.5]).__next__)

    assert delays({"IntervalSeconds": 8, "BackoffRate": 1, "JitterStrategy": "FULL"}, 3) == [0, 2, 4]


def test_workflow_waits_at_most_the_maximum_delay_before_a_retry(cloud: Cloud) -> None:
    retry = {"ErrorEquals": ["ValueError"], "IntervalSeconds": LONGEST_S, "MaxDelaySeconds": 1, "MaxAttempts": 1}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": cloud.function(FAILING)},
        "Retry": [retry],
        "End": True,
    }
    ended = cloud.run(cloud.machine({"Task": task}, allow("lambda:InvokeFunction")))

    assert ended["error"] == "ValueError"
    history = cloud("stepfunctions", "get_execution_history", executionArn=ended["executionArn"])["events"]
    failed, repeated = (
        next(event["timestamp"] for event in events if event["type"] == kind)
        for events, kind in ((history, "TaskFailed"), (history[::-1], "TaskScheduled"))
    )
    assert 1 <= (repeated - failed).total_seconds() < LONGEST_S
