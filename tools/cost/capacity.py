"""Computes the capacity units that a DynamoDB call consumes, by AWS's rules (DynamoDB: capacity unit consumption)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Final, Literal, cast

from contracts.orders import LATE_SHARD

_READ_BYTES: Final = 4096
_WRITE_BYTES: Final = 1024
# For a number, DynamoDB counts one byte for every two digits, plus one byte. For a list or map, it counts three bytes,
# plus one byte for each element.
_DIGITS_OF_A_BYTE: Final = 2
_COLLECTION_BYTES: Final = 3

Item = Mapping[str, Any]
"""A row or a key in DynamoDB's JSON."""
SPARSE: Final = "SPARSE"
"""Projection type of an index that contains only keys, and only the few rows that have its partition key."""
Kind = Literal["get", "query", "put", "update"]


@dataclass(frozen=True)
class Units:
    """Read and write request units."""

    reads: float = 0
    writes: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(self.reads + other.reads, self.writes + other.writes)


@dataclass(frozen=True)
class Access:
    """One row that a call reads or writes, or one page that a query reads."""

    kind: Kind
    table: str
    size: int
    """Size in bytes of the row after the access, or of all rows of the page together."""
    is_transactional: bool = False
    is_consistent: bool = False
    marks: bool = False
    """Whether the write adds the row to the sparse index of late orders."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON, without fields that are False."""
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
    """Yield the accesses of a call of `operation` (`PutItem`, `putItem` or `put_item`).

    `row_size(table, key)` returns the size of a row in bytes, and `page_size(arguments)` the size of a Query's
    response. Raises ValueError for an operation that the platform doesn't use.
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
            size = row_size(arguments["TableName"], arguments["Key"])
            yield Access("update", arguments["TableName"], size, marks=f"SET {LATE_SHARD}" in _update_of(arguments))
        case "transactwriteitems":
            for update in [part["Update"] for part in arguments["TransactItems"]]:
                size = row_size(update["TableName"], update["Key"])
                yield Access("update", update["TableName"], size, is_transactional=True)
        case _:
            raise ValueError(
                f"operation: got {operation}, which has no rule for its units; add one to tools/cost/capacity.py"
            )


def units(access: Access, projections: Mapping[str, Mapping[str, str]]) -> Units:
    """Return the units that `access` consumes. `projections` is {table: {index: ALL, KEYS_ONLY or SPARSE}}.

    A write also changes indexes of the table. A new row is written to each ALL or KEYS_ONLY index. A changed row is
    written only to ALL indexes, because KEYS_ONLY indexes contain no attribute that changes. A SPARSE index contains no
    new rows. An update adds a row to it if `access.marks` is true.
    """
    if access.kind in ("get", "query"):
        whole = max(1, ceil(access.size / _READ_BYTES))
        return Units(reads=whole if access.is_consistent else whole / 2)
    own = max(1, ceil(access.size / _WRITE_BYTES))
    indexes = projections.get(access.table, {}).values()
    copies = sum(_copied(access, own, projection) for projection in indexes)
    return Units(writes=own * (2 if access.is_transactional else 1) + copies)


def projection_type(partition_key: str, declared: str) -> str:
    """Return an index's projection type as `units` needs it: SPARSE for the index of late orders, else `declared`."""
    return SPARSE if partition_key == LATE_SHARD else declared


def _copied(access: Access, own: int, projection: str) -> int:
    if projection == SPARSE:
        return int(access.marks)
    return own if projection == "ALL" else int(access.kind == "put")


def _update_of(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("UpdateExpression", ""))
