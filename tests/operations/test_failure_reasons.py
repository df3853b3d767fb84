"""Tests that `make redrive DRY_RUN=1` prints why each message failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.operations.redrive_world import EVENT, FIRST, RELAY_LOG, World, stream_report


@pytest.mark.parametrize(
    ("queue", "attributes", "reason"),
    [
        (
            "analytics-dlq",
            {},
            "received too often: the function that consumes the queue ended without a response; see its log",
        ),
        (
            "analytics-dlq",
            {"ERROR_CODE": "ValidationError", "ERROR_MESSAGE": "detail.order: lacks properties"},
            "ValidationError: detail.order: lacks properties",
        ),
        (
            "process-order-delivery",
            {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "the policy does not let the rule"},
            "NO_PERMISSIONS: the policy does not let the rule",
        ),
        (
            "fail-order-dlq",
            {"ErrorMessage": "mail: SES answered MessageRejected"},
            "mail: SES answered MessageRejected",
        ),
        ("fail-order-dlq", {}, "no reason given"),
    ],
)
def test_dry_run_prints_the_reason_that_the_message_contains(
    world: World, capsys: pytest.CaptureFixture[str], queue: str, attributes: Mapping[str, Any], reason: str
) -> None:
    world.sqs.put(queue, EVENT, **attributes)
    world.redrive(dry_run=True)
    assert f"{queue}: o-1:PENDING ({reason}" in capsys.readouterr().out


def failed_on(number: int) -> str:
    """Return the log line that the outbox relay writes if the stream record with sequence number `number` fails."""
    trace = 'Traceback (most recent call last):\n  File "relay.py"\nshared.errors.ValidationError: detail: no items'
    return json.dumps({"level": "ERROR", "sequence_number": str(number), "exception": trace})


def test_reasons_of_failed_stream_records_come_from_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    refused = json.dumps({"sequence_numbers": [str(FIRST + 2), str(FIRST + 8)], "codes": ["ThrottlingException"]})
    world.logs.lines[RELAY_LOG] = [failed_on(FIRST + 7), "START sequence_number", failed_on(FIRST), refused]
    world.redrive(dry_run=True)
    why = f"{FIRST}: shared.errors.ValidationError: detail: no items; {FIRST + 2}: ['ThrottlingException']"
    assert f"3 record(s) from sequence number {FIRST} (RetryAttemptsExhausted: {why})" in capsys.readouterr().out


def test_dry_run_says_if_the_log_has_no_reason_or_is_unreadable(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.sqs.put("publish-order-events-stream", stream_report())
    world.redrive(dry_run=True)
    assert (
        f"(RetryAttemptsExhausted; search for sequence_number {FIRST} in log group {RELAY_LOG})"
        in capsys.readouterr().out
    )
    world.logs.faults.refuse("filter_log_events", "AccessDeniedException")
    world.redrive(dry_run=True)
    assert f"{RELAY_LOG}: could not be read: " in capsys.readouterr().out
