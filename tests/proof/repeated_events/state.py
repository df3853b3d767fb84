"""A snapshot of all results of events in a stack: rows, objects, emails, executions and messages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from tests.journeys.stack import Stack

_TECHNICAL: Final = ("idempotency",)
"""Tables without business data: their rows change with each delivery."""
_OF_THE_BODY: Final = "request_hash"
"""An attribute that differs between otherwise equal orders: the hash of the request body, with the product's id."""
_ORDER: Final = re.compile(r"^Order ([0-9a-f-]{36})$", re.MULTILINE)
Row = dict[str, Any]


@dataclass(frozen=True)
class State:
    """The state of all orders, in the formats of DynamoDB, S3, SES and SQS."""

    tables: dict[str, list[Row]]
    """Rows by table."""
    objects: dict[str, tuple[str, str]]
    """Hash and time of each analytics object, by key."""
    contents: dict[str, str]
    """Text of each analytics object, by key."""
    mails: list[tuple[str, str]]
    """Subject and text of each email to the customer."""
    executions: dict[str, str]
    """Status of each STANDARD execution, by name."""
    notified: list[str]
    """Order id of each message on the notification topic."""
    failed: list[str]
    """Failure queue and body of each failed message."""

    @staticmethod
    def of(stack: Stack, address: str, notifications: str) -> State:
        """Take a snapshot.

        `address` is the customer's email address. `notifications` is the URL of a queue that receives the messages of
        the notification topic.
        """
        objects = _objects(stack)
        bucket = stack.ops["analyticsBucket"]
        return State(
            tables={name: rows(stack, name) for name in stack.ops["tables"] if name not in _TECHNICAL},
            objects=objects,
            contents={
                key: stack.aws("s3", "get_object", Bucket=bucket, Key=key)["Body"].read().decode() for key in objects
            },
            mails=sorted((mail["Subject"], mail["BodyText"]) for mail in stack.mails(address)),
            executions=_executions(stack),
            # Use an empty string if a message has no order id. Earlier tests can have published such messages to this
            # topic.
            notified=sorted(json.loads(each["Body"]).get("order_id", "") for each in stack.queued(notifications)),
            failed=failures(stack),
        )

    @property
    def things(self) -> list[tuple[str, str]]:
        """Return all data in the snapshot that belongs to orders, as pairs of order id and text."""
        return [
            *((row["order_id"]["S"], json.dumps(_public(row), sort_keys=True)) for row in self.tables["orders"]),
            *((json.loads(text)["order"]["order_id"], f"{key} {text}") for key, text in self.contents.items()),
            *((_ordered(text), f"{subject}: {text}") for subject, text in self.mails),
            *((name, f"execution {status}") for name, status in self.executions.items()),
            *((order_id, "notified") for order_id in self.notified),
        ]


def rows(stack: Stack, table: str) -> list[Row]:
    """Return all rows of a table, sorted."""
    found: list[Row] = []
    start: Any = None
    while True:
        name = stack.ops["tables"][table]
        page = stack.aws("dynamodb", "scan", TableName=name, ConsistentRead=True, ExclusiveStartKey=start)
        found += page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return sorted(found, key=json.dumps)


def failures(stack: Stack) -> list[str]:
    """Return all messages in failure queues, each with the queue's name."""
    return sorted(
        f"{name}: {each['Body']}"
        for name, queue in stack.ops["failureQueues"].items()
        for each in stack.queued(queue["url"])
    )


def depth(stack: Stack, url: str) -> int:
    """Return the number of messages in a queue, including messages that are being processed."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    found = stack.aws("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _objects(stack: Stack) -> dict[str, tuple[str, str]]:
    pages = stack.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.ops["analyticsBucket"])
    return {
        each["Key"]: (each["ETag"], each["LastModified"].isoformat())
        for page in pages
        for each in page.get("Contents", [])
    }


def _executions(stack: Stack) -> dict[str, str]:
    pages = (
        stack.aws.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=stack.ops["stateMachines"]["standard"])
    )
    found = [(each["name"], each["status"]) for page in pages for each in page["executions"]]
    assert len(dict(found)) == len(found), "two executions have the same name"
    return dict(found)


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != _OF_THE_BODY}


def _ordered(mail: str) -> str:
    found = _ORDER.search(mail)
    assert found, f"no order id in this email: {mail}"
    return found[1]
