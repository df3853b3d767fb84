"""Computes the request units that a DynamoDB call consumes (DynamoDB guide: capacity unit consumption)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Final, Literal, cast

_READ_BYTES: Final = 4096
_WRITE_BYTES: Final = 1024
# DynamoDB counts one byte for two digits of a number, plus one byte per number. It counts three bytes for each list or
# map, plus one byte for each element.
_DIGITS_OF_A_BYTE: Final = 2
_COLLECTION_BYTES: Final = 3

Item = Mapping[str, Any]
"""A row or a key in DynamoDB's JSON format, for example {"order_id": {"S": "o-1"}}."""
Kind = Literal["get", "query", "put", "update"]


@dataclass(frozen=True)
class Units:
    """Read request units and write request units."""

    reads: float = 0
    writes: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(self.reads + other.reads, self.writes + other.writes)


@dataclass(frozen=True)
class Access:
    """One access to a row by a call, or the access of a query to all rows of a page."""

    kind: Kind
    table: str
    size: int
    """Size in bytes of the row after the access, or of all rows of the page together."""
    is_transactional: bool = False
    is_consistent: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the fields as a dict, without flags that are False."""
        return {name: value for name, value in asdict(self).items() if value is not False}


def size_of(item: Item) -> int:
    """Return the size of a row in bytes: the names and values of its attributes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(cast("str", content).encode())
        case "N":
            return ceil(len(cast("str", content).lstrip("-")) / _DIGITS_OF_A_BYTE) + 1
        case "L":
            elements = cast("list[Any]", content)
            return _COLLECTION_BYTES + len(elements) + sum(_value_size(element) for element in elements)
        case "M":
            fields = cast("dict[str, Any]", content)
            return _COLLECTION_BYTES + len(fields) + size_of(fields)
        case _:
            return 1  # DynamoDB counts one byte for a BOOL or NULL value.


def accesses(
    operation: str,
    arguments: Mapping[str, Any],
    *,
    row_size: Callable[[str, Item], int],
    page_size: Callable[[Mapping[str, Any]], int] | None = None,
) -> Iterator[Access]:
    """Yield every access of a call of `operation` (`PutItem`, `putItem` or `put_item`) to a table.

    `row_size` returns the size in bytes of the row with a given key in a table. `page_size` returns the size of all
    rows that a Query returns. Raises ValueError for an operation that the platform does not use.
    """
    match operation.replace("_", "").lower():
        case "getitem":
            size = row_size(arguments["TableName"], arguments["Key"])
            yield Access("get", arguments["TableName"], size, is_consistent=arguments.get("ConsistentRead", False))
        case "batchgetitem":
            for table, asked in cast("dict[str, Any]", arguments["RequestItems"]).items():
                consistent = asked.get("ConsistentRead", False)
                yield from (
                    Access("get", table, row_size(table, key), is_consistent=consistent) for key in asked["Keys"]
                )
        case "query" if page_size:
            yield Access("query", arguments["TableName"], page_size(arguments))
        case "putitem":
            yield Access("put", arguments["TableName"], size_of(arguments["Item"]))
        case "updateitem":
            yield Access("update", arguments["TableName"], row_size(arguments["TableName"], arguments["Key"]))
        case "transactwriteitems":
            for update in [part["Update"] for part in arguments["TransactItems"]]:
                size = row_size(update["TableName"], update["Key"])
                yield Access("update", update["TableName"], size, is_transactional=True)
        case _:
            raise ValueError(
                f"operation: got {operation}, whose request units are unknown; add it to tools/cost/capacity.py"
            )


def units(access: Access, projections: Mapping[str, Mapping[str, str]]) -> Units:
    """Return the request units that `access` consumes. `projections` maps table and index to ALL or KEYS_ONLY.

    DynamoDB writes to an index if the projected attributes change. A new row always changes them, and an update
    changes them only in an index with the projection ALL, because no update of the platform changes an index key.
    """
    if access.kind in ("get", "query"):
        whole = max(1, ceil(access.size / _READ_BYTES))
        return Units(reads=whole if access.is_consistent else whole / 2)
    own = max(1, ceil(access.size / _WRITE_BYTES))
    indexes = projections.get(access.table, {}).values()
    copies = sum(own if projection == "ALL" else access.kind == "put" for projection in indexes)
    return Units(writes=own * (2 if access.is_transactional else 1) + copies)
