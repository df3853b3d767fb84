"""Waits until the platform has processed all events on the bus."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from contracts.orders import DETAIL_TYPES
from tests.journeys.patience import WITHIN_S, Watcher
from tests.journeys.stack import Stack
from tests.proof.repeated_events.state import depth, failures, rows

_PAUSE_S: Final = 0.15
_AT_WORK: Final = 100
# EventBridge invokes this function directly. No queue in front of it shows how many events still wait for the function,
# so `Settling` counts the events that the function has processed.
_CONSUMER: Final = "process_order"
_QUEUES: Final = ("analytics-dlq", "send-email-failures")
"""Failure queues of the functions that have a queue in front of them."""


@dataclass(frozen=True)
class Settling:
    """Counts events that were processed since this object was created."""

    stack: Stack
    bus: str
    """URL of a queue that receives every event on the bus."""
    handled: list[str]
    """URLs of two queues, one for events that `process_order` processed and one for events that it failed to process.
    """
    before: dict[str, int]
    """Number of messages in each queue at the start, by URL."""

    def events(self) -> list[dict[str, Any]]:
        """Return all events on the bus since the start, including duplicates, in the order of their arrival."""
        return [json.loads(each["Body"]) for each in self.stack.queued(self.bus)[self.before[self.bus] :]]

    def wait(self, events: int) -> None:
        """Wait until `events` events have been published since the start, and all of them are processed."""
        ends = time.monotonic() + WITHIN_S
        while left := self._left(events):
            assert time.monotonic() < ends, f"after {WITHIN_S:.0f} s: {left}\n{failures(self.stack)[-3:]}"
            time.sleep(_PAUSE_S)

    def wait_for_room(self) -> None:
        """Wait until few events are unprocessed. With too many concurrent events, Lambda would throttle functions."""
        ends = time.monotonic() + WITHIN_S
        while self._waiting() + len(self._running()) > _AT_WORK:
            assert time.monotonic() < ends, f"events not processed within {WITHIN_S:.0f} s"
            time.sleep(_PAUSE_S)

    def decided(self, orders: Collection[str]) -> None:
        """Wait until none of the orders with these ids is PENDING."""
        ends = time.monotonic() + WITHIN_S
        while pending := [
            row
            for row in rows(self.stack, "orders")
            if row["order_id"]["S"] in orders and row["status"]["S"] == "PENDING"
        ]:
            assert time.monotonic() < ends, f"{len(pending)} orders are still PENDING, for example {pending[0]}"
            time.sleep(_PAUSE_S)

    def _left(self, events: int) -> str:
        """Return a text about unfinished work, or an empty string if there is none. The fastest checks run first."""
        came = self._came([self.bus])
        if came != events:
            return f"{came} of {events} events were published on the bus"
        if waiting := self._waiting():
            return f"{waiting} messages are in the queues in front of functions"
        if running := self._running():
            return f"{len(running)} executions are running"
        wanted = sum(event["detail-type"] == DETAIL_TYPES["PENDING"] for event in self.events())
        handled = self._came(self.handled)
        return "" if handled == wanted else f"{_CONSUMER} handled {handled} of {wanted} events"

    def _waiting(self) -> int:
        """Return the number of messages in the queues in front of functions."""
        queues = self.stack.ops["failureQueues"]
        return sum(depth(self.stack, queues[name]["redriveTo"]) for name in _QUEUES)

    def _running(self) -> list[Any]:
        machine = self.stack.ops["stateMachines"]["standard"]
        found = self.stack.aws("stepfunctions", "list_executions", stateMachineArn=machine, statusFilter="RUNNING")
        return found["executions"]

    def _came(self, urls: Collection[str]) -> int:
        return sum(depth(self.stack, url) - self.before[url] for url in urls)


@contextmanager
def settling(stack: Stack, watcher: Watcher) -> Generator[Settling]:
    """Start counting processed events, and yield the counter."""
    with ExitStack() as until_then:
        handled = [
            until_then.enter_context(_successes(stack, _CONSUMER)),
            stack.ops["failureQueues"][f"{_CONSUMER.replace('_', '-')}-failures"]["url"],
        ]
        urls = [watcher.events_queue, *handled]
        yield Settling(stack, watcher.events_queue, handled, {url: depth(stack, url) for url in urls})


@contextmanager
def _successes(stack: Stack, consumer: str) -> Generator[str]:
    """Yield the URL of a new queue that receives a message for each event that the function `consumer` processed."""
    name = f"handled-by-{consumer}"
    arn = stack.aws.arn("sqs", name)
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    url = stack.aws("sqs", "create_queue", QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    wanted = {"requestContext": {"functionArn": [stack.ops["functions"][consumer]]}}
    subscription = stack.aws(
        "sns",
        "subscribe",
        TopicArn=stack.ops["topics"]["successes"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={
            "RawMessageDelivery": "true",
            "FilterPolicyScope": "MessageBody",
            "FilterPolicy": json.dumps(wanted),
        },
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    try:
        yield url
    finally:
        stack.aws("sns", "unsubscribe", SubscriptionArn=subscription)
        stack.aws("sqs", "delete_queue", QueueUrl=url)
