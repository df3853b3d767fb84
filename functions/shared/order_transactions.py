"""Writes that decide an order together with its stock: all of it happens, or nothing does."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from shared import rows
from shared.aws import NoAnswer, error_code, is_failed_condition
from shared.domain import orders
from shared.domain.orders import Line, Order, Price
from shared.errors import InvalidTransition, OrderNotFound, StockContention

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ORDER = 0
"""Position of the order's own update in each transaction; the lines follow in their order."""

_PRICINGS = 3
"""Tries at a catalogue whose prices change meanwhile; more would outlast the function."""

_BUSY = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)
"""Codes of a call and of a transaction's cancellation reasons that pass."""


@dataclass(frozen=True, kw_only=True)
class _Refusal:
    """Why a transaction's item was refused: DynamoDB's code, and the row as it was."""

    code: str
    row: dict[str, Any] | None

    @property
    def is_condition(self) -> bool:
        return self.code == "ConditionalCheckFailed"


class OrderTransactions:
    """Confirmation and cancellation."""

    def __init__(self, client: DynamoDBClient, *, orders_table: str, inventory_table: str) -> None:
        self._client = client
        self._orders = orders_table
        self._inventory = inventory_table

    def confirm(self, order: Order, prices: Sequence[Price], now: datetime) -> Order:
        """Take every line of `order` from stock and confirm it at the catalogue's prices, if its row is still PENDING.

        `prices` were read before; the transaction holds them to the catalogue, and takes from the rows that refused it
        what changed meanwhile. Returns the confirmed order of the row, which is an earlier one's if this is a
        repetition. Raises OutOfStock, ProductNotFound, ValidationError (mixed currencies), InvalidTransition,
        OrderNotFound and, to be repeated, StockContention.
        """
        for _ in range(_PRICINGS):
            confirmed = orders.confirmed(order, prices, now)
            sold = zip(confirmed["items"], repeat(confirmed.get("currency", "")))
            refusals = self._transact([self._confirmation(confirmed), *(self._sale(*line) for line in sold)])
            if not refusals:
                return confirmed
            if refusals[_ORDER].is_condition:
                return _confirmed_before(confirmed, refusals[_ORDER].row)
            prices = [*prices, *_changed_prices(order["items"], refusals)]
        raise StockContention("catalogue: its prices keep changing")

    def cancel(self, before: Order, cancelled: Order, *, request_id: str) -> bool:
        """Write `cancelled` if its row is still as `before`, and return its lines to stock if they were taken.

        Returns False if the row changed meanwhile. Raises StockContention. `request_id` makes a repetition by the SDK
        after a lost answer meet its own write as success.
        """
        if before["status"] == "PENDING":
            return self._cancel_pending(cancelled, request_id)
        refusals = self._transact([self._cancellation(cancelled), *(self._return(line) for line in cancelled["items"])])
        if refusals and not refusals[_ORDER].is_condition:
            raise _busy(refusals)
        return not refusals

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
            self._client.update_item(**update)
        except ClientError as error:
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
        update = _status_update(self._orders, order, "#status = :before")
        update["UpdateExpression"] += ", #items = :items, #total = :total, #currency = :currency"
        update["ExpressionAttributeNames"] |= {"#items": "items", "#total": "total", "#currency": "currency"}
        update["ExpressionAttributeValues"] |= {
            ":before": {"S": "PENDING"},
            ":items": rows.lines_value(order["items"]),
            ":total": {"N": str(order.get("total"))},
            ":currency": {"S": order.get("currency", "")},
        }
        return {"Update": update}

    def _sale(self, line: Line, currency: str) -> dict[str, Any]:
        update = self._stock(line, "-", "quantity >= :n AND unit_price = :unit_price AND currency = :currency")
        update["Update"]["ExpressionAttributeValues"] |= {
            ":unit_price": {"N": str(line.get("unit_price"))},
            ":currency": {"S": currency},
        }
        return update

    def _return(self, line: Line) -> dict[str, Any]:
        return self._stock(line, "+", "attribute_exists(product_id)")

    def _stock(self, line: Line, sign: str, condition: str) -> dict[str, Any]:
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

    def _transact(self, items: Sequence[dict[str, Any]]) -> list[_Refusal]:
        """Write all or nothing; return nothing when written, else one refusal for each item.

        The token lets DynamoDB know the SDK's repetition of the same call for 10 minutes (AWS rule).
        """
        try:
            self._client.transact_write_items(TransactItems=cast("Any", items), ClientRequestToken=str(uuid.uuid4()))
        except NoAnswer as error:
            raise StockContention("stock: DynamoDB gave no answer in time") from error
        except ClientError as error:
            if error_code(error) in _BUSY:
                raise StockContention(f"stock: DynamoDB answered {error_code(error)}") from error
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = cast("dict[str, Any]", error.response)["CancellationReasons"]
            refusals = [_Refusal(code=reason.get("Code", "None"), row=reason.get("Item")) for reason in reasons]
            if not any(refusal.is_condition or refusal.code in _BUSY for refusal in refusals):
                raise
            return refusals
        return []


def _status_update(table: str, order: Order, condition: str) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"order_id": {"S": order["order_id"]}},
        "UpdateExpression": "SET #status = :status, #updated_at = :updated_at",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#status": "status", "#updated_at": "updated_at"},
        "ExpressionAttributeValues": {":status": {"S": order["status"]}, ":updated_at": {"S": order["updated_at"]}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _confirmed_before(order: Order, row: dict[str, Any] | None) -> Order:
    if row is None:
        raise OrderNotFound(f"order {order['order_id']}: there is none")
    stands = rows.order_of(row)
    if stands["status"] != "CONFIRMED":
        raise InvalidTransition(f"status: got {stands['status']}, which cannot become CONFIRMED; allowed: PENDING")
    return stands


def _changed_prices(lines: Sequence[Line], refusals: Sequence[_Refusal]) -> list[Price]:
    """Return the prices that refused a transaction. Raises ProductNotFound, OutOfStock or StockContention."""
    refused = [(line, each.row) for line, each in zip(lines, refusals[_ORDER + 1 :], strict=True) if each.is_condition]
    if not refused:
        raise _busy(refusals)
    if unknown := [line["product_id"] for line, row in refused if row is None]:
        raise orders.not_in_catalog(unknown)
    products = [(line, rows.product_of(row)) for line, row in refused if row is not None]
    if short := [line["product_id"] for line, product in products if product["quantity"] < line["quantity"]]:
        raise orders.out_of_stock(short)
    return [rows.price_of(product) for _, product in products]


def _busy(refusals: Sequence[_Refusal]) -> StockContention:
    codes = sorted({refusal.code for refusal in refusals} - {"None"})
    return StockContention(f"stock: others are writing it ({', '.join(codes)})")
