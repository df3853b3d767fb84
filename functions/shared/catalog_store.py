"""Reads and writes products in the inventory table."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from shared import rows
from shared.aws import existing_row, is_failed_condition
from shared.domain.products import Product
from shared.errors import TooManyRequests
from shared.retries import outside_transactions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.05
# This condition lets a request replace an existing row, unless the row was written by the same request. A row without a
# request_id was written by an older version of the program, so it can also be replaced.
_WRITTEN_BY_ANOTHER_REQUEST: Final = (
    "attribute_exists(product_id) AND (attribute_not_exists(#request_id) OR #request_id <> :request_id)"
)


class CatalogStore:
    """Reads products by id, lists all products in id order, and writes products."""

    def __init__(
        self, client: DynamoDBClient, *, table: str, index: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._index = index
        self._sleep = sleep

    def get(self, product_id: str) -> Product | None:
        """Return the product `product_id`, or None if it does not exist."""
        answer = self._client.get_item(
            TableName=self._table, Key={"product_id": {"S": product_id}}, ConsistentRead=True
        )
        return rows.product_of(answer["Item"]) if "Item" in answer else None

    def page(self, limit: int, *, after: str | None) -> tuple[list[Product], str | None]:
        """Return one page of the catalog: up to `limit` (1-100) products whose ids follow `after`.

        Also returns the last id on this page, or None if no page follows. The catalog's index contains only keys, so a
        change of stock does not update the index. This method therefore reads the products with BatchGetItem, which
        accepts at most 100 keys (DynamoDB API reference).
        """
        start: Any = {} if after is None else {"ExclusiveStartKey": _index_key(after)}
        answer = self._client.query(
            TableName=self._table,
            IndexName=self._index,
            KeyConditionExpression="catalog_id = :catalog",
            ExpressionAttributeValues={":catalog": {"S": rows.CATALOG_PARTITION}},
            Limit=limit + 1,  # One extra key shows whether another page follows.
            **start,
        )
        items: list[rows.Row] = cast("Any", answer)["Items"]
        ids: list[str] = [item["product_id"]["S"] for item in items]
        # Take the last id from the index and not from the result of `read`. The index is eventually consistent, so it
        # can list a product that no longer exists, and `read` leaves such a product out.
        return self.read(ids[:limit]), ids[limit - 1] if len(ids) > limit else None

    def put(self, product: Product, *, request_id: str) -> bool:
        """Create or replace the product. Return True if it was created.

        The SDK retries a write whose response was lost. A repeated write could undo sales made in the meantime, or
        report a new product as replaced. Each write therefore stores `request_id` in the row, under the condition that
        the row does not contain this id yet. If the row contains the id, an earlier attempt was successful.
        """
        for _ in range(_TRIES):
            if self._replace(product, request_id):
                return False
            if self._create(product, request_id):
                return True
        raise TooManyRequests("product: too many concurrent changes; retry the request")

    def _replace(self, product: Product, request_id: str) -> bool:
        """Replace the product if it exists. Return whether the product existed."""
        try:
            self._write(product, request_id, _WRITTEN_BY_ANOTHER_REQUEST)
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return _is_own(existing_row(error), request_id)
        return True

    def _create(self, product: Product, request_id: str) -> bool:
        """Create the product if it does not exist. Return whether the product was new."""
        try:
            self._write(product, request_id, "attribute_not_exists(product_id)")
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return _is_own(existing_row(error), request_id)
        return True

    def _write(self, product: Product, request_id: str, condition: str) -> None:
        values = rows.product_values(product, request_id=request_id)
        outside_transactions(
            lambda: self._client.update_item(
                TableName=self._table,
                Key={"product_id": {"S": product["product_id"]}},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=condition,
                # The expression contains aliases of the attribute names, because `name` is a reserved word of DynamoDB.
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )

    def read(self, product_ids: Iterable[str]) -> list[Product]:
        """Return the products with these ids, in the order of `product_ids`. Leave out products that do not exist.

        `product_ids` must contain at most 100 ids, all different. Raises TooManyRequests if DynamoDB leaves keys
        unprocessed in every attempt.
        """
        ids = list(product_ids)
        found: dict[str, Product] = {}
        keys: list[Any] = [{"product_id": {"S": product_id}} for product_id in ids]
        for attempt in range(_TRIES):
            if not keys:
                break
            if attempt:
                self._sleep(random.uniform(0.5, 1) * _FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - jitter needs no secure random numbers
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys}})
            for row in answer["Responses"].get(self._table, []):
                product = rows.product_of(row)
                found[product["product_id"]] = product
            unprocessed: dict[str, Any] = cast("Any", answer).get("UnprocessedKeys") or {}
            keys = unprocessed.get(self._table, {}).get("Keys", [])
        if keys:
            raise TooManyRequests("catalog: too busy; retry the request")
        return [found[product_id] for product_id in ids if product_id in found]


def _is_own(row: rows.Row | None, request_id: str) -> bool:
    return row is not None and row.get("request_id", {}).get("S") == request_id


def _index_key(product_id: str) -> dict[str, Any]:
    return {"catalog_id": {"S": rows.CATALOG_PARTITION}, "product_id": {"S": product_id}}
