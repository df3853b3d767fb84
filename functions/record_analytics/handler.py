"""Keeps every event of an order as an object, for analysis.

Environment: ANALYTICS_BUCKET. Event: batch of the FIFO analytics queue. A message's body is
{"event_id", "detail_type", "order"}; its object is orders/dt=YYYY-MM-DD/{event_id, "_" for ":"}.json.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.utilities.batch import (
    SqsFifoPartialProcessor,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from shared import aws
from shared.telemetry import count, logger, metrics, tracer

if TYPE_CHECKING:
    import logging

    from mypy_boto3_s3 import S3Client

s3: S3Client = aws.client("s3", read_timeout_s=3)
BUCKET: Final = os.environ["ANALYTICS_BUCKET"]
# One group's failure must not hold up the others; within a group the order stays.
processor = SqsFifoPartialProcessor(skip_group_on_error=True, logger=cast("logging.Logger", logger))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Record a batch; answer which messages must come again."""
    return process_partial_response(event=event, record_handler=keep, processor=processor, context=context)


def keep(record: SQSRecord) -> None:
    """Write the record's event, unless it was written before: the queue delivers at least once."""
    fact: dict[str, Any] = json.loads(record.body)
    order = fact["order"]
    logger.set_correlation_id(order["order_id"])
    try:
        s3.put_object(
            Bucket=BUCKET,
            Key=f"orders/dt={order['updated_at'][:10]}/{fact['event_id'].replace(':', '_')}.json",
            Body=json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if aws.error_code(error) != "PreconditionFailed":
            raise
        logger.info("event was recorded before", event_id=fact["event_id"])
        return
    count("OrderAnalysed")
    logger.info("event recorded", event_id=fact["event_id"], status=order["status"])
