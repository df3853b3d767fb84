"""Reads and writes orders in the orders table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared import rows
from shared.aws import existing_row, is_failed_condition
from shared.domain.orders import Order, Reason
from shared.domain.times import timestamp
from shared.errors import IdempotencyConflict
from shared.retries import outside_transactions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# This code and message must equal those in workflows/order.asl.json. A test compares them.
INTERNAL_ERROR: Final[Reason] = {
    "code": "InternalError",
    "message": "The order could not be processed because of an internal error; place it again",
}


class OrderStore:
    """Reads orders, creates orders, sets orders to FAILED, and lists the orders of a user by time."""

    def __init__(self, client: DynamoDBClient, *, table: str, by_user_index: str = "") -> None:
        self._client = client
        self._table = table
        self._by_user_index = by_user_index

    def create(self, order: Order, *, request_hash: str, expected_total: int | None = None) -> Order:
        """Write a new order and return it. If the same request already created the order, return its current state.

        One conditional write makes the creation idempotent: a retry by the client or the SDK finds the row that the
        first attempt wrote, with the same request hash. Raises IdempotencyConflict if the existing row has a different
        request hash.
        """
        row = rows.order_row(order, request_hash=request_hash, synchronous=False, expected_total=expected_total)
        try:
            # An earlier attempt of the same request may have created the order, and the workflow may be confirming the
            # order in a transaction. During the transaction, DynamoDB refuses this write, so retry it.
            outside_transactions(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=row,
                    ConditionExpression="attribute_not_exists(order_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            )
        except ClientError as error:
            existing = existing_row(error)
            if not is_failed_condition(error) or existing is None:
                raise
            if existing["request_hash"]["S"] != request_hash:
                raise IdempotencyConflict(
                    "Idempotency-Key: already used with a different body; use a new key for a new order"
                ) from error
            return rows.order_of(existing)
        return order

    def row(self, order_id: str) -> rows.Row | None:
        """Return the row of the order from a consistent read, or None if the order does not exist."""
        answer = self._client.get_item(TableName=self._table, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
        return answer.get("Item")

    def get(self, order_id: str) -> Order | None:
        """Return the order from a consistent read, or None if the order does not exist."""
        row = self.row(order_id)
        return rows.order_of(row) if row else None

    def fail(self, order_id: str, now: datetime, *, at_least: timedelta) -> bool:
        """Set the order to FAILED, with an internal error as its reason.

        The order must be PENDING, and its age must be at least `at_least`. Otherwise, or if there is no such order,
        change nothing and return False.
        """
        try:
            outside_transactions(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key={"order_id": {"S": order_id}},
                    UpdateExpression="SET #status = :status, #reason = :reason, updated_at = :now "
                    + rows.NO_LONGER_LATE,
                    # All timestamps have the same format, so DynamoDB can compare them as text.
                    ConditionExpression="#status = :pending AND created_at <= :latest",
                    ExpressionAttributeNames={"#status": "status", "#reason": "reason"},
                    ExpressionAttributeValues={
                        ":pending": {"S": "PENDING"},
                        ":latest": {"S": timestamp(now - at_least)},
                        ":status": {"S": "FAILED"},
                        ":now": {"S": timestamp(now)},
                        ":reason": {"M": {name: {"S": text} for name, text in INTERNAL_ERROR.items()}},
                    },
                )
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return False
        return True

    def page(self, user_id: str, limit: int, *, after: Order | None) -> tuple[list[Order], bool]:
        """Return up to `limit` orders of the user, newest first, and whether there are more.

        `after` is the last order of the previous page, or None for the first page.
        """
        start: Any = {} if after is None else {"ExclusiveStartKey": _index_key(after)}
        answer = self._client.query(
            TableName=self._table,
            IndexName=self._by_user_index,
            KeyConditionExpression="user_id = :user_id",
            ExpressionAttributeValues={":user_id": {"S": user_id}},
            ScanIndexForward=False,
            Limit=limit + 1,  # The extra order shows whether another page follows.
            **start,
        )
        found = [rows.order_of(row) for row in answer["Items"]]
        return found[:limit], len(found) > limit


def _index_key(order: Order) -> dict[str, Any]:
    return {
        "user_id": {"S": order["user_id"]},
        "created_at": {"S": order["created_at"]},
        "order_id": {"S": order["order_id"]},
    }
