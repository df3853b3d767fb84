"""Step Functions writes execution logs to CloudWatch.

Emulator: The emulator stores the logging configuration of a state machine but writes no log.
AWS: Step Functions writes the events of an execution to the configured log group. The log level decides which events it
    writes.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
Upstream: request as a feature.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.workflow_stop import stopping

_states: Any = internal("services.stepfunctions")
_logs: Any = internal("services.cloudwatch_logs")
_FAILURES: Final = ("Failed", "Aborted", "TimedOut")
_ENDS: Final = ("ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
_DATA: Final = ("input", "output")
_NOTHING: Final[Mapping[str, Any]] = {}


@replaces("services.stepfunctions._add_event", "b1db143ccd21")
def add_event(original: Any, execution: dict[str, Any], kind: str, details: Any = None) -> Any:
    """Record an event in the execution's history and in its log, unless the execution or the branch has ended."""
    if not kind:
        # An empty `kind` means that the execution has started. The history already contains this event, so only the log
        # needs it.
        event = details
    else:
        ended = execution["status"] != "RUNNING" and not kind.startswith("Execution")
        stop = stopping.get()
        if ended or (stop is not None and stop.is_set() and not kind.startswith("Execution")):
            return None
        event = original(execution, kind, details)
        event["previousEventId"] = event["id"] - 1
    _deliver(execution, event)
    return event


def _deliver(execution: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    machine = _states._state_machines.get(execution["stateMachineArn"])
    config = nested(machine, "loggingConfiguration")
    destinations = nested(config, "destinations")
    if not destinations or not _wanted(config["level"], event["type"]):
        return
    group = destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"].partition(":log-group:")[2].removesuffix(":*")
    if group not in _logs._log_groups:
        return
    mark = hashlib.sha256(execution["executionArn"].encode()).hexdigest()[:8]
    stream = f"states/{machine['name']}/{execution['startDate'][:13].replace('T', '-')}/{mark}"
    _logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    line = json.dumps(_line(execution, event, with_data=bool(config.get("includeExecutionData"))))
    written = [{"timestamp": int(time.time() * 1000), "message": line}]
    _logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": written})


def _wanted(level: str, kind: str) -> bool:
    if level == "ERROR":
        return any(word in kind for word in _FAILURES)
    return level == "ALL" or (level == "FATAL" and kind in _ENDS)


def _line(execution: Mapping[str, Any], event: Mapping[str, Any], *, with_data: bool) -> dict[str, Any]:
    details: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith("Details")), _NOTHING)
    at = datetime.fromisoformat(str(event["timestamp"])).astimezone(UTC)
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {key: value for key, value in details.items() if with_data or key not in _DATA},
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(int(at.timestamp() * 1000)),
        "execution_arn": execution["executionArn"],
        "redrive_count": "0",
    }
