"""Sets an order to FAILED if its STANDARD execution reached the time limit before the order was decided.

If the execution ended earlier, for example because somebody aborted it, the order stays PENDING. The sweep (the
function `restart_late_orders`) then starts the workflow again.

Environment variables: ORDERS_TABLE, STANDARD_TIMEOUT_S (the time limit, in seconds). Event: "Step Functions Execution
Status Change" of the STANDARD state machine.
Output: {"failed": bool}, whether this invocation set the order to FAILED.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws
from shared.domain.executions import order_id_of
from shared.domain.times import utc_now
from shared.order_store import OrderStore
from shared.telemetry import correlate, logger, metrics, tracer

store = OrderStore(aws.client("dynamodb"), table=os.environ["ORDERS_TABLE"])
TIME_LIMIT: Final = timedelta(seconds=int(os.environ["STANDARD_TIMEOUT_S"]))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, bool]:
    """Set the order to FAILED if it is PENDING and has reached the time limit.

    Otherwise, the order keeps its status.
    """
    ended = event["detail"]
    order_id = order_id_of(ended["name"])
    correlate(order_id)
    logger.append_keys(order_id=order_id, code=ended.get("error") or ended["status"])
    failed = store.fail(order_id, utc_now(), at_least=TIME_LIMIT)
    if failed:
        logger.error("execution ended without deciding its order", status="FAILED")
    else:
        logger.info("order is already decided, or has not reached the time limit")
    return {"failed": failed}
