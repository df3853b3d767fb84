"""When everything that was put on the bus has been dealt with."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.journeys.patience import WITHIN_S, Watcher
from tests.journeys.stack import Stack
from tests.proof.repeated_events.state import depth, failures, rows

_PAUSE_S: Final = 0.15
_AT_WORK: Final = 100
_CONSUMERS: Final = ("send_email", "process_order")


@dataclass(frozen=True)
class Settling:
    """Counts what was handled since it was made."""

    stack: Stack
    bus: str
    """URL of a queue that gets every event of the bus."""
    handled: dict[str, list[str]]
    """Consumer -> URLs of queues that are told of each event that it handled, and of each that it failed on."""
    before: dict[str, int]
    """URL -> how many messages the queue had before."""

    def events(self) -> list[dict[str, Any]]:
        """Return the events that came over the bus, duplicates included, in their sequence."""
        return [json.loads(each["Body"]) for each in self.stack.queued(self.bus)[self.before[self.bus] :]]

    def wait(self, events: int) -> None:
        """Wait until as many events came over the bus, and nothing is left to do with any of them."""
        ends = time.monotonic() + WITHIN_S
        while left := self._left(events):
            assert time.monotonic() < ends, f"not within {WITHIN_S:.0f} s: {left}\n{failures(self.stack)[-3:]}"
            time.sleep(_PAUSE_S)

    def wait_for_room(self) -> None:
        """Wait until not much is at work: an account's functions are executed 1,000 times at once at most."""
        ends = time.monotonic() + WITHIN_S
        while self._came([self.bus]) - self._came(self.handled["send_email"]) + len(self._running()) > _AT_WORK:
            assert time.monotonic() < ends, f"not within {WITHIN_S:.0f} s: events are handled"
            time.sleep(_PAUSE_S)

    def decided(self, orders: Collection[str]) -> None:
        """Wait until none of the orders (ids) is PENDING."""
        ends = time.monotonic() + WITHIN_S
        while pending := [
            row
            for row in rows(self.stack, "orders")
            if row["order_id"]["S"] in orders and row["status"]["S"] == "PENDING"
        ]:
            assert time.monotonic() < ends, f"{len(pending)} orders are PENDING, e.g. {pending[0]}"
            time.sleep(_PAUSE_S)

    def _left(self, events: int) -> str:
        """Return what is still to be done, at first what is cheap to see."""
        came = self._came([self.bus])
        if came != events:
            return f"{came} of {events} events came over the bus"
        if left := depth(self.stack, self.stack.ops["failureQueues"]["analytics-dlq"]["redriveTo"]):
            return f"{left} messages are in the analytics queue"
        if running := self._running():
            return f"{len(running)} executions are running"
        given = Counter(event["detail-type"] for event in self.events())
        wanted = {"send_email": given.total(), "process_order": given["OrderCreated"]}
        handled = {consumer: self._came(urls) for consumer, urls in self.handled.items()}
        return "" if handled == wanted else f"handled are {handled} of {wanted}"

    def _running(self) -> list[Any]:
        machine = self.stack.ops["stateMachines"]["standard"]
        found = self.stack.aws("stepfunctions", "list_executions", stateMachineArn=machine, statusFilter="RUNNING")
        return found["executions"]

    def _came(self, urls: Collection[str]) -> int:
        return sum(depth(self.stack, url) - self.before[url] for url in urls)


@contextmanager
def settling(stack: Stack, watcher: Watcher) -> Generator[Settling]:
    """Count from now on."""
    with ExitStack() as until_then:
        handled = {
            consumer: [
                until_then.enter_context(_successes(stack, consumer)),
                stack.ops["failureQueues"][f"{consumer.replace('_', '-')}-failures"]["url"],
            ]
            for consumer in _CONSUMERS
        }
        urls = [watcher.events_queue, *(url for urls in handled.values() for url in urls)]
        yield Settling(stack, watcher.events_queue, handled, {url: depth(stack, url) for url in urls})


@contextmanager
def _successes(stack: Stack, consumer: str) -> Generator[str]:
    """Make a queue that is told of each event that a consumer handled; give its URL."""
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
