"""Sends stream records for which no event can ever be published to the failure queue, each with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared import aws
from shared.telemetry import count_event, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

StreamRecord = Mapping[str, Any]
"""A record of a DynamoDB stream, as Lambda passes it to a function."""
SetAside = Callable[[StreamRecord, Exception], None]
"""A function that stores a record and the reason why no event can be published for it. Raises errors of AWS calls."""

_TOO_LONG: Final = ("InvalidParameterValue", "InvalidParameterValueException")
"""Error codes of SQS for a message that is longer than the queue allows."""
_LONGEST_REASON: Final = 1024


def sequence_number(record: StreamRecord) -> str:
    """Return the sequence number of `record`, which is its position in its shard of the stream."""
    return record["dynamodb"]["SequenceNumber"]


def set_aside_in(client: SQSClient, *, queue_url: str) -> SetAside:
    """Return a function that sends a stream record to the queue at `queue_url`.

    The reason is in the message attributes ERROR_CODE and ERROR_MESSAGE. EventBridge uses the same attributes in its
    dead-letter queues.

    The message body has the format of a stream event, with only this record. `make redrive` invokes the outbox relay
    with the body. The body contains the record, so a redrive works even after 24 h, when the stream has deleted it.
    """

    def set_aside(record: StreamRecord, reason: Exception) -> None:
        code = aws.error_code(reason) if isinstance(reason, ClientError) else type(reason).__name__
        attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": _printable(str(reason))}

        def send(body: Mapping[str, Any]) -> None:
            client.send_message(
                QueueUrl=queue_url,
                MessageBody=json.dumps(body),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )

        try:
            send({"Records": [record]})
        except ClientError as error:
            if aws.error_code(error) not in _TOO_LONG:
                raise
            # A record contains up to two images of 400 KB each, so it can be too long for SQS. For such a record, send
            # only the key of the row. An operator can read the row in the table.
            send({"tooLongFor": "SQS", "keys": record["dynamodb"].get("Keys")})
        number = sequence_number(record)
        logger.error("record set aside", sequence_number=number, code=code, exc_info=reason)
        count_event("MessageSetAside")

    return set_aside


def _printable(text: str) -> str:
    """Return `text` in a form that SQS accepts as an attribute: without control characters, short, and not empty."""
    return "".join(char if char.isprintable() else " " for char in text)[:_LONGEST_REASON].strip() or "-"
