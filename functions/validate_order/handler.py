"""Validates the input of the workflow and returns the order with its table row.

The workflow state ValidateInput invokes this function.

Input for an accepted order, sent by the STANDARD workflow: {"order": the PENDING order}.
Input for a synchronous order, sent by API Gateway for POST /process: {"request": {"user_id", "idempotency_key"
(optional), "content_type" (optional), "content": the request body}}. If the body exceeds the maximum size,
"too_large": true replaces "content".
Output: {"order": the PENDING order, "item": its row in DynamoDB's JSON format, "request_hash", "synchronous"}.
Raises ValidationError, UnsupportedMediaType and PayloadTooLarge.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import contracts, events, request_body, rows
from shared.domain import orders
from shared.domain.orders import Order
from shared.domain.times import utc_now
from shared.domain.users import is_user_id
from shared.errors import ValidationError
from shared.telemetry import correlate, logger, metrics, tracer

check_content = contracts.request_check("processOrder")
parse_order = events.order_parser()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Validate the input, and return the order and the data for the next states of the workflow."""
    given: Any = event
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    synchronous = "request" in fields
    expected_total: int | None = None
    if synchronous:
        order, expected_total = _requested(fields["request"])
    else:
        order = parse_order(fields.get("order"))
    correlate(order["order_id"])
    orders.check_lines(order["items"])
    request_hash = orders.request_hash(order["items"], expected_total)
    logger.info("order is valid", step="ValidateInput", order_id=order["order_id"])
    return {
        "order": order,
        "item": rows.order_row(
            order, request_hash=request_hash, synchronous=synchronous, expected_total=expected_total
        ),
        "request_hash": request_hash,
        "synchronous": synchronous,
    }


def _requested(request: Any) -> tuple[Order, int | None]:
    """Return a new order for a request to POST /process, and the total that the client expects.

    The total is None if the request contains none. `request` has the form that API Gateway's mapping template sends.
    """
    if not isinstance(request, dict):
        raise ValidationError('input: "request" must be an object')
    fields = cast("dict[str, Any]", request)
    user_id, key, kind = (_text(fields, name) for name in ("user_id", "idempotency_key", "content_type"))
    if user_id is None or not is_user_id(user_id):
        raise ValidationError("user_id: missing or invalid; sign in")
    if key is not None:
        orders.check_idempotency_key(key)
    request_body.check_media_type(kind)
    if "too_large" in fields:
        raise request_body.too_large()
    content: Any = fields.get("content")
    check_content(content)
    order_id = orders.order_id_for(user_id, key) if key is not None else str(uuid.uuid4())
    return orders.new_order(order_id, user_id, content["items"], utc_now()), content.get("expected_total")


def _text(request: dict[str, Any], name: str) -> str | None:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise ValidationError(f"request.{name}: must be text")
    return value
