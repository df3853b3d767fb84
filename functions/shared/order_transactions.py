"""Changes an order and the stock of its products in one DynamoDB transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from shared import rows
from shared.aws import NoResponse, error_code, is_conflict, is_failed_condition, is_transient
from shared.domain import orders
from shared.domain.orders import Line, Order, Price
from shared.errors import InvalidTransition, OrderNotFound, StockContention
from shared.retries import RETRIES_S, Retries, outside_transactions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PRICE_ATTEMPTS = 3
"""Attempts to confirm an order whose prices change. After the last attempt, the workflow retries the whole step."""


@dataclass(frozen=True, kw_only=True)
class _Refusal:
    """DynamoDB's cancellation reason for one update of a transaction."""

    code: str
    """Code of the reason. The text `None` means that this update did not cause the cancellation."""
    row: dict[str, Any] | None
    """The existing row, if the update's condition failed."""

    @property
    def is_condition(self) -> bool:
        return self.code == "ConditionalCheckFailed"


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """The result of a transaction with one update of the order, followed by one update per line of the order."""

    refusals: Sequence[_Refusal]
    """One cancellation reason per update. Empty if the transaction succeeded."""

    @property
    def written(self) -> bool:
        return not self.refusals

    @property
    def order(self) -> _Refusal:
        return self.refusals[0]

    @property
    def lines(self) -> Sequence[_Refusal]:
        return self.refusals[1:]


