"""Delivers events in the same way as the stream, the bus and the queue do, but twice and in random order."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from contracts.queues import message_group
from tests.journeys.stack import Stack

T = TypeVar("T")
_STREAM_BATCH: Final = 50
_BUS_BATCH: Final = 10
_QUEUE_BATCH: Final = 10
_AT_ONCE: Final = 2
SOURCE: Final = "orders.api"


@dataclass
class Deliverer:
    """Delivers events, and counts the deliveries. A stream record that causes no event doesn't count."""

    stack: Stack
    chance: random.Random
    wait_for_room: Callable[[], None]
    """Waits until the platform has few unprocessed events."""
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """All records of the orders table's stream that were read so far."""
    delivered: dict[str, int] = field(default_factory=lambda: {"stream": 0, "bus": 0, "queue": 0})
    _iterator: str = ""

    def __post_init__(self) -> None:
        arn = self.stack.aws("dynamodb", "describe_table", TableName=self.stack.ops["tables"]["orders"])["Table"]
        stream = arn["LatestStreamArn"]
        (shard,) = self._streams("describe_stream", StreamArn=stream)["StreamDescription"]["Shards"]
        self._iterator = self._streams(
            "get_shard_iterator", StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]
        self._stream = stream

    def read(self) -> list[dict[str, Any]]:
        """Return all new stream records, in the form in which Lambda passes them to a function."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._streams("get_records", ShardIterator=self._iterator)
            self._iterator = page["NextShardIterator"]
            found += [
                {**each, "eventSourceARN": self._stream, "eventSource": "aws:dynamodb"} for each in page["Records"]
            ]
            if not page["Records"]:
                self.records += found
                return found

    def by_stream(self, records: Sequence[dict[str, Any]]) -> None:
        """Invoke `publish_order_events` with the records: each record twice, in random order."""
        alias = self.stack.ops["functions"]["publish_order_events"]

        def give(batch: list[dict[str, Any]]) -> None:
            self.wait_for_room()
            payload = json.dumps({"Records": batch}, default=_epoch)
            answer = self.stack.aws("lambda", "invoke", FunctionName=alias, Payload=payload)
            assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}

        shuffled = self._shuffled([*records, *records])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(give, _batches(shuffled, _STREAM_BATCH)))
        # Count only records in which the status changed, because the relay publishes events only for them. On a slow
        # machine, the records also contain changes by `mark_late_orders`, which does not change the status.
        self.delivered["stream"] += sum(_changes_status(each) for each in shuffled)

    def by_bus(self, events: Sequence[dict[str, Any]]) -> None:
        """Put published events on the bus again: each event once, in random order."""
        shuffled = self._shuffled(events)

        for batch in _batches(shuffled, _BUS_BATCH):
            self.wait_for_room()
            answer = self.stack.aws("events", "put_events", Entries=[self._entry(event) for event in batch])
            assert answer["FailedEntryCount"] == 0
        self.delivered["bus"] += len(shuffled)

    def by_queue(self, events: Sequence[dict[str, Any]]) -> None:
        """Send the events to the analytics queue in random order, in the format in which EventBridge sends them.

        Each message has a new deduplication id, as if SQS's deduplication interval had passed.
        """
        url = self.stack.ops["failureQueues"]["analytics-dlq"]["redriveTo"]
        for batch in _batches(self._shuffled(events), _QUEUE_BATCH):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": json.dumps({**event["detail"], "detail_type": event["detail-type"]}),
                    "MessageGroupId": message_group(event["detail"]["event_id"]),
                    "MessageDeduplicationId": str(uuid.uuid4()),
                }
                for number, event in enumerate(batch)
            ]
            answer = self.stack.aws("sqs", "send_message_batch", QueueUrl=url, Entries=entries)
            assert not answer.get("Failed")
            self.delivered["queue"] += len(batch)

    def _entry(self, event: dict[str, Any]) -> dict[str, Any]:
        return {
            "EventBusName": self.stack.ops["eventBus"]["name"],
            "Source": SOURCE,
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
        }

    def _shuffled(self, things: Iterable[T]) -> list[T]:
        found = list(things)
        self.chance.shuffle(found)
        return found

    def _streams(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.stack.aws("dynamodbstreams", operation, **parameters)


@contextmanager
def held(stack: Stack, source: str) -> Generator[str]:
    """Disable the event source mapping of the function `source` until the context ends.

    Afterwards, the function receives the withheld events in order. Yield the UUID of the mapping. If the function also
    reads a dead-letter queue, the mapping of that queue stays enabled.
    """
    failure_queues = {each["url"].rpartition("/")[2] for each in stack.ops["failureQueues"].values()}
    found = stack.aws("lambda", "list_event_source_mappings", FunctionName=stack.ops["functions"][source])
    (mapping,) = [
        each for each in found["EventSourceMappings"] if each["EventSourceArn"].rpartition(":")[2] not in failure_queues
    ]
    stack.aws("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=False)
    try:
        yield mapping["UUID"]
    finally:
        stack.aws("lambda", "update_event_source_mapping", UUID=mapping["UUID"], Enabled=True)


def _changes_status(record: dict[str, Any]) -> bool:
    change = record["dynamodb"]
    return change["NewImage"]["status"] != change.get("OldImage", {}).get("status")


def _batches[T](things: Sequence[T], size: int) -> Iterable[list[T]]:
    return (list(things[start : start + size]) for start in range(0, len(things), size))


def _epoch(value: object) -> float:
    assert isinstance(value, datetime)
    return value.timestamp()
