"""`GET /_ministack/at-work` counts the work that is still running in the background.

The response counts events of asynchronous invocations, running executions, unread stream records, and messages in
queues that a function consumes. Tests and `make order` poll this path until the work is done, instead of waiting for a
fixed time.

Emulator: The emulator has no API call that reports which work is still running in the background.
AWS: AWS has no such call either, but CloudWatch metrics show this work a few minutes later.
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
Upstream: request as a feature.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any

from emulator_fixes import internal, replaces
from emulator_fixes.async_invocation import unfinished
from emulator_fixes.stream_mapping import unread
from local.emulator import AT_WORK

_lambda: Any = internal("services.lambda_svc")
_sqs: Any = internal("services.sqs")
_states: Any = internal("services.stepfunctions")


@replaces("app._handle_ses_messages_request", "b76364875fb9")
async def answer(original: Any, method: str, path: str, *arguments: Any) -> Any:
    """Respond with the counts as JSON: {"records", "messages", "events", "executions"}."""
    if path != AT_WORK:
        return await original(method, path, *arguments)
    # Count twice, because one count can miss work: an execution can write stream records after the records are counted,
    # and end before the executions are counted. The second count finds these records.
    first, second = (contextvars.copy_context().run(_counts) for _ in range(2))
    counts = {name: max(number, second[name]) for name, number in first.items()}
    return 200, {"Content-Type": "application/json"}, json.dumps(counts).encode()


def _counts() -> dict[str, int]:
    mappings = list(_lambda._iter_all_esms())
    # Count in the order in which work moves through the platform: records, messages, events, executions. If work moves
    # on during the count, its next place has not been counted yet, so the work is not missed.
    return {
        "records": sum(unread(*found) for found in mappings),
        "messages": sum(_waiting(*found) for found in mappings),
        "events": unfinished(),
        "executions": sum(each["status"] == "RUNNING" for each in list(_states._executions._data.values())),
    }


def _waiting(account: str, region: str, mapping: Any) -> int:
    """Return the number of messages in the queue of an event source mapping, including those being processed."""
    arn: str = mapping.get("EventSourceArn", "")
    if ":sqs:" not in arn or not mapping.get("Enabled", True):
        return 0
    _lambda._request_account_id.set(account)
    _lambda._request_region.set(region)
    queue = _sqs._queue_by_arn(arn)
    return len(queue["messages"]) if queue else 0
