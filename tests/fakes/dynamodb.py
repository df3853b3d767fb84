"""An in-memory fake of DynamoDB. It supports conditions, transactions, indexes and streams."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes.expressions import Expression, Item
from tests.fakes.faults import Faults, client_error

_FAILED = "ConditionalCheckFailedException"
_MOST_KEYS_OF_A_BATCH = 100
_MOST_ITEMS_OF_A_TRANSACTION = 100


@dataclass(frozen=True, kw_only=True)
class Index:
    """A global secondary index."""

    hash_key: str
    range_key: str
    keys_only: bool = False


@dataclass(kw_only=True)
class Table:
    """A table without a range key."""

    key: str
    indexes: Mapping[str, Index] = field(default_factory=dict[str, Index])
    items: dict[str, Item] = field(default_factory=dict[str, Item])
    stream: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def order_tables() -> dict[str, Table]:
    """Return the tables of the platform without rows, as {name: table}."""
    return {
        "users": Table(key="user_id"),
        "orders": Table(
            key="order_id",
            indexes={
                "by-user": Index(hash_key="user_id", range_key="created_at"),
                "late": Index(hash_key="late_shard", range_key="created_at", keys_only=True),
            },
        ),
        "inventory": Table(
            key="product_id",
            indexes={"catalog": Index(hash_key="catalog_id", range_key="product_id", keys_only=True)},
        ),
        "idempotency": Table(key="id"),
    }


class FakeDynamoDB:
    """A fake DynamoDB client that stores its tables in memory."""

    def __init__(self, tables: Mapping[str, Table] | None = None) -> None:
        self.tables = dict(tables or order_tables())
        self.faults = Faults("dynamodb")
        self.unprocessed: list[int] = []
        """Number of keys that each of the next BatchGetItem calls leaves unprocessed."""
        self._tokens: dict[str, Any] = {}

    def put(self, table: str, item: Item) -> None:
        """Put a row into `table`. Unlike `put_item`, this method records no call."""
        self._store(table, item[self.tables[table].key]["S"], copy.deepcopy(item))

    def item(self, table: str, key: str) -> Item | None:
        """Return the row of `table` with the key `key`, or None. Unlike `get_item`, this method records no call."""
        return copy.deepcopy(self.tables[table].items.get(key))

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("put_item", arguments, lambda: self._put_item(**arguments))

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("get_item", arguments, lambda: self._get_item(**arguments))

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("update_item", arguments, lambda: self._single("update_item", arguments))

    def delete_item(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("delete_item", arguments, lambda: self._delete_item(**arguments))

    def query(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("query", arguments, lambda: self._query(**arguments))

    def batch_get_item(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("batch_get_item", arguments, lambda: self._batch_get_item(**arguments))

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        return self.faults.run("transact_write_items", arguments, lambda: self._transact(**arguments))

    def _put_item(self, *, TableName: str, Item: Item, **condition: Any) -> dict[str, Any]:  # noqa: N803 - boto3 prescribes the names
        key = Item[self.tables[TableName].key]["S"]
        self._check("put_item", self.tables[TableName].items.get(key), condition)
        self._store(TableName, key, copy.deepcopy(Item))
        return {}

    def _get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> dict[str, Any]:  # noqa: ARG002, N803
        found = self.item(TableName, Key[self.tables[TableName].key]["S"])
        return {"Item": found} if found else {}

    def _delete_item(self, *, TableName: str, Key: Item) -> dict[str, Any]:  # noqa: N803
        self.tables[TableName].items.pop(Key[self.tables[TableName].key]["S"], None)
        return {}

    def _single(self, operation: str, update: Mapping[str, Any]) -> dict[str, Any]:
        after = self._updated(operation, update)
        self._store(update["TableName"], *after)
        return {"Attributes": copy.deepcopy(after[1])} if update.get("ReturnValues") == "ALL_NEW" else {}

    def _updated(self, operation: str, update: Mapping[str, Any]) -> tuple[str, Item]:
        """Return (key of the row, row after the update), without storing the row.

        Raises ClientError if the condition is not met.
        """
        table = self.tables[update["TableName"]]
        key = update["Key"][table.key]["S"]
        before = table.items.get(key)
        used = self._check(operation, before, update)
        after = copy.deepcopy(before) if before else copy.deepcopy(update["Key"])
        Expression(update["UpdateExpression"], _names(update), _values(update), used).update(after)
        unused = {*_names(update), *_values(update)} - used
        if unused:
            raise client_error("ValidationException", operation, f"Value unused in expressions: {unused}")
        return key, after

    def _check(self, operation: str, before: Item | None, request: Mapping[str, Any]) -> set[str]:
        used: set[str] = set()
        condition = request.get("ConditionExpression")
        if condition and not Expression(condition, _names(request), _values(request), used).holds(before):
            shown = before if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
            extra = {"Item": copy.deepcopy(shown)} if shown else {}
            raise client_error(_FAILED, operation, "The conditional request failed", **extra)
        return used

    def _transact(self, *, TransactItems: Sequence[Any], ClientRequestToken: str) -> dict[str, Any]:  # noqa: N803
        if self._tokens.get(ClientRequestToken) == TransactItems:
            return {}
        updates = [entry["Update"] for entry in TransactItems]
        keys = [(update["TableName"], str(update["Key"])) for update in updates]
        if len(updates) > _MOST_ITEMS_OF_A_TRANSACTION or len(set(keys)) != len(keys):
            raise client_error(
                "ValidationException", "TransactWriteItems", "got over 100 items, or several updates of one item"
            )
        rows: list[tuple[str, tuple[str, Item]]] = []
        reasons: list[dict[str, Any]] = []
        for update in updates:
            try:
                rows.append((update["TableName"], self._updated("TransactWriteItems", update)))
                reasons.append({"Code": "None"})
            except ClientError as error:
                answer: Any = error.response
                if answer["Error"]["Code"] != _FAILED:
                    raise
                item = {"Item": answer["Item"]} if "Item" in answer else {}
                reasons.append({"Code": "ConditionalCheckFailed", "Message": answer["Error"]["Message"], **item})
        if len(rows) < len(updates):
            raise cancelled_transaction(reasons)
        for table, row in rows:
            self._store(table, *row)
        self._tokens[ClientRequestToken] = copy.deepcopy(TransactItems)
        return {}

    def _batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, request),) = RequestItems.items()
        keys: list[Item] = request["Keys"]
        if not 1 <= len(keys) <= _MOST_KEYS_OF_A_BATCH:
            raise client_error("ValidationException", "BatchGetItem", "1 to 100 keys")
        left_out = self.unprocessed.pop(0) if self.unprocessed else 0
        taken, rest = keys[: len(keys) - left_out], keys[len(keys) - left_out :]
        # BatchGetItem guarantees no order. Reverse the rows, so that a test fails if its function relies on the order.
        found = [self.item(table, key[self.tables[table].key]["S"]) for key in reversed(taken)]
        return {
            "Responses": {table: [row for row in found if row]},
            "UnprocessedKeys": {table: {"Keys": rest}} if rest else {},
        }

    def _query(self, *, TableName: str, IndexName: str, Limit: int, **request: Any) -> dict[str, Any]:  # noqa: N803
        table = self.tables[TableName]
        index = table.indexes[IndexName]
        condition, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
        found = [row for row in table.items.values() if Expression(condition, {}, values, set()).holds(row)]

        def position(row: Item) -> tuple[str, str]:
            return row[index.range_key]["S"], row[table.key]["S"]

        backwards = not request.get("ScanIndexForward", True)
        found.sort(key=position, reverse=backwards)
        start = request.get("ExclusiveStartKey")
        if start:
            if set(start) != {index.hash_key, index.range_key, table.key}:
                raise client_error("ValidationException", "Query", "The provided starting key is invalid")
            found = [
                r for r in found if (position(r) < position(start) if backwards else position(r) > position(start))
            ]
        kept = {index.hash_key, index.range_key, table.key} if index.keys_only else None
        page = [{name: value for name, value in row.items() if not kept or name in kept} for row in found[:Limit]]
        more = (
            {name: found[Limit - 1][name] for name in (index.hash_key, index.range_key, table.key)}
            if len(found) > Limit
            else {}
        )
        return {"Items": copy.deepcopy(page), "Count": len(page)} | ({"LastEvaluatedKey": more} if more else {})

    def _store(self, table: str, key: str, item: Item) -> None:
        rows = self.tables[table]
        before = rows.items.get(key)
        if before == item:
            return  # DynamoDB writes no stream record if the row does not change.
        rows.items[key] = item
        change = {"SequenceNumber": str(1000 + len(rows.stream)), "Keys": {rows.key: {"S": key}}}
        images = {"NewImage": copy.deepcopy(item)} | ({"OldImage": copy.deepcopy(before)} if before else {})
        rows.stream.append({"eventName": "MODIFY" if before else "INSERT", "dynamodb": {**change, **images}})


def cancelled_transaction(reasons: Sequence[Mapping[str, Any]]) -> ClientError:
    """Return the error for a canceled transaction. `reasons` contains the cancellation reason of each item."""
    return client_error(
        "TransactionCanceledException", "TransactWriteItems", "Transaction cancelled", CancellationReasons=list(reasons)
    )


def _names(request: Mapping[str, Any]) -> Mapping[str, str]:
    return request.get("ExpressionAttributeNames", {})


def _values(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return request.get("ExpressionAttributeValues", {})
