"""Handles POST /orders, GET /orders, GET /orders/{order_id} and POST /orders/{order_id}/cancel of the REST API.

Environment variables: ORDERS_TABLE, ORDERS_BY_USER_INDEX, INVENTORY_TABLE, CORS_ORIGINS.
"""

from __future__ import annotations

import os
import uuid
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from contracts.orders import POLL_AFTER_S
from orders_api.cancellation import cancel
from shared import aws, contracts, http
from shared.domain import cursors, orders
from shared.domain.orders import Order
from shared.domain.times import utc_now
from shared.errors import OrderNotFound
from shared.identity import Caller
from shared.order_store import OrderStore
from shared.order_transactions import OrderTransactions
from shared.telemetry import correlate, logger, metrics, tracer

api = http.rest_api(os.environ["CORS_ORIGINS"])
dynamodb = aws.client("dynamodb")
store = OrderStore(dynamodb, table=os.environ["ORDERS_TABLE"], by_user_index=os.environ["ORDERS_BY_USER_INDEX"])
transactions = OrderTransactions(
    dynamodb, orders_table=os.environ["ORDERS_TABLE"], inventory_table=os.environ["INVENTORY_TABLE"]
)
check_body = contracts.request_check("createOrder")


@api.post("/orders")
def create_order() -> Response[str]:
    """Accept an order. The workflow starts after the outbox relay has published the event OrderCreated."""
    caller = http.caller(api)
    key = http.idempotency_key(api)
    content = http.json_body(api, check_body)
    items, expected_total = content["items"], content.get("expected_total")
    orders.check_lines(items)
    order_id = str(uuid.uuid4()) if key is None else orders.order_id_for(caller.user_id, key)
    correlate(order_id)
    order = store.create(
        orders.new_order(order_id, caller.user_id, items, utc_now()),
        request_hash=orders.request_hash(items, expected_total),
        expected_total=expected_total,
    )
    logger.info("order accepted", order_id=order_id, status=order["status"])
    location = http.location_of(api, order_id)
    return http.answer(HTTPStatus.ACCEPTED, order, location=location, retry_after_s=POLL_AFTER_S)


@api.get("/orders")
def list_orders() -> Response[str]:
    """Return one page of the caller's own orders, newest first.

    Raises ValidationError for a cursor whose order does not belong to the caller.
    """
    caller = http.caller(api)
    limit, cursor = http.page_limit(api), http.page_cursor(api)
    after = None
    if cursor is not None:
        after = _owned(cursors.decode(cursor), caller)
        if after is None:
            raise cursors.unknown()
    found, more = store.page(caller.user_id, limit, after=after)
    next_cursor = {"next_cursor": cursors.encode(found[-1]["order_id"])} if more else {}
    return http.answer(HTTPStatus.OK, {"orders": found, **next_cursor})


@api.get("/orders/<order_id>")
def get_order(order_id: str) -> Response[str]:
    """Return an order. Raises OrderNotFound if it does not exist or if the caller may not read it."""
    caller = http.caller(api)
    order = _order(order_id)
    if order is None or not caller.may_read(order["user_id"]):
        raise _not_found()
    return http.answer(HTTPStatus.OK, order)


@api.post("/orders/<order_id>/cancel")
def cancel_order(order_id: str) -> Response[str]:
    """Cancel one of the caller's own orders. Admins cannot cancel orders of other users."""
    caller = http.caller(api)

    def read() -> Order:
        order = _owned(order_id, caller)
        if order is None:
            raise _not_found()
        return order

    order = cancel(read, transactions, now=utc_now(), request_id=api.lambda_context.aws_request_id)
    logger.info("order cancelled", order_id=order_id, status=order["status"])
    return http.answer(HTTPStatus.OK, order)


def _order(order_id: str) -> Order | None:
    if not orders.is_order_id(order_id):
        return None
    correlate(order_id)
    return store.get(order_id)


def _owned(order_id: str, caller: Caller) -> Order | None:
    order = _order(order_id)
    return order if order and order["user_id"] == caller.user_id else None


def _not_found() -> OrderNotFound:
    return OrderNotFound("order: not found")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one request of the REST API."""
    return api.resolve(event, context)
