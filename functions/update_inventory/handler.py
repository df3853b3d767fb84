"""Takes the products of an order from the stock and confirms the order, in one transaction.

The workflow state UpdateInventory invokes this function.

Environment variables: ORDERS_TABLE, INVENTORY_TABLE.
Input: {"order": the PENDING order, "products": [{"product_id", "unit_price" (minor units), "currency", "name"}],
"error_details": true}. The workflow of release 0.1.0 sends neither "name" nor "error_details".
Output: the confirmed order. If the order was already confirmed, the output is the order as it was confirmed.
Raises OutOfStock, ProductNotFound, PriceChanged, OrderNotFound, ValidationError (different currencies),
InvalidTransition (no longer PENDING), StockContention (transient), and InternalError for an input that the workflow
never sends. With "error_details", the message of an error with details is JSON: {"message", "details"}.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws, events, rows
from shared.domain.orders import Order, Price
from shared.domain.times import utc_now
from shared.errors import InternalError, OrdersError, ValidationError
from shared.order_transactions import OrderTransactions
from shared.telemetry import correlate, logger, metrics, tracer

# `OrderTransactions` retries each failed call itself, so the SDK makes only one attempt. The last retry starts within
# RETRIES_S seconds and ends before the function's time limit, even if DynamoDB does not respond. If the last retry
# fails with a transient error, the workflow retries the state UpdateInventory.
RETRIES_S: Final = 3.5
transactions = OrderTransactions(
    aws.client("dynamodb", attempts=1),
    orders_table=os.environ["ORDERS_TABLE"],
    inventory_table=os.environ["INVENTORY_TABLE"],
    retries_s=RETRIES_S,
)

parse_order = events.order_parser()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> Order:
    """Confirm the order in the input, and return the confirmed order."""
    order, prices = _input(event)
    correlate(order["order_id"])
    logger.append_keys(step="UpdateInventory", order_id=order["order_id"])
    try:
        order = transactions.confirm(order, prices, utc_now())
    except OrdersError as error:
        if error.details and event.get("error_details") is True:
            raise type(error)(json.dumps({"message": str(error), "details": error.details})) from error
        raise
    logger.info("order confirmed", status=order["status"])
    return order


def _input(event: Any) -> tuple[Order, list[Price]]:
    """Return the order and the prices of its products.

    Raises InternalError for invalid input, because only a bug in the workflow can cause such input. A ValidationError
    would reject the order, although the customer did nothing wrong.
    """
    fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    products = fields.get("products")
    try:
        order = parse_order(fields.get("order"))
    except ValidationError as error:
        raise InternalError(f"input: not a PENDING order; {error}") from error
    if not isinstance(products, list):
        raise InternalError("input: products must be a list")
    return order, [rows.price_of(product) for product in cast("list[Any]", products)]
