"""First step of the workflow: tells whether this is an order, and what its row is.

Input: Standard {"order": the order of OrderCreated}; Express {"request": {"user_id", "idempotency_key" (optional),
"content": the body of POST /process}}.
Output: {"order": the PENDING order, "item": its row in DynamoDB's JSON, "request_hash", "synchronous"}.
Raises ValidationError.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import contracts, rows
from shared.domain import orders
from shared.domain.orders import LONGEST_IDEMPOTENCY_KEY, Order
from shared.domain.times import utc_now
from shared.domain.users import is_user_id
from shared.errors import ValidationError
from shared.telemetry import follow, logger, metrics, tracer

check_content = contracts.request_check("processOrder")
check_created = contracts.event_check("OrderCreated")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return what the workflow goes on with."""
    synchronous = "request" in event
    order = _requested(event["request"]) if synchronous else _accepted(event.get("order"))
    follow(order["order_id"])
    orders.check_lines(order["items"])
    request_hash = orders.request_hash(order["items"])
    logger.info("order is valid", step="ValidateInput", order_id=order["order_id"])
    return {
        "order": order,
        "item": rows.order_row(order, request_hash=request_hash, synchronous=synchronous),
        "request_hash": request_hash,
        "synchronous": synchronous,
    }


def _requested(request: Mapping[str, Any]) -> Order:
    """Return the order of POST /process, as API Gateway's mapping template passes it on."""
    user_id, key = request["user_id"], request.get("idempotency_key")
    if not is_user_id(user_id):
        raise ValidationError("user_id: got no user's id; sign in")
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise ValidationError(f"Idempotency-Key: got {len(key)} characters; allowed: 1 to {LONGEST_IDEMPOTENCY_KEY}")
    check_content(request["content"])
    order_id = orders.order_id_for(user_id, key) if key is not None else str(uuid.uuid4())
    return orders.new_order(order_id, user_id, request["content"]["items"], utc_now())


def _accepted(order: Any) -> Order:
    if not isinstance(order, dict):
        raise ValidationError('input: got neither "order" nor "request"')
    accepted = cast("Order", order)
    check_created({"event_id": f"{accepted.get('order_id')}:PENDING", "order": accepted})
    return accepted
