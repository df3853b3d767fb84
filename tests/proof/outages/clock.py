"""Shortens the platform's long waits, with changes that an operator can make on the deployed stack."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from tests.journeys.stack import Stack
from tests.proof.repeated_events.broken import broken

_AGAIN_S: Final = 5
"""Seconds after which SQS delivers a failed message again: the visibility timeout of the queues before functions."""
_WINDOW_S: Final = 2
"""Longest time in seconds for which Lambda collects stream records for one batch."""
_SWEEP_EVERY_S: Final = 3.0
_SWEEP: Final = "restart_late_orders"
# With this handler, the sweep restarts the workflow of orders that are at least 5 s old. Normally, it leaves out orders
# that are younger than a minute, because their first execution is probably still running.
_SWEEPS_YOUNG_ORDERS: Final = """
    as_it_was.MINIMUM_AGE = as_it_was.timedelta(seconds=5)
    return as_it_was.lambda_handler(event, context)
"""


@contextmanager
def hurried(stack: Stack) -> Generator[None]:
    """Shorten the waits of queues, streams and the sweep until the context ends."""
    _shorten_waits(stack)
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(_SWEEP_EVERY_S):
            # Invoke the sweep as its schedule does, but every few seconds instead of every few minutes.
            stack.aws("lambda", "invoke", FunctionName=stack.ops["functions"][_SWEEP], InvocationType="Event")

    with broken(stack, _SWEEP, _SWEEPS_YOUNG_ORDERS):
        clock = threading.Thread(target=sweep)
        clock.start()
        try:
            yield
        finally:
            ended.set()
            clock.join()


def _shorten_waits(stack: Stack) -> None:
    mappings: list[dict[str, Any]] = stack.aws("lambda", "list_event_source_mappings")["EventSourceMappings"]
    for mapping in mappings:
        if mapping.get("MaximumBatchingWindowInSeconds", 0) > _WINDOW_S:
            stack.aws(
                "lambda",
                "update_event_source_mapping",
                UUID=mapping["UUID"],
                MaximumBatchingWindowInSeconds=_WINDOW_S,
            )
        _, _, service, _, _, name = mapping["EventSourceArn"].split(":", 5)
        if service == "sqs":
            url = stack.aws("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
            visible = {"VisibilityTimeout": str(_AGAIN_S)}
            stack.aws("sqs", "set_queue_attributes", QueueUrl=url, Attributes=visible)
