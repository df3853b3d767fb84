"""Sends messages to the emulator's queues and topics, as AWS services do, and counts Lambda's metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from emulator_fixes import internal

_sqs: Any = internal("services.sqs")
_sns: Any = internal("services.sns")
_metrics: Any = internal("services.cloudwatch")


class DeliveryError(Exception):
    """A target did not accept a message. `code` is AWS's error code, and `message` explains the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def to_queue(arn: str, body: str, attributes: Mapping[str, str] | None = None, group: str | None = None) -> None:
    """Send `body` and `attributes` to the queue `arn`, in the message group `group`.

    Raises DeliveryError if the queue does not exist or does not accept the message.
    """
    queue = _sqs._queue_by_arn(arn)
    if queue is None:
        raise DeliveryError("NO_RESOURCE", f"the queue {arn} does not exist")
    named = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    request = {"MessageBody": body, "MessageAttributes": named, "MessageGroupId": group}
    url = _sqs._queue_url(arn.rpartition(":")[2])
    try:
        _sqs._act_send_message({**request, "QueueUrl": url}, url)
    except _sqs._Err as error:
        raise DeliveryError("SDK_CLIENT_ERROR", str(error.message)) from None


def to_topic(arn: str, body: str, attributes: Mapping[str, str] | None = None) -> None:
    """Publish `body` and `attributes` to the topic `arn`. Raises DeliveryError if the topic does not exist."""
    named = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    if arn not in _sns._topics:
        raise DeliveryError("NO_RESOURCE", f"the topic {arn} does not exist")
    _sns._fanout(arn, internal("core.responses").new_uuid(), body, "", "", named)


def to_destination(arn: str, body: Any) -> None:
    """Send the invocation record `body` to the queue or topic `arn`.

    Raises DeliveryError if `arn` is not the ARN of an existing queue or topic, or if the queue refuses the record.
    """
    text, service = json.dumps(body, default=str), arn.split(":")[2]
    if service == "sqs":
        to_queue(arn, text)
    elif service == "sns":
        to_topic(arn, text)
    else:
        raise DeliveryError("NOT_SUPPORTED", f"destination {arn}: got service {service}; allowed: sqs, sns")


def timestamp() -> str:
    """Return the current time in the format of AWS's invocation records."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def count(metric: str, function: str) -> None:
    """Add 1 to Lambda's metric `metric` of the function `function`."""
    _metrics.record_metric("AWS/Lambda", metric, 1, "Count", {"FunctionName": function})
