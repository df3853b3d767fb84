"""Reads a stack's failure queues, and runs `make redrive` on them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from operations import redrive as command
from tests.journeys.patience import Watcher
from tests.journeys.stack import Stack
from tests.proof.aws_faults.checks import SUBJECTS

ANALYTICS: Final = "analytics-dlq"
STREAM: Final = "publish-order-events-stream"


@dataclass
class FailureQueues:
    """All failure queues of a stack, and the messages that arrived since the start of the test."""

    stack: Stack
    watcher: Watcher
    capsys: pytest.CaptureFixture[str]
    poison: int = 0
    """Number of messages that the test expected and found in failure queues."""
    met: set[str] = field(default_factory=set[str])
    """Names of the queues in which the test has found messages."""
    _before: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self._before = {name: len(self.messages(name)) for name in self.names}

    @property
    def names(self) -> list[str]:
        """The names of all failure queues of the stack."""
        return sorted(self.stack.ops["failureQueues"])

    def of_kind(self, *kinds: str) -> list[str]:
        """Return the names of all failure queues of the kinds `kinds`, for example `stream`."""
        return [name for name in self.names if self.stack.ops["failureQueues"][name]["kind"] in kinds]

    def messages(self, name: str) -> list[dict[str, Any]]:
        """Return the messages of a queue without receiving them, so they stay visible to consumers."""
        return self.stack.queued(self.stack.ops["failureQueues"][name]["url"])

    def waiting(self, name: str, number: int = 1, about: Collection[str] = ()) -> list[dict[str, Any]]:
        """Wait until at least `number` new messages are in a queue, and return these messages.

        If `about` is given, only messages whose body contains one of the texts in `about` count.
        """

        def look() -> list[dict[str, Any]]:
            new = self.messages(name)[self._before[name] :]
            found = [each for each in new if not about or any(text in each["Body"] for text in about)]
            return found if len(found) >= number else []

        found = self.watcher.until(look, f"at least {number} messages in {name}")
        self.met.add(name)
        self.poison += number
        return found

    def redrive(self, *names: str, stay: int = 0, dry_run: bool = False) -> str:
        """Run `make redrive` on the queues `names`, and return its output.

        Fail unless the command reports that `stay` messages stayed in the queues.
        """
        queues = {name: self.stack.ops["failureQueues"][name] for name in names}
        outputs = {**self.stack.outputs, "ops": {**self.stack.ops, "failureQueues": queues}}
        self.capsys.readouterr()
        kept = command.redrive(outputs, dry_run=dry_run)
        said = self.capsys.readouterr().out
        assert kept == stay, said
        return said

    def empty(self) -> None:
        """Delete the messages that arrived during the test. Older messages belong to other tests."""
        for name in self.names:
            url = self.stack.ops["failureQueues"][name]["url"]
            new = {each["MessageId"] for each in self.messages(name)[self._before[name] :]}
            while new:
                answer = self.stack.aws(
                    "sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=5
                )
                for each in answer.get("Messages", []):
                    if each["MessageId"] in new:
                        self.stack.aws("sqs", "delete_message", QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                new &= {each["MessageId"] for each in self.messages(name)}


def are_mailed_once(stack: Stack, address: str, order_ids: Collection[str]) -> bool:
    """Return whether the confirmation of each order was emailed to `address`, and no email was sent twice.

    The email about the receipt of an order is optional, because `send_email` leaves it out if the order is already
    confirmed.
    """
    mails = [(mail["Subject"], mail["BodyText"]) for mail in stack.mails(address)]
    confirmed = [text for subject, text in mails if subject == SUBJECTS["CONFIRMED"]]
    is_complete = all(any(order_id in text for text in confirmed) for order_id in order_ids)
    return is_complete and len(set(mails)) == len(mails)


def attribute(message: dict[str, Any], name: str) -> str:
    """Return the text of the message attribute `name`, or an empty string if the message doesn't have the attribute."""
    return message.get("MessageAttributes", {}).get(name, {}).get("StringValue", "")


def send(stack: Stack, bodies: Collection[str]) -> None:
    """Send messages with these bodies to the analytics queue, all in one message group."""
    url = stack.ops["failureQueues"][ANALYTICS]["redriveTo"]
    for body in bodies:
        stack.aws(
            "sqs",
            "send_message",
            QueueUrl=url,
            MessageBody=body,
            MessageGroupId="orders",
            MessageDeduplicationId=str(uuid.uuid4()),
        )


def put(stack: Stack, *events: tuple[str, Any]) -> None:
    """Put events on the bus, each given as (detail type, detail)."""
    bus = stack.ops["eventBus"]["name"]
    for detail_type, detail in events:
        entry = {"EventBusName": bus, "Source": "orders.api", "DetailType": detail_type, "Detail": json.dumps(detail)}
        assert stack.aws("events", "put_events", Entries=[entry])["FailedEntryCount"] == 0