class OrderTransactions:
    """Confirms and cancels orders, together with the stock of their products."""

    def __init__(
        self, client: DynamoDBClient, *, orders_table: str, inventory_table: str, retries_s: float = RETRIES_S
    ) -> None:
        """Retry a transaction for up to `retries_s` seconds if DynamoDB refuses it for a transient reason."""
        self._client = client
        self._retries_s = retries_s
        self._orders = orders_table
        self._inventory = inventory_table

    def confirm(self, order: Order, prices: Sequence[Price], now: datetime) -> Order:
        """Decrement the stock of every line of `order` and set the order to CONFIRMED, in one transaction.

        The transaction checks that `prices` are still the catalog's prices. If a price has changed, DynamoDB cancels
        the transaction and returns the new price, and the next attempt uses it. If the order is already confirmed, this
        method changes nothing and returns the confirmed order.

        Raises OutOfStock, ProductNotFound, PriceChanged (the client expects another total), ValidationError (lines with
        different currencies), InvalidTransition (the order is neither PENDING nor CONFIRMED), OrderNotFound, and
        StockContention (callers may try again).
        """
        retries = Retries(self._retries_s)
        for _ in range(_PRICE_ATTEMPTS):
            confirmed = orders.confirmed(order, prices, now)
            currency = confirmed.get("currency", "")
            attempt = self._attempt(
                self._confirmation(confirmed),
                [self._take_from_stock(line, currency) for line in confirmed["items"]],
                retries,
            )
            if attempt.written:
                return confirmed
            if attempt.order.is_condition and not _is_pending(attempt.order.row):
                return _confirmed_earlier(confirmed, attempt.order.row)
            _check_expected_total(confirmed, attempt)
            prices = [*prices, *_changed_prices(order["items"], attempt)]
        raise StockContention("prices: changed during every attempt to confirm the order; retry")

    def cancel(self, before: Order, cancelled: Order, *, request_id: str) -> bool:
        """Write the order `cancelled` if the stored order still has the status of `before`.

        If that status is CONFIRMED, also return the order's products to stock.

        Return False if the status has changed since `before` was read. Raises StockContention (callers may try again).
        The write that cancels a PENDING order also stores `request_id` in the row. If the SDK repeats the write, the
        row already contains this id, and the write succeeds again.
        """
        if before["status"] == "PENDING":
            return self._cancel_pending(cancelled, request_id)
        attempt = self._attempt(
            self._cancellation(cancelled),
            [self._return_to_stock(line) for line in cancelled["items"]],
            Retries(self._retries_s),
        )
        if not attempt.written and not attempt.order.is_condition:
            raise _busy(attempt.refusals)
        return attempt.written

    def _cancel_pending(self, cancelled: Order, request_id: str) -> bool:
        update = _status_update(
            self._orders, cancelled, "(#status = :before AND #user_id = :user_id) OR #request = :request"
        )
        update["UpdateExpression"] += ", #request = :request"
        update["ExpressionAttributeNames"] |= {"#user_id": "user_id", "#request": "request_id"}
        update["ExpressionAttributeValues"] |= {
            ":before": {"S": "PENDING"},
            ":user_id": {"S": cancelled["user_id"]},
            ":request": {"S": request_id},
        }
        try:
            outside_transactions(lambda: self._client.update_item(**update))
        except ClientError as error:
            if is_conflict(error):
                raise StockContention(
                    "order: other transactions prevented every attempt to cancel it; retry"
                ) from error
            if not is_failed_condition(error):
                raise
            return False
        return True

    def _cancellation(self, cancelled: Order) -> dict[str, Any]:
        update = _status_update(self._orders, cancelled, "#status = :before AND #user_id = :user_id")
        update["ExpressionAttributeNames"] |= {"#user_id": "user_id"}
        update["ExpressionAttributeValues"] |= {":before": {"S": "CONFIRMED"}, ":user_id": {"S": cancelled["user_id"]}}
        return {"Update": update}

    def _confirmation(self, order: Order) -> dict[str, Any]:
        update = _status_update(
            self._orders, order, "#status = :before AND (attribute_not_exists(#expected) OR #expected = :total)"
        )
        update["ExpressionAttributeNames"] |= {"#expected": "expected_total"}
        update["UpdateExpression"] += ", #items = :items, #total = :total, #currency = :currency"
        update["ExpressionAttributeNames"] |= {"#items": "items", "#total": "total", "#currency": "currency"}
        update["ExpressionAttributeValues"] |= {
            ":before": {"S": "PENDING"},
            ":items": rows.lines_value(order["items"]),
            ":total": {"N": str(order.get("total"))},
            ":currency": {"S": order.get("currency", "")},
        }
        return {"Update": update}

    def _take_from_stock(self, line: Line, currency: str) -> dict[str, Any]:
        """Return the update that decrements a product's stock if the stock suffices and the price is unchanged."""
        update = self._stock_update(line, "-", "quantity >= :n AND unit_price = :unit_price AND currency = :currency")
        update["Update"]["ExpressionAttributeValues"] |= {
            ":unit_price": {"N": str(line.get("unit_price"))},
            ":currency": {"S": currency},
        }
        return update

    def _return_to_stock(self, line: Line) -> dict[str, Any]:
        """Return the update that returns the quantity of a line to the stock of its product."""
        return self._stock_update(line, "+", "attribute_exists(product_id)")

    def _stock_update(self, line: Line, sign: str, condition: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._inventory,
                "Key": {"product_id": {"S": line["product_id"]}},
                "UpdateExpression": f"SET quantity = quantity {sign} :n",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {":n": {"N": str(line["quantity"])}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _attempt(
        self, order_update: dict[str, Any], line_updates: Sequence[dict[str, Any]], retries: Retries
    ) -> _Attempt:
        return _Attempt(refusals=self._transact([order_update, *line_updates], retries))

    def _transact(self, items: Sequence[dict[str, Any]], retries: Retries) -> Sequence[_Refusal]:
        """Run one transaction. Return an empty list if it succeeded, or one cancellation reason per update.

        At least one of the returned reasons is a failed condition. After a transient error, for example a conflict with
        another transaction, this method tries again, because neither DynamoDB nor the SDK does. Raises StockContention
        if the last attempt that `retries` allows also ends with a transient error.
        """
        token = str(uuid.uuid4())
        while True:
            try:
                self._client.transact_write_items(TransactItems=cast("Any", items), ClientRequestToken=token)
            except (*NoResponse, ClientError) as error:
                refusals = _refusals(error)
                if any(refusal.is_condition for refusal in refusals):
                    return refusals
                contention = _contention(error, refusals)
                if contention is None:
                    raise
                if not retries.wait():
                    raise contention from error
                if refusals:
                    # After a canceled transaction, the next attempt needs a new ClientRequestToken. After an attempt
                    # whose result is unknown, the next attempt uses the same token. If the earlier attempt succeeded,
                    # DynamoDB recognizes the token and returns success without a second write. A token is valid for
                    # 10 minutes (API reference, TransactWriteItems).
                    token = str(uuid.uuid4())
            else:
                return []


def _status_update(table: str, order: Order, condition: str) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"order_id": {"S": order["order_id"]}},
        # The clause SET must come last, because callers append further assignments to it.
        "UpdateExpression": f"{rows.NO_LONGER_LATE} SET #status = :status, #updated_at = :updated_at",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#status": "status", "#updated_at": "updated_at"},
        "ExpressionAttributeValues": {":status": {"S": order["status"]}, ":updated_at": {"S": order["updated_at"]}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _is_pending(row: dict[str, Any] | None) -> bool:
    return row is not None and rows.order_of(row)["status"] == "PENDING"


def _check_expected_total(confirmed: Order, attempt: _Attempt) -> None:
    """Raise PriceChanged if DynamoDB refused the confirmation only because the expected total differs.

    If DynamoDB also refused another update, raise nothing. The prices of this attempt may be outdated, and the next
    attempt checks the total again with the current prices.
    """
    row = attempt.order.row
    if not attempt.order.is_condition or row is None or any(line.code != "None" for line in attempt.lines):
        return
    expected_total = rows.expected_total_of(row)
    if expected_total is not None:
        raise orders.price_changed(expected_total, confirmed.get("total", 0), confirmed.get("currency", ""))


def _confirmed_earlier(order: Order, row: dict[str, Any] | None) -> Order:
    """Return the order in `row` if an earlier attempt has confirmed it.

    Raises OrderNotFound if there is no row, and InvalidTransition if the order is not CONFIRMED.
    """
    if row is None:
        raise OrderNotFound(f"order {order['order_id']}: not found in the orders table")
    existing = rows.order_of(row)
    if existing["status"] != "CONFIRMED":
        raise InvalidTransition(f"status: {existing['status']} cannot become CONFIRMED; it must be PENDING")
    return existing


def _changed_prices(lines: Sequence[Line], attempt: _Attempt) -> list[Price]:
    """Return the current prices of the products whose prices have changed since the transaction used them.

    `attempt` is the result of the canceled transaction. Raises ProductNotFound if a product is not in the catalog,
    OutOfStock if its stock is too low, and StockContention if no update of a product failed its condition.
    """
    refused = [(line, each.row) for line, each in zip(lines, attempt.lines, strict=True) if each.is_condition]
    if not refused:
        raise _busy(attempt.refusals)
    if unknown := [line["product_id"] for line, row in refused if row is None]:
        raise orders.not_in_catalog(unknown)
    products = [(line, rows.product_of(row)) for line, row in refused if row is not None]
    if short := [(line, product["quantity"]) for line, product in products if product["quantity"] < line["quantity"]]:
        raise orders.out_of_stock(short)
    return [rows.price_of(product) for _, product in products]


def _refusals(error: Exception) -> list[_Refusal]:
    """Return the cancellation reasons in `error`, one per update of the transaction.

    If DynamoDB did not cancel the transaction but returned another error, return an empty list.
    """
    if not isinstance(error, ClientError):
        return []
    reasons = cast("dict[str, Any]", error.response).get("CancellationReasons", [])
    return [_Refusal(code=reason.get("Code", "None"), row=reason.get("Item")) for reason in reasons]


def _contention(error: Exception, refusals: Sequence[_Refusal]) -> StockContention | None:
    """Return StockContention if another attempt at the failed transaction may succeed, otherwise None."""
    if not isinstance(error, ClientError):
        return StockContention("stock: DynamoDB did not respond in time; retry")
    codes = [refusal.code for refusal in refusals] or [error_code(error)]
    if not any(is_transient(code) for code in codes):
        return None
    return _busy(refusals) if refusals else StockContention(f"stock: DynamoDB returned {error_code(error)}; retry")


def _busy(refusals: Sequence[_Refusal]) -> StockContention:
    codes = sorted({refusal.code for refusal in refusals} - {"None"})
    return StockContention(f"stock: the transaction was cancelled ({', '.join(codes)}); retry")
