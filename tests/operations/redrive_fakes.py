"""In-memory fakes of SQS, Lambda, CloudWatch Logs and DynamoDB Streams, with the calls that a redrive makes."""

from __future__ import annotations

import io
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.faults import Faults

_MOST_RECEIVED = 10
_LONGEST_LOOP = 200
"""Highest number of receive_message calls. More calls fail the test, because the redrive would never end."""


@dataclass
class Kept:
    """A message in a fake queue."""

    number: int
    body: str
    attributes: dict[str, str]
    sent_at_s: float
    hidden: bool = False

    def received(self) -> dict[str, Any]:
        return {
            "MessageId": f"message-{self.number}",
            "ReceiptHandle": f"receipt-{self.number}",
            "Body": self.body,
            "Attributes": {"SentTimestamp": str(int(self.sent_at_s * 1000))},
            "MessageAttributes": {k: {"DataType": "String", "StringValue": v} for k, v in self.attributes.items()},
        }


class FakeSqs:
    """A fake of SQS. `queues` is {URL: messages}, and `fifo` contains the URLs of the FIFO queues.

    A received message stays hidden until its visibility timeout is set to 0. All messages of a FIFO queue belong to one
    message group. Like SQS, the fake returns no other message of this group while one is hidden.
    """

    def __init__(self, *fifo: str) -> None:
        self.fifo = frozenset(fifo)
        self.faults = Faults("sqs")
        self.queues: defaultdict[str, list[Kept]] = defaultdict(list)
        self._sent = 0

    def put(self, url: str, body: Any, *, sent_at_s: float | None = None, **attributes: str) -> str:
        """Put a message into the queue with the URL `url`, as another AWS service would. Return the message's id."""
        self._sent += 1
        text = body if isinstance(body, str) else json.dumps(body)
        at = time.time() - 60 if sent_at_s is None else sent_at_s
        self.queues[url].append(Kept(self._sent, text, attributes, at))
        return f"message-{self._sent}"

    def visible(self, url: str) -> list[str]:
        """Return the bodies of the messages in the queue `url` that are not hidden."""
        return [kept.body for kept in self.queues[url] if not kept.hidden]

    def receive_message(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("receive_message", arguments, lambda: self._receive(arguments))

    def _receive(self, arguments: dict[str, Any]) -> dict[str, Any]:
        assert len(self.faults.of("receive_message")) < _LONGEST_LOOP, "receive_message is called endlessly"
        url = arguments["QueueUrl"]
        found = [kept for kept in self.queues[url] if not kept.hidden]
        if url in self.fifo and len(found) < len(self.queues[url]):
            return {}
        found = found[: min(arguments["MaxNumberOfMessages"], _MOST_RECEIVED)]
        for kept in found:
            kept.hidden = True
        return {"Messages": [kept.received() for kept in found]} if found else {}

    def get_queue_attributes(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["AttributeNames"] == ["ApproximateNumberOfMessages"]
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.visible(arguments["QueueUrl"])))}}

    def change_message_visibility(self, **arguments: Any) -> None:
        def carry_out() -> None:
            assert arguments["VisibilityTimeout"] == 0
            self._find(arguments).hidden = False

        self.faults.run("change_message_visibility", arguments, carry_out)

    def delete_message(self, **arguments: Any) -> None:
        kept = self._find(arguments)
        self.faults.run("delete_message", arguments, lambda: self.queues[arguments["QueueUrl"]].remove(kept))

    def send_message(self, **arguments: Any) -> None:
        self.faults.run("send_message", arguments, lambda: self.put(arguments["QueueUrl"], arguments["MessageBody"]))

    def _find(self, arguments: dict[str, Any]) -> Kept:
        return next(
            kept
            for kept in self.queues[arguments["QueueUrl"]]
            if f"receipt-{kept.number}" == arguments["ReceiptHandle"]
        )


class FakeLambda:
    """A fake of Lambda that records invocations.

    A synchronous invocation returns the payload `answer`. If `error` is not empty, `error` is the FunctionError.
    """

    def __init__(self) -> None:
        self.faults = Faults("lambda")
        self.answer: Any = {"batchItemFailures": []}
        self.error = ""

    @property
    def invocations(self) -> list[tuple[str, str, Any]]:
        """Function ARN, invocation type and event of each invocation."""
        return [
            (call["FunctionName"], call["InvocationType"], json.loads(call["Payload"]))
            for call in self.faults.of("invoke")
        ]

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        def carry_out() -> dict[str, Any]:
            if arguments["InvocationType"] == "Event":
                return {"StatusCode": 202, "Payload": io.BytesIO(b"")}
            error = {"FunctionError": self.error} if self.error else {}
            return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(self.answer).encode()), **error}

        return self.faults.run("invoke", arguments, carry_out)


class FakeLogs:
    """A fake of CloudWatch Logs. `lines` is {log group: lines}.

    The fake supports only filter patterns that consist of one quoted text. The first page of each result is empty,
    because AWS can return an empty page although more pages follow.
    """

    def __init__(self) -> None:
        self.faults = Faults("logs")
        self.lines: defaultdict[str, list[str]] = defaultdict(list)

    def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
        def carry_out() -> dict[str, Any]:
            if "nextToken" not in arguments:
                return {"events": [], "nextToken": "next"}
            wanted = json.loads(arguments["filterPattern"])
            return {"events": [{"message": line} for line in self.lines[arguments["logGroupName"]] if wanted in line]}

        return self.faults.run("filter_log_events", arguments, carry_out)


@dataclass
class FakeStream:
    """A fake of a DynamoDB stream with one shard.

    `pages` are the lists of records that successive GetRecords calls return. A shard iterator is the number of a page.
    As on AWS, a page can be empty although more pages follow. If the shard is `closed`, the response for its last page
    contains no next iterator.
    """

    pages: list[list[dict[str, Any]]]
    closed: bool = False
    faults: Faults = field(default_factory=lambda: Faults("dynamodbstreams"))

    def get_shard_iterator(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["ShardIteratorType"] == "AT_SEQUENCE_NUMBER"
        return self.faults.run("get_shard_iterator", arguments, lambda: {"ShardIterator": "0"})

    def get_records(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("get_records", arguments, lambda: self._page(arguments))

    def _page(self, arguments: dict[str, Any]) -> dict[str, Any]:
        number = int(arguments["ShardIterator"])
        records = self.pages[number] if number < len(self.pages) else []
        ended = self.closed and number + 1 >= len(self.pages)
        return {"Records": records} | ({} if ended else {"NextShardIterator": str(number + 1)})
