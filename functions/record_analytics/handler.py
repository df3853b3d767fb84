"""Writes every event about an order to S3 as an analytics record.

Environment variables: ANALYTICS_BUCKET, and those of shared.message_queue.
Event: a batch of messages of one of two queues. In the analytics queue, the body of a message is {"event_id",
"detail_type", "order"}. In the dead-letter queue `analytics-delivery`, the body is the whole EventBridge event.
The S3 key of a record is orders/dt=YYYY-MM-DD/{event_id}.json, with "_" in place of the ":" of the event id.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
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
from record_analytics.analytics_record import AnalyticsRecord
from shared import aws
from shared.errors import ValidationError
from shared.message_queue import MessageQueue
from shared.telemetry import count_event, logger, metrics, traced_threads, tracer

if TYPE_CHECKING:
    import logging

    from mypy_boto3_s3 import S3Client

s3: S3Client = aws.client("s3", read_timeout_s=3)
BUCKET: Final = os.environ["ANALYTICS_BUCKET"]
# This processor continues after a failed message. Powertools' processor for FIFO queues would stop there, and report
# all later messages of the batch as failed too. If one message failed repeatedly, valid messages could therefore reach
# the failure queue too. Records are independent, so the function can write them in any order.
processor = BatchProcessor(EventType.SQS, logger=cast("logging.Logger", logger))
# An error of an AWS call is not final: SQS delivers the message again, and a later attempt can succeed. Every other
# error is final: its cause is the message itself, so it would occur again at every delivery.
queue = MessageQueue.of_environment(
    aws.client("sqs"), is_final=lambda error: not isinstance(error, (ClientError, BotoCoreError))
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Write the analytics records of a batch of messages. Return the messages that SQS must deliver again."""
    parsed = {message["messageId"]: _parsed(message["body"]) for message in event["Records"]}
    # Writing an object takes some tens of milliseconds, in which the function only waits for S3. The objects of a batch
    # are therefore written in parallel.
    with traced_threads(len(parsed)) as threads:
        writes = {
            message_id: threads.submit(_write, found)
            for message_id, found in parsed.items()
            if not isinstance(found, Exception)
        }
    return process_partial_response(
        event=event,
        record_handler=partial(conclude, parsed=parsed, writes=writes),
        processor=processor,
        context=context,
    )


def _parsed(body: str) -> AnalyticsRecord | ValidationError:
    """Return the analytics record in a message, or the error if the message is invalid."""
    try:
        return analytics_record.parse(body)
    except ValidationError as error:
        return error


def _write(record: AnalyticsRecord) -> bool:
    """Write the S3 object of a record. Return False if an earlier delivery of the event has written the object."""
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
        return False
    return True


def conclude(
    record: SQSRecord,
    *,
    parsed: Mapping[str, AnalyticsRecord | ValidationError],
    writes: Mapping[str, Future[bool]],
) -> None:
    """Log and count the result for one message. Raises the AWS error if a later delivery may succeed.

    Both mappings have message ids as keys. `parsed` contains the parsed records or their errors. `writes` contains the
    pending writes to S3. `record` is the message. Powertools requires this parameter name.
    """
    # Remove the order id of the previous message from the logger. Otherwise, log lines of this message could show that
    # id.
    logger.set_correlation_id(None)
    with queue.handling(record):
        found = parsed[record.message_id]
        if isinstance(found, ValidationError):
            raise found
        logger.set_correlation_id(found["order"]["order_id"])
        if not writes[record.message_id].result():
            logger.info("event was already recorded", event_id=found["event_id"])
            return
        count_event("OrderAnalysed")
        logger.info("event recorded", event_id=found["event_id"], status=found["order"]["status"])
