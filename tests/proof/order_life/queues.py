"""Everything in transit between the functions: the stream, the bus, the analytics queue and the failure queues.

Nothing moves until the test delivers it. The queues give the same guarantees as AWS: the stream delivers the records of
each order in sequence and at least once. The bus delivers in any order and at least once. The analytics queue delivers
one batch at a time, as if all its messages were in one group.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from contracts.queues import RECEIVED_AT_MOST
from tests.fakes.messages import batch
from tests.proof.order_life.activities import Activity
from tests.proof.order_life.functions import Clock
from tests.proof.order_life.history import Json

_TRIES: Final = 3
"""Attempts of an asynchronous invocation: Lambda's first attempt and two retries."""
_RETRY_S: Final = 60


Record = Json
"""A record of the stream."""


@dataclass(eq=False)
class Delivery:
    """An event on its way to a function."""

    target: str
    event: Json
    tries: int = 0
    due_s: float = 0


@dataclass(eq=False)
class Message:
    """A message of the analytics queue."""

    body: str
    message_id: str
    received: int = 0


class Host(Protocol):
    """The part of the platform that the queues use: it runs invocations."""

    clock: Clock

    def invocation(self, name: str, event: Any) -> Activity: ...
    def begin(self, activity: Activity, *, at_once: bool) -> None: ...
    def pass_time(self, seconds: float) -> None: ...


