"""Starts the STANDARD workflow of an accepted order.

Environment variables: ORDERS_TABLE, STATE_MACHINE_ARN. Event: OrderCreated. Output: {"started": bool}, false
if the order is already decided. Raises ValidationError if the event violates its contract.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from contracts.orders import DETAIL_TYPES
from shared import aws, events, rows
from shared.domain.orders import Order
from shared.domain.times import parse_timestamp, utc_now
from shared.errors import OrderNotFound, OrderUndecided
from shared.order_store import OrderStore
from shared.order_workflow import OrderWorkflow
from shared.telemetry import correlate, logger, metrics, tracer

store = OrderStore(aws.client("dynamodb"), table=os.environ["ORDERS_TABLE"])
workflow = OrderWorkflow(aws.client("stepfunctions"), state_machine_arn=os.environ["STATE_MACHINE_ARN"])
read = events.event_parser(DETAIL_TYPES["PENDING"])
# The EXPRESS execution of a synchronous order (POST /process) ends within API Gateway's time limit of 29 s. If the
# order is older than 30 s, that execution has therefore ended, with or without a decision.
EXPRESS_ENDS_AFTER: Final = timedelta(seconds=30)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, bool]:
    """Start the workflow of the event's order unless the order is already decided."""
    detail = read(event)
    order_id = detail["order"]["order_id"]
    correlate(order_id)
    logger.append_keys(order_id=order_id, event_id=detail["event_id"])
    order = _to_start(order_id, utc_now())
    if order and workflow.start(order):
        logger.info("workflow started")
    elif order:
        logger.info("workflow was already started")
    return {"started": order is not None}


def _to_start(order_id: str, now: datetime) -> Order | None:
    """Return the order if its workflow must be started, or None if the order is already decided.

    Raises OrderNotFound if the order does not exist. Raises OrderUndecided for a synchronous order (POST /process)
    whose EXPRESS execution may still be running. Lambda retries the event a minute after this error. If the order is
    then still PENDING, its EXPRESS execution has ended without a decision. This function therefore returns the order,
    and the STANDARD workflow decides it.
    """
    row = store.row(order_id)
    if row is None:
        raise OrderNotFound(f"order {order_id}: not found in the orders table")
    order = rows.order_of(row)
    if order["status"] != "PENDING":
        logger.info("order is already decided", status=order["status"])
        return None
    if rows.is_synchronous(row) and now - parse_timestamp(order["created_at"]) < EXPRESS_ENDS_AFTER:
        logger.info("order is still undecided", status=order["status"])
        raise OrderUndecided(f"order {order_id}: not decided yet; its EXPRESS execution may still be running")
    return order
