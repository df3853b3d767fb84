"""The sweep: restarts the workflow of late orders whose STANDARD execution was never started or has ended.

A schedule invokes this function every few minutes. For each late order, it calls StartExecution with the name of the
order's latest execution. If this execution was never started, the call starts it. If it is running, the call succeeds
and starts no second execution. If it has ended, Step Functions refuses the call, and the function starts an execution
with the next name.

The order's row counts the restarts, and the name of the next execution contains this count. Two simultaneous sweeps
therefore use the same name, and Step Functions starts only one execution.

Environment variables: ORDERS_TABLE, LATE_ORDERS_INDEX, STATE_MACHINE_ARN. Event: ignored.
Output: {"running": number of late orders whose workflow runs now}. Raises LateOrdersLeft if some orders could not be
restarted.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws, rows
from shared.domain.times import utc_now
from shared.errors import LateOrdersLeft
from shared.late_orders import LateOrders
from shared.order_store import OrderStore
from shared.order_workflow import OrderWorkflow
from shared.telemetry import count_event, logger, metrics, tracer

dynamodb = aws.client("dynamodb")
store = OrderStore(dynamodb, table=os.environ["ORDERS_TABLE"])
late_orders = LateOrders(dynamodb, table=os.environ["ORDERS_TABLE"], index=os.environ["LATE_ORDERS_INDEX"])
workflow = OrderWorkflow(aws.client("stepfunctions"), state_machine_arn=os.environ["STATE_MACHINE_ARN"])
# The sweep skips orders below this age, because their first execution is probably still running. For example, the
# EXPRESS execution of a synchronous order takes up to 28 s.
MINIMUM_AGE: Final = timedelta(seconds=60)
# AWS's default quota for StartExecution is 150 calls per second in most regions (Step Functions, "Service quotas"). The
# sweep uses one third of the quota, and leaves the rest for new orders.
PER_SECOND: Final = 50
# After this number of failed restarts, the sweep ends, because the remaining restarts would probably fail too.
MOST_FAILURES: Final = 20
# The sweep ends when less than this time is left before the function's time limit. A restart usually takes 100 ms. If
# Lambda ends the function during a restart, the next sweep repeats that restart.
RESERVE_MS: Final = 5_000


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Restart late orders, the oldest first, until none is left or until the time limit is near."""
    running = failed = 0
    for order_id in late_orders.created_before(utc_now() - MINIMUM_AGE):
        started_s = time.monotonic()
        logger.set_correlation_id(order_id)
        logger.append_keys(order_id=order_id)
        try:
            running += _restart(order_id)
        except Exception:  # noqa: BLE001 - one order that fails must not stop the others, and the next sweep retries it
            logger.exception("late order was not restarted")
            failed += 1
        if failed == MOST_FAILURES or context.get_remaining_time_in_millis() < RESERVE_MS:
            break
        time.sleep(max(0.0, 1 / PER_SECOND - (time.monotonic() - started_s)))
    if failed:
        raise LateOrdersLeft(f"late orders: {failed} could not be restarted; see the log; the next sweep retries them")
    return {"running": running}


def _restart(order_id: str) -> bool:
    """Start the workflow of a PENDING order if the workflow is not running. Return whether the workflow now runs."""
    row = store.row(order_id)
    if row is None:
        return False
    order = rows.order_of(row)
    if order["status"] != "PENDING":
        if rows.is_late(row):
            late_orders.unmark(order_id)
        return False
    count_event("OrderLate")
    restarts = rows.restarts_of(row)
    if workflow.start(order, restarts=restarts):
        logger.info("workflow of the late order runs", restarts=restarts)
        return True
    if not late_orders.count_restart(order_id, restarts):
        return False
    started = workflow.start(order, restarts=restarts + 1)
    logger.warning("workflow of the late order was restarted", restarts=restarts + 1)
    return started