class Queues:
    """All events, messages and records that wait for delivery."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.unpublished: list[Json] = []
        """Records of the stream that are not yet published."""
        self.deliveries: list[Delivery] = []
        self.bus: list[Json] = []
        """Every event that was ever on the bus."""
        self.queue: list[Message] = []
        self.failures: list[Delivery | Message] = []
        """The contents of all failure queues."""
        self._publishing: set[str] = set()
        self._consuming = False
        self._bodies: dict[str, float] = {}
        self._messages = 0

    @property
    def is_empty(self) -> bool:
        return not (self.unpublished or self.deliveries or self.queue or self.failures)

    def put(self, event: Json) -> None:
        """Put an event on the bus."""
        self.bus.append(event)
        self.route(event)

    def route(self, event: Json) -> None:
        """Add one delivery for each target of the event."""
        if event["detail-type"] == "OrderCreated":
            self.deliveries.append(Delivery("process_order", event))
        self.deliveries.append(Delivery("send_email", event))
        self.deliveries.append(Delivery("analytics", event))

    def waiting(self) -> list[Callable[[bool], None]]:
        """Return a callable for each delivery that is possible now.

        Each callable delivers either stream records, messages of the analytics queue, or one event.
        """
        batches: list[Callable[[bool], None]] = [
            *(partial(self.relay, most) for most in (1, 4) if self.unpublished),
            *(partial(self.consume, most) for most in (1, 3) if self.queue and not self._consuming),
        ]
        due = [each for each in self.deliveries if each.due_s <= self._host.clock.now_s]
        # `deliver` moves the clock forward to the time of a retry. Activities that are still running could then exceed
        # their time limits. Choose a retry that is not due yet only if nothing else can be delivered.
        found = due if batches or due else self.deliveries
        return [*batches, *(partial(self.deliver, delivery) for delivery in found)]

    def deliver(self, delivery: Delivery, at_once: bool) -> None:
        """Deliver an event to its target. Before a retry, let time pass until the retry is due."""
        self.deliveries.remove(delivery)
        if delivery.target == "analytics":
            self._enqueue(delivery.event)
            return
        if delivery.due_s > self._host.clock.now_s:
            self._host.pass_time(delivery.due_s - self._host.clock.now_s)
        event = batch(delivery.event) if delivery.target == "send_email" else delivery.event
        activity = self._host.invocation(delivery.target, event)
        activity.about = delivery
        activity.at_end.append(lambda ended: self._delivered(delivery, ended))
        self._host.begin(activity, at_once=at_once)

    def _delivered(self, delivery: Delivery, activity: Activity) -> None:
        # An invocation of send_email can end without an error, and report failed messages in a partial batch response.
        # SQS delivers these messages again.
        again = delivery.target == "send_email" and activity.error is None and activity.value["batchItemFailures"]
        if activity.error is None and not again:
            return
        delivery.tries += 1
        delivery.due_s = self._host.clock.now_s + _RETRY_S * delivery.tries
        (self.failures if delivery.tries >= _TRIES else self.deliveries).append(delivery)

    def set_aside(self, body: str, message_id: str) -> None:
        """Record a message that `record_analytics` sent to its failure queue."""
        self.failures.append(Message(body, message_id))

    def _enqueue(self, event: Json) -> None:
        fact = {"event_id": event["detail"]["event_id"], "detail_type": event["detail-type"]}
        body = json.dumps(fact | {"order": event["detail"]["order"]})
        if self._bodies.get(body, -1e9) > self._host.clock.now_s - 300:
            return  # SQS drops a message if it received a message with the same content in the last five minutes.
        self._bodies[body] = self._host.clock.now_s
        self._messages += 1
        self.queue.append(Message(body, f"message-{self._messages}"))

    def relay(self, most: int, at_once: bool) -> None:
        """Deliver up to `most` stream records to `publish_order_events`. Records of the same order stay in sequence."""
        batch = [each for each in self.unpublished if _key(each) not in self._publishing][:most]
        if not batch:
            return
        keys = {_key(each) for each in batch}
        self._publishing |= keys
        self.unpublished = [each for each in self.unpublished if each not in batch]
        activity = self._host.invocation("publish_order_events", {"Records": batch})
        activity.at_end.append(lambda ended: self._relayed(batch, keys, ended))
        self._host.begin(activity, at_once=at_once)

    def _relayed(self, batch: list[Json], keys: set[str], activity: Activity) -> None:
        self._publishing -= keys
        failed = batch
        if activity.error is None:
            failures: list[Json] = activity.value["batchItemFailures"]
            firsts = [int(each["itemIdentifier"]) for each in failures]
            failed = [each for each in batch if firsts and _number(each) >= min(firsts)]
        # Failed records stay in `unpublished`, because Lambda retries them until they expire after 24 hours.
        self.unpublished += failed
        self.unpublished.sort(key=_number)

    def consume(self, most: int, at_once: bool) -> None:
        """Deliver up to `most` messages to `record_analytics`, unless it is still processing an earlier batch."""
        if self._consuming or not self.queue:
            return
        self._consuming = True
        batch = self.queue[:most]
        for message in batch:
            message.received += 1
        activity = self._host.invocation("record_analytics", {"Records": [_sqs_record(each) for each in batch]})
        activity.at_end.append(lambda ended: self._consumed(batch, ended))
        self._host.begin(activity, at_once=at_once)

    def _consumed(self, batch: list[Message], activity: Activity) -> None:
        self._consuming = False
        if activity.error is None:
            again = {each["itemIdentifier"] for each in activity.value["batchItemFailures"]}
        else:
            again = {message.message_id for message in batch}
        rest = [message for message in self.queue if message not in batch]
        kept = [message for message in batch if message.message_id in again]
        dead = [message for message in kept if message.received >= RECEIVED_AT_MOST]
        self.failures += dead
        self.queue = [message for message in kept if message not in dead] + rest

    def redrive(self) -> None:
        """Send everything in the failure queues back to the function or queue where it failed."""
        failures, self.failures = self.failures, []
        for failure in failures:
            if isinstance(failure, Delivery):
                self.deliveries.append(Delivery(failure.target, failure.event))
            else:
                self.queue.append(Message(failure.body, failure.message_id))


def _sqs_record(message: Message) -> Json:
    return {
        "messageId": message.message_id,
        "receiptHandle": message.message_id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.received), "MessageGroupId": "orders"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-northeast-1:123456789012:analytics.fifo",
    }


def _key(record: Json) -> str:
    return record["dynamodb"]["Keys"]["order_id"]["S"]


def _number(record: Json) -> int:
    return int(record["dynamodb"]["SequenceNumber"])
