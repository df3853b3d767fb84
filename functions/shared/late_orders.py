"""Marks orders that are late, and lists them with a sparse index.

A late order is still PENDING a few minutes after its creation. It has the attribute `late_shard`, the partition key of
the index. Orders without this attribute are not in the index. An order that is never late therefore causes no write to
the index. The write that changes the status of a late order also removes the attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from contracts.orders import LATE_SHARD, LATE_SHARDS
from shared import rows
from shared.aws import is_failed_condition
from shared.domain.times import timestamp
from shared.retries import outside_transactions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGE: Final = 100


class LateOrders:
    """Marks and lists late orders, and counts their restarts."""

    def __init__(self, client: DynamoDBClient, *, table: str, index: str = "") -> None:
        self._client = client
        self._table = table
        self._index = index

    def mark(self, order_id: str) -> bool:
        """Add a PENDING order to the index. If the order is no longer PENDING, change nothing and return False."""
        return self._update(
            order_id,
            f"SET {LATE_SHARD} = :shard",
            "#status = :pending",
            {":shard": {"S": rows.late_shard(order_id)}},
        )

    def unmark(self, order_id: str) -> None:
        """Remove an order that is no longer PENDING from the index.

        This is necessary if an older release changed the status, because that release did not remove the attribute.
        """
        self._update(order_id, rows.NO_LONGER_LATE, "#status <> :pending", {})

    def count_restart(self, order_id: str, restarts: int) -> bool:
        """Set the order's number of restarts to `restarts` + 1.

        If the order is no longer PENDING, or if another sweep has already counted this restart, change nothing and
        return False.
        """
        before = "restarts = :before" if restarts else "attribute_not_exists(restarts)"
        values = {":after": {"N": str(restarts + 1)}} | ({":before": {"N": str(restarts)}} if restarts else {})
        return self._update(order_id, "SET restarts = :after", f"#status = :pending AND {before}", values)

    def created_before(self, moment: datetime) -> Iterator[str]:
        """Yield the ids of late orders created before `moment`, the oldest of each shard (index partition) first.

        The index is eventually consistent, so an order that was just decided can be among them.
        """
        shards: list[tuple[str, dict[str, Any] | None]] = [(shard, None) for shard in LATE_SHARDS]
        # Read one page of each shard in turn, so that many late orders in one shard do not delay those in other shards.
        while shards:
            shard, start = shards.pop(0)
            after: Any = {"ExclusiveStartKey": start} if start else {}
            page: Any = self._client.query(
                TableName=self._table,
                IndexName=self._index,
                KeyConditionExpression=f"{LATE_SHARD} = :shard AND created_at < :moment",
                ExpressionAttributeValues={":shard": {"S": shard}, ":moment": {"S": timestamp(moment)}},
                Limit=_PAGE,
                **after,
            )
            if last := page.get("LastEvaluatedKey"):
                shards.append((shard, last))
            for row in page["Items"]:
                yield row["order_id"]["S"]

    def _update(self, order_id: str, update: str, condition: str, values: dict[str, Any]) -> bool:
        try:
            outside_transactions(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key={"order_id": {"S": order_id}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":pending": {"S": "PENDING"}, **values},
                )
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return False
        return True
