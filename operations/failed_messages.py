"""Reads messages from the failure queues, and redrives each message in the way that its kind of queue requires."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from contracts.queues import analytics_record, message_group

# These message attributes contain the reason for a failure. EventBridge and this project's functions write ERROR_CODE
# and ERROR_MESSAGE. Lambda writes ErrorMessage when it sends an event to a dead-letter queue.
_REASONS: Final = ("ERROR_CODE", "ERROR_MESSAGE", "ErrorMessage")
_NO_REASON: Final = {
    "queue": "received too often: the function that consumes the queue ended without a response; see its log"
}
_LONGEST_REASON: Final = 200
_OF_A_STREAM: Final = ("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber")
_BATCH: Final = 10
_HIDDEN_S: Final = 60
_EMPTY_PAGES: Final = 50


class NotRedriven(Exception):
    """A message could not be redriven and stays in its queue. The error says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class FailureQueue:
    """One entry of the stack output `ops.failureQueues`."""

    name: str
    url: str
    kind: str
    """Kind of the queue: delivery, invocation, dead-letter, stream or queue. The glossary describes each kind."""
    redrive_to: str
    """Target of a redrive: the ARN of a function's alias, or the URL of a queue."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message from a failure queue."""

    queue: FailureQueue
    message_id: str
    receipt_handle: str
    body: str
    sent_at_s: float
    attributes: Mapping[str, str]

    @property
    def request_id(self) -> str:
        """Return the id of the failed invocation.

        If Lambda sends an event both to an on-failure destination and to a dead-letter queue, the two messages contain
        the same id.
        """
        if self.queue.kind == "invocation":
            return str(part(self._json(), "requestContext", "requestId") or "")
        return self.attributes.get("RequestID", "")

    @property
    def reason(self) -> str:
        """Return the reason for the failure, as far as the message contains it."""
        if self.queue.kind == "invocation":
            error = part(self._json(), "responsePayload", "errorType") or "error"
            return f"{error}: {part(self._json(), 'responsePayload', 'errorMessage') or ''}".strip()[:_LONGEST_REASON]
        if self.queue.kind == "stream" and self.sequence_numbers[0]:
            return str(part(self._json(), "requestContext", "condition") or "retries exhausted")
        named = [self.attributes[name] for name in _REASONS if self.attributes.get(name)]
        return ": ".join(named)[:_LONGEST_REASON] or _NO_REASON.get(self.queue.kind, "no reason given")

    @property
    def sequence_numbers(self) -> tuple[str, str]:
        """Return the sequence numbers of the first and the last stream record in Lambda's report about failed records.

        If the message is not a report of this kind, return two empty texts.
        """
        found = [part(self._json(), "DDBStreamBatchInfo", f"{end}SequenceNumber") for end in ("start", "end")]
        first, last = (number if isinstance(number, str) and number.isdecimal() else "" for number in found)
        return (first, last) if first and last else ("", "")

    @property
    def records(self) -> list[Any]:
        """Return the stream records that the message contains. The outbox relay could not publish these records."""
        found = self._json().get("Records")
        return cast("list[Any]", found) if isinstance(found, list) else []

    @property
    def subject(self) -> str:
        """Return a short description of the message: the event id, the stream records, or the message id."""
        body = self._json()
        if first := self.sequence_numbers[0]:
            return f"{part(body, 'DDBStreamBatchInfo', 'batchSize')} record(s) from sequence number {first}"
        if records := self.records:
            return f"stream record {part(records[0], 'dynamodb', 'SequenceNumber')}"
        for keys in ((), ("detail",), ("requestPayload", "detail"), ("requestPayload",)):
            if event_id := part(body, *keys, "event_id"):
                return str(event_id)
        return self.message_id

    def _json(self) -> dict[str, Any]:
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return cast("dict[str, Any]", body) if isinstance(body, dict) else {}

    @property
    def content(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises NotRedriven for any other body."""
        body = self._json()
        if not body:
            raise NotRedriven("its body is not a JSON object; read the message in the SQS console, and delete it there")
        return body


def messages(sqs: Any, queue: FailureQueue, *, until_s: float, hidden: dict[str, Message]) -> Iterator[Message]:
    """Yield the messages that were sent to `queue` before `until_s` (Unix seconds).

    SQS hides each received message from other readers for a minute. This function adds every received message to
    `hidden` under its id. With `hidden`, the caller can make a message visible before the minute is over.
    """
    later = list[Message]()
    while True:
        received = sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            break
        batch = [_message(queue, raw) for raw in received]
        hidden.update({message.message_id: message for message in batch})
        for message in batch:
            if message.sent_at_s <= until_s:
                yield message
            else:
                later.append(message)
    # These messages failed again during this redrive. `release` makes a message visible again, and SQS could then
    # deliver it immediately. The messages are therefore released only after the loop. Otherwise, the loop might never
    # end.
    for message in later:
        release(sqs, message)


def _message(queue: FailureQueue, raw: Mapping[str, Any]) -> Message:
    return Message(
        queue=queue,
        message_id=raw["MessageId"],
        receipt_handle=raw["ReceiptHandle"],
        body=raw["Body"],
        sent_at_s=float(raw["Attributes"]["SentTimestamp"]) / 1000,
        attributes={k: v.get("StringValue", "") for k, v in raw.get("MessageAttributes", {}).items()},
    )


def part(of: object, *keys: str) -> Any:
    """Return the value that the nested keys `keys` lead to in the JSON value `of`, or None if a key is missing."""
    for key in keys:
        of = cast("dict[str, object]", of).get(key) if isinstance(of, dict) else None
    return of


def hidden_behind(sqs: Any, queue: FailureQueue) -> int:
    """Return the approximate number of messages that SQS holds back in a FIFO queue.

    While a reader has received some messages of a message group, SQS holds back the group's other messages.
    """
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=[name])["Attributes"][name])


def release(sqs: Any, message: Message) -> None:
    """Make `message` visible to other readers of its queue again."""
    sqs.change_message_visibility(QueueUrl=message.queue.url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=0)


def delete(sqs: Any, message: Message) -> None:
    """Delete `message` from its queue."""
    sqs.delete_message(QueueUrl=message.queue.url, ReceiptHandle=message.receipt_handle)


@dataclass(frozen=True, kw_only=True)
class Redriver:
    """Redrives messages. Each field is a client of the AWS SDK."""

    sqs: Any
    functions: Any
    """Client of Lambda."""
    streams: Any
    """Client of DynamoDB Streams."""

    def send_back(self, message: Message) -> str:
        """Send `message` back to where it failed, and return a text that says what was done.

        Raises NotRedriven, and errors of the AWS SDK.
        """
        kind, target = message.queue.kind, message.queue.redrive_to
        if kind == "stream":
            return self._replay_stream(message, target)
        if kind == "queue" or not target.startswith("arn:aws:lambda:"):
            return self._enqueue(message)
        body = message.content
        payload = body.get("requestPayload") if kind == "invocation" else body
        if payload is None:
            raise NotRedriven("it contains no event; read the message in the SQS console, and delete it there")
        self.functions.invoke(FunctionName=target, InvocationType="Event", Payload=json.dumps(payload).encode())
        return "sent back: function invoked"

    def _enqueue(self, message: Message) -> str:
        target, body = message.queue.redrive_to, message.content
        # In release 0.1.0, send_email had no queue, and Lambda sent the envelope of each failed invocation to the
        # failure queue. If the message is such an envelope, send only the event in it.
        failed = body.get("requestPayload")
        body = cast("dict[str, Any]", failed) if isinstance(failed, dict) else body
        if not target.endswith(".fifo"):
            self.sqs.send_message(QueueUrl=target, MessageBody=json.dumps(body))
            return "sent back to its queue"
        # EventBridge's input transformer changes each event before the FIFO queue receives it. If EventBridge could not
        # deliver an event, the failed message contains the original event. In this case, apply the same transformation
        # here.
        if "detail" in body:
            body = analytics_record(body)
        self.sqs.send_message(
            QueueUrl=target,
            MessageBody=json.dumps(body),
            MessageGroupId=message_group(str(body.get("event_id"))),
            # The deduplication id is the id of the failed message, not the id of the event. With the id of the event,
            # SQS would drop the message as a duplicate if the event was first sent less than five minutes ago.
            MessageDeduplicationId=message.message_id,
        )
        return "sent back to its queue"

    def _replay_stream(self, message: Message, target: str) -> str:
        """Invoke the function `target` with the stream records of `message`.

        The message contains either the records themselves or Lambda's report with their positions in the stream.
        """
        records = message.records or list(self._records_in_report(message.content))
        answer = self.functions.invoke(
            FunctionName=target,
            InvocationType="RequestResponse",
            Payload=json.dumps({"Records": records}, default=_epoch).encode(),
        )
        result = cast("dict[str, Any]", json.loads(answer["Payload"].read() or b"null") or {})
        if answer.get("FunctionError") or result.get("batchItemFailures"):
            raise NotRedriven(
                f"it failed again: {json.dumps(result)[:200]}; fix the function, then run make redrive again"
            )
        return f"sent back {len(records)} stream record(s)"

    def _records_in_report(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the stream records whose positions are in `body`, Lambda's report about failed records.

        Raises NotRedriven.
        """
        if keys := body.get("keys"):
            raise NotRedriven(
                f"its record was too long for SQS; correct or delete the row {json.dumps(keys)} of the orders table, "
                "then delete the message in the SQS console"
            )
        batch: Any = body.get("DDBStreamBatchInfo")
        if not all(isinstance(part(body, "DDBStreamBatchInfo", name), str) for name in _OF_A_STREAM):
            raise NotRedriven(
                "it contains no position in a stream; read the message in the SQS console, and delete it there"
            )
        yield from self._records(batch)

    def _records(self, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the stream records of `batch`. Raises NotRedriven if the stream does not return all of them."""
        last, empty = int(batch["endSequenceNumber"]), 0
        try:
            iterator = self.streams.get_shard_iterator(
                StreamArn=batch["streamArn"],
                ShardId=batch["shardId"],
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=batch["startSequenceNumber"],
            )["ShardIterator"]
            # GetRecords can return empty pages although later pages contain records, and the pages of an open shard
            # never end. The loop therefore stops after a number of empty pages.
            while iterator and empty < _EMPTY_PAGES:
                page = self.streams.get_records(ShardIterator=iterator)
                for record in page["Records"]:
                    number = int(record["dynamodb"]["SequenceNumber"])
                    if number <= last:
                        yield {**record, "eventSourceARN": batch["streamArn"], "eventSource": "aws:dynamodb"}
                    if number >= last:
                        return
                empty += not page["Records"]
                iterator = page.get("NextShardIterator")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in (
                "TrimmedDataAccessException",
                "ResourceNotFoundException",
            ):
                raise NotRedriven(
                    "its stream records are gone, because DynamoDB stores them for 24 hours; replay the events of that "
                    "time from the archive of the bus, or read the orders of that time in the table, then delete the "
                    "message"
                ) from error
            raise
        raise NotRedriven("the stream did not return all records of the message; run make redrive again")


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"type {type(value).__name__}: cannot be converted to JSON")
