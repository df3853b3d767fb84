"""A fake DynamoDB whose transactions take simulated time and conflict with other writes, as on AWS.

DynamoDB does not let conflicting writes wait, but rejects them. While a transaction holds an item, another transaction
with this item is canceled with the reason TransactionConflict, and a single write to this item fails with
TransactionConflictException. GetItem calls for this item succeed. Source:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.fakes.dynamodb import FakeDynamoDB, cancelled_transaction
from tests.fakes.faults import client_error
from tests.fakes.runtime import Time

_REFUSAL_S: Final = 0.008
"""Seconds until DynamoDB's response to a refused call arrives."""


class ConflictingDynamoDB(FakeDynamoDB):
    """A fake DynamoDB in which each transaction holds its items for the number of seconds that `held_s` returns."""

    def __init__(self, time: Time, held_s: Callable[[], float]) -> None:
        super().__init__()
        self._time = time
        self._held_s = held_s
        self._free_at: dict[tuple[str, str], float] = {}
        """The time at which the transaction of an item ends."""
        self.conflicts: Counter[str] = Counter()
        """Number of refused calls, by operation."""

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        updates = [entry["Update"] for entry in arguments["TransactItems"]]
        items = [self._item(update["TableName"], update["Key"]) for update in updates]
        busy = [self._is_held(item) for item in items]
        if any(busy):
            self._refuse("transact_write_items")
            raise cancelled_transaction([{"Code": "TransactionConflict" if each else "None"} for each in busy])
        held_s = self._held_s()
        self._free_at |= dict.fromkeys(items, self._time.monotonic() + held_s)
        try:
            return super().transact_write_items(**arguments)
        finally:
            self._time.sleep(held_s)

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        self._write("put_item", arguments["TableName"], arguments["Item"])
        return super().put_item(**arguments)

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        self._write("update_item", arguments["TableName"], arguments["Key"])
        return super().update_item(**arguments)

    def _write(self, operation: str, table: str, attributes: Mapping[str, Any]) -> None:
        if self._is_held(self._item(table, attributes)):
            self._refuse(operation)
            raise client_error("TransactionConflictException", operation, "Transaction is ongoing for the item")

    def _refuse(self, operation: str) -> None:
        self.conflicts[operation] += 1
        self._time.sleep(_REFUSAL_S)

    def _item(self, table: str, attributes: Mapping[str, Any]) -> tuple[str, str]:
        return table, attributes[self.tables[table].key]["S"]

    def _is_held(self, item: tuple[str, str]) -> bool:
        return self._time.monotonic() < self._free_at.get(item, 0)
