"""Writes every event about an order to S3 as an analytics record.

Environment variables: ANALYTICS_BUCKET, FAILURE_QUEUE_URL and RECEIVED_AT_MOST. The last two have the values of the
redrive policy of the analytics queue.
Event: a batch of messages of the analytics queue. The body of a message is {"event_id", "detail_type", "order"}.
The S3 key of a record is orders/dt=YYYY-MM-DD/{event_id}.json, with "_" in place of the ":" of the event id.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from record_analytics import analytics_record
from shared import aws
from shared.telemetry import count_event, logger, metrics, tracer

if TYPE_CHECKING:
    import logging

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

s3: S3Client = aws.client("s3", read_timeout_s=3)
sqs: SQSClient = aws.client("sqs")
BUCKET: Final = os.environ["ANALYTICS_BUCKET"]
FAILURE_QUEUE_URL: Final = os.environ["FAILURE_QUEUE_URL"]
RECEIVED_AT_MOST: Final = int(os.environ["RECEIVED_AT_MOST"])
LONGEST_MESSAGE: Final = 1024
# Powertools' processor for FIFO queues is unsuitable: after one failed message, it reports all later messages of the
# batch as failed too. Valid messages could then reach the failure queue together with an invalid one. This processor
# does not stop at a failed message. Records may then be written out of order, which is harmless, because they are
# independent.
processor = BatchProcessor(EventType.SQS, logger=cast("logging.Logger", logger))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Write the analytics records of a batch of messages. Return the messages that SQS must deliver again."""
    return process_partial_response(event=event, record_handler=keep_or_set_aside, processor=processor, context=context)


def keep_or_set_aside(record: SQSRecord) -> None:
    """Write the analytics record of a message, or send the message to the failure queue with the reason.

    An invalid message, or a message after its last attempt, goes to the failure queue. A failed message must not block
    the queue: all messages are in one FIFO group, and SQS delivers no other message of a group while one waits for a
    retry. Raises the AWS error if a later attempt may succeed.
    """
    # Until `keep` sets it, the correlation id is still that of the previous message. Without this reset, log lines of
    # this message could show the previous message's order.
    logger.set_correlation_id(None)
    try:
        keep(record)
    except (ClientError, BotoCoreError) as error:
        if int(record.attributes.approximate_receive_count) < RECEIVED_AT_MOST:
            raise
        _set_aside(record, error)
    except Exception as error:  # noqa: BLE001 - one invalid message must not block the others
        _set_aside(record, error)


def keep(message: SQSRecord) -> None:
    """Write the analytics record of a message, unless an earlier delivery of the message has written it."""
    record = analytics_record.parse(message.body)
    order = record["order"]
    logger.set_correlation_id(order["order_id"])
    try:
        s3.put_object(
            Bucket=BUCKET,
            Key=analytics_record.object_key(record),
            Body=analytics_record.object_body(record),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if aws.error_code(error) != "PreconditionFailed":
            raise
        logger.info("event was already recorded", event_id=record["event_id"])
        return
    count_event("OrderAnalysed")
    logger.info("event recorded", event_id=record["event_id"], status=order["status"])


def _set_aside(message: SQSRecord, error: Exception) -> None:
    """Send the unchanged message to the failure queue, with the error in the attributes that EventBridge also uses.

    Each message gets its own FIFO group, so that a reader of the failure queue receives all messages. If Lambda's
    response is lost, this function sends the message again, and SQS drops the duplicate within five minutes.
    """
    code = aws.error_code(error) if isinstance(error, ClientError) else type(error).__name__
    logger.exception("message set aside", message_id=message.message_id, code=code)
    count_event("MessageSetAside")
    attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": str(error)[:LONGEST_MESSAGE] or "-"}
    sqs.send_message(
        QueueUrl=FAILURE_QUEUE_URL,
        MessageBody=message.body,
        MessageGroupId=message.message_id,
        MessageDeduplicationId=message.message_id,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
