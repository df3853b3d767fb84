"""An event source mapping of a queue receives and deletes messages only as the function's role allows.

Without permission to receive, the messages stay in the queue and their receive counts do not grow. Without permission
to delete, the messages return after their visibility timeout.

Emulator: The emulator receives and deletes messages without checking the function's role. If the function's reserved
    concurrency is 0, the emulator does not poll the queue.
AWS: Lambda polls the queue with the function's execution role, which needs sqs:ReceiveMessage and sqs:DeleteMessage.
    Lambda also receives messages for a throttled function. These messages return to the queue after their visibility
    timeout.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
Upstream: request as a feature.
"""

from __future__ import annotations

import contextvars
import logging
import time
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import role_may

_LOG: Final = logging.getLogger("local.queue_mapping")
_sqs: Any = internal("services.sqs")
_deletes_as: contextvars.ContextVar[tuple[str, str, str]] = contextvars.ContextVar("queue_mapping_deletes_as")
"""The function's name and role, and the queue's ARN, while a batch of messages is processed."""
_refused: Final[set[str]] = set()
"""Mappings whose last poll the role did not allow. The log reports such a mapping once, and not at each poll."""


@replaces("services.lambda_svc._sqs_esm_concurrency", "d3e9d1e865aa")
def pollers(original: Any, mapping: Any, function: Any, config: Any, queue: Any = None) -> int:
    """Return how many batches may be processed concurrently: 0 if the role does not allow receiving messages.

    For a function with a reserved concurrency of 0, the number is 1, because Lambda also receives messages for such a
    function. Lambda throttles the invocation, and the messages return to the queue.
    """
    number = max(1, original(mapping, function, config, queue))
    now = time.time()
    if not any(message.get("visible_at", 0) <= now for message in nested(queue, "messages") or ()):
        return number  # There is no message to receive, so the role's permissions do not matter.
    identity: str = mapping["UUID"]
    if _may(config, "sqs:ReceiveMessage", mapping["EventSourceArn"], silent=identity in _refused):
        _refused.discard(identity)
        return number
    _refused.add(identity)
    return 0


@replaces("services.lambda_svc._run_sqs_batch", "f9bf630aabf3")
def run_batch(original: Any, mapping: Any, function: Any, *arguments: Any) -> None:
    """Invoke the function for a batch, and delete the processed messages with the function's role."""
    config = nested(function, "config") or function
    token = _deletes_as.set((config["FunctionName"], config["Role"], mapping["EventSourceArn"]))
    try:
        original(mapping, function, *arguments)
    finally:
        _deletes_as.reset(token)


@replaces("services.sqs._delete_messages_for_esm", "c1686f29b48b")
def delete_messages(original: Any, queue_url: str, receipt_handles: set[str]) -> None:
    """Delete processed messages if the function's role allows it."""
    name, role, queue = _deletes_as.get()
    if _may({"FunctionName": name, "Role": role}, "sqs:DeleteMessage", queue):
        original(queue_url, receipt_handles)


def _may(config: Any, action: str, queue: str, *, silent: bool = False) -> bool:
    if role_may(config["Role"], action, queue):
        return True
    if not silent:
        _LOG.error("%s: the execution role does not allow %s on %s", config["FunctionName"], action, queue)
    return False
