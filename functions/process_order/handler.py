"""Starts the workflow of an accepted order.

Environment: ORDERS_TABLE, STATE_MACHINE_ARN. Event: OrderCreated. Output: {"started": bool}. Raises ValidationError for
an event that is none of the contracts.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from shared import aws, events, rows
from shared.domain.orders import Order
from shared.domain.times import parse_timestamp, utc_now
from shared.errors import OrderNotFound, OrderUndecided
from shared.order_store import OrderStore
from shared.telemetry import correlate, logger, metrics, tracer

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

store = OrderStore(aws.client("dynamodb"), table=os.environ["ORDERS_TABLE"])
workflows: SFNClient = aws.client("stepfunctions")
STATE_MACHINE_ARN: Final = os.environ["STATE_MACHINE_ARN"]
read = events.event_parser("OrderCreated")
# API Gateway waits 29 s for an Express execution, whose own time limit is below that.
EXPRESS_ENDS_AFTER: Final = timedelta(seconds=30)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, bool]:
    """Start the workflow of the event's order unless it is decided."""
    detail = read(event)
    order_id = detail["order"]["order_id"]
    correlate(order_id)
    logger.append_keys(order_id=order_id, event_id=detail["event_id"])
    order = _to_start(order_id, utc_now())
    if order:
        _start(order)
    return {"started": order is not None}


def _to_start(order_id: str, now: datetime) -> Order | None:
    """Return the order if its workflow is to be started, None if it is decided.

    Raises OrderNotFound, and OrderUndecided for an order of POST /process that its own Express execution may still
    decide: Lambda repeats the event a minute later. If it is PENDING even then, that execution died, and the Standard
    one takes over, since an accepted order always ends.
    """
    row = store.row(order_id)
    if row is None:
        raise OrderNotFound(f"order {order_id}: there is none")
    order = rows.order_of(row)
    if order["status"] != "PENDING":
        logger.info("order is decided", status=order["status"])
        return None
    if rows.is_synchronous(row) and now - parse_timestamp(order["created_at"]) < EXPRESS_ENDS_AFTER:
        logger.info("order is undecided", status=order["status"])
        raise OrderUndecided(f"order {order_id}: its own execution may still decide it")
    return order


def _start(order: Order) -> None:
    """Start the order's one execution. Its name is the order's id, so that it exists once (AWS rule, for 90 days)."""
    try:
        workflows.start_execution(
            stateMachineArn=STATE_MACHINE_ARN, name=order["order_id"], input=json.dumps({"order": order})
        )
    except ClientError as error:
        if aws.error_code(error) != "ExecutionAlreadyExists":
            raise
        logger.info("workflow was started before")
    else:
        logger.info("workflow started")
