"""Handles failures of messages in an SQS queue: a message returns to the queue later, or goes to the failure queue."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from contracts.queues import pause_s
from shared import aws
from shared.telemetry import count_event, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageRequestTypeDef

_LONGEST_MESSAGE: Final = 1024


class MessageQueue:
    """The queue that a function consumes, and the queue's failure queue.

    If EventBridge cannot deliver an event to the function's queue, it sends the event to a dead-letter queue. The
    function consumes that dead-letter queue too.
    """

    def __init__(
        self,
        client: SQSClient,
        *,
        url: str,
        failure_queue_url: str,
        received_at_most: int,
        is_final: Callable[[Exception], bool],
    ) -> None:
        """Create the object for the queue at `url`. `received_at_most` is the queue's `maxReceiveCount`.

        `is_final` receives an error and returns whether every further delivery of the message would fail too.
        """
        self._client = client
        self._url = url
        self._failure_queue_url = failure_queue_url
        self._received_at_most = received_at_most
        self._is_final = is_final

    @classmethod
    def of_environment(cls, client: SQSClient, *, is_final: Callable[[Exception], bool]) -> Self:
        """Create the object from the environment variables QUEUE_URL, FAILURE_QUEUE_URL and RECEIVED_AT_MOST."""
        return cls(
            client,
            url=os.environ["QUEUE_URL"],
            failure_queue_url=os.environ["FAILURE_QUEUE_URL"],
            received_at_most=int(os.environ["RECEIVED_AT_MOST"]),
            is_final=is_final,
        )

    def send(self, body: str) -> None:
        """Send a message to the queue."""
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    @contextmanager
    def handling(self, message: SQSRecord) -> Generator[None]:
        """Decide what happens to `message` if the `with` block, which processes this message, raises an error.

        If the error is final (see `is_final`), or if the redrive policy allows no further delivery, send the message
        with the error to the failure queue, and suppress the error. In all other cases, or if the failure queue does
        not accept the message, delay the next delivery of the message and raise the error again.
        """
        try:
            yield
        except Exception as error:
            is_last = int(message.attributes.approximate_receive_count) >= self._received_at_most
            if not ((is_last or self._is_final(error)) and self._is_set_aside(message, error)):
                self._delay(message)
                raise

    def _is_set_aside(self, message: SQSRecord, error: Exception) -> bool:
        try:
            self._set_aside(message, error)
        except (ClientError, BotoCoreError):
            logger.warning("message not set aside", message_id=message.message_id, exc_info=True)
            return False
        return True

    def _set_aside(self, message: SQSRecord, error: Exception) -> None:
        """Send the unchanged message, with the error in two message attributes, to the failure queue.

        In a FIFO failure queue, each message gets its own message group, so that no message blocks the others. The
        message id is also the deduplication id. If SQS delivers a message twice, this method sends it twice. A FIFO
        failure queue drops a duplicate that arrives within five minutes.
        """
        code = aws.error_code(error) if isinstance(error, ClientError) else type(error).__name__
        logger.exception("message set aside", message_id=message.message_id, code=code)
        count_event("MessageSetAside")
        texts = {"ERROR_CODE": code, "ERROR_MESSAGE": str(error)[:_LONGEST_MESSAGE] or "-"}
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
        }
        request: SendMessageRequestTypeDef = {
            "QueueUrl": self._failure_queue_url,
            "MessageBody": message.body,
            "MessageAttributes": attributes,
        }
        if self._failure_queue_url.endswith(".fifo"):
            request["MessageGroupId"] = request["MessageDeduplicationId"] = message.message_id
        self._client.send_message(**request)

    def _url_of(self, message: SQSRecord) -> str:
        """Return the URL of the queue that delivered `message`: the function's queue or its dead-letter queue.

        The URLs of these queues differ only in the last part, the name of the queue.
        """
        return f"{self._url.rpartition('/')[0]}/{message.event_source_arn.rpartition(':')[2]}"

    def _delay(self, message: SQSRecord) -> None:
        """Shorten the time until the next delivery of `message`. The default is the visibility timeout of the queue.

        An error is only logged, because the message still returns after the visibility timeout.
        """
        pause = pause_s(int(message.attributes.approximate_receive_count), random.random())  # noqa: S311 - no secret
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url_of(message), ReceiptHandle=message.receipt_handle, VisibilityTimeout=pause
            )
        except (ClientError, BotoCoreError):
            logger.warning("message not delayed", message_id=message.message_id, exc_info=True)
