"""Keeps every event of an order as an object, for analysis.

Environment: ANALYTICS_BUCKET; FAILURE_QUEUE_URL and RECEIVED_AT_MOST of the queue's redrive policy. Event: batch of the
FIFO analytics queue. A message's body is {"event_id", "detail_type", "order"}; its object is
orders/dt=YYYY-MM-DD/{event_id, "_" for ":"}.json.
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
# Not the processor for FIFO queues, which fails what comes behind a failure: each event is an object of its own, so
# their sequence does not matter, and what fails as often as a poison message ends in the failure queue with it.
processor = BatchProcessor(EventType.SQS, logger=cast("logging.Logger", logger))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Record a batch; answer which messages must come again."""
    return process_partial_response(event=event, record_handler=keep_or_set_aside, processor=processor, context=context)


def keep_or_set_aside(record: SQSRecord) -> None:
    """Keep the record's event; if that can never be done, or was tried often enough, say why in the failure queue.

    While a message waits to be received again, SQS gives none of its group, and all events are of one group. Raises
    AWS's error if a later try may do it.
    """
    logger.set_correlation_id(None)  # not the message's before it
    try:
        keep(record)
    except (ClientError, BotoCoreError) as error:
        if int(record.attributes.approximate_receive_count) < RECEIVED_AT_MOST:
            raise
        _set_aside(record, error)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not hold up the others
        _set_aside(record, error)


def keep(message: SQSRecord) -> None:
    """Write the record's event, unless it was written before: the queue delivers at least once."""
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
        logger.info("event was recorded before", event_id=record["event_id"])
        return
    count_event("OrderAnalysed")
    logger.info("event recorded", event_id=record["event_id"], status=order["status"])


def _set_aside(message: SQSRecord, error: Exception) -> None:
    """Put the message into the failure queue as it is, with its error in attributes named as EventBridge names them.

    Its group is its own, so that a reader of the failure queue is given all of them. If it is set aside twice within
    five minutes, because the answer of this invocation was lost, SQS keeps one.
    """
    code = aws.error_code(error) if isinstance(error, ClientError) else type(error).__name__
    logger.exception("message set aside", message_id=message.message_id, code=code)
    attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": str(error)[:LONGEST_MESSAGE] or "-"}
    sqs.send_message(
        QueueUrl=FAILURE_QUEUE_URL,
        MessageBody=message.body,
        MessageGroupId=message.message_id,
        MessageDeduplicationId=message.message_id,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
