"""Marks late orders, so that the sweep (the function `restart_late_orders`) restarts their workflows.

Lambda collects stream records for a few minutes before it invokes this function. A batch usually contains both the
creation and the decision of an order. An order is late if the batch with its creation does not contain its decision,
and the order is still PENDING. Marking an order again changes nothing.

Environment variables: ORDERS_TABLE. Event: stream records of created orders and of decided orders. Output: the first
record that failed, in the format of ReportBatchItemFailures, which the event source mapping must enable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws
from shared.late_orders import LateOrders
from shared.telemetry import logger, metrics, tracer

orders = LateOrders(aws.client("dynamodb"), table=os.environ["ORDERS_TABLE"])


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Mark the orders that were created but not decided in this batch, unless they have been decided since."""
    for order_id, sequence_number in _undecided(event["Records"]).items():
        logger.set_correlation_id(order_id)
        logger.append_keys(order_id=order_id)
        try:
            marked = orders.mark(order_id)
        except Exception:  # noqa: BLE001 - Lambda retries from the failed record, and the earlier orders stay marked
            # `make redrive` searches the log for this sequence number to find the reason for the failure.
            logger.exception("late order was not marked", sequence_number=sequence_number)
            return {"batchItemFailures": [{"itemIdentifier": sequence_number}]}
        if marked:
            logger.info("order is late")
    return {"batchItemFailures": []}


def _undecided(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return {order id: sequence number of its creation} for the orders created but not decided in `records`."""
    undecided: dict[str, str] = {}
    for record in records:
        order_id: str = record["dynamodb"]["Keys"]["order_id"]["S"]
        if record["eventName"] == "INSERT":
            undecided[order_id] = record["dynamodb"]["SequenceNumber"]
        else:
            undecided.pop(order_id, None)
    return undecided
