"""Publishes status changes from the stream of the orders table as events on the event bus.

Environment variables: EVENT_BUS, FAILURE_QUEUE_URL. The event source mapping must enable ReportBatchItemFailures, and
the stream must contain new and old images.
"""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from contracts.orders import DETAIL_TYPES
from publish_order_events.relay import Relay
from publish_order_events.set_aside import set_aside_in
from shared import aws, contracts
from shared.telemetry import count_event, logger, metrics, tracer

relay = Relay(
    aws.client("events"),
    bus=os.environ["EVENT_BUS"],
    checks={detail_type: contracts.event_check(detail_type) for detail_type in DETAIL_TYPES.values()},
    set_aside=set_aside_in(aws.client("sqs"), queue_url=os.environ["FAILURE_QUEUE_URL"]),
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Publish the events of a batch of stream records. Return the failed record from which Lambda retries the batch."""
    outcome = relay.publish(event["Records"])
    for detail in outcome.published:
        status = detail["order"]["status"]
        logger.set_correlation_id(detail["order"]["order_id"])
        logger.info("event published", event_id=detail["event_id"], status=status)
        count_event(DETAIL_TYPES[status])
    # Lambda retries all records from the lowest failed sequence number, so the response contains only this number.
    return {"batchItemFailures": [{"itemIdentifier": outcome.failed}] if outcome.failed else []}
