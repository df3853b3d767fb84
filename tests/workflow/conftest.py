"""Fixtures with the workflow and its tables, and helpers that create inputs and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from shared import rows
from shared.domain import orders
from tests.fakes.dynamodb import FakeDynamoDB
from tests.workflow.harness import Workflow, workflow

USER = "8d6b0c1e-0000-4000-8000-000000000001"
ORDER_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
CREATED = "2026-01-02T03:04:05.678Z"

Lines = Sequence[tuple[str, int]]


def express(lines: Lines, *, key: str = "key-1", **fields: Any) -> dict[str, Any]:
    """Return the input that API Gateway sends to the EXPRESS state machine. `fields` are more fields of the body."""
    return {"request": {"user_id": USER, "idempotency_key": key, "content": {"items": _items(lines), **fields}}}


def standard(lines: Lines, *, order_id: str = ORDER_ID) -> dict[str, Any]:
    """Return the input that process_order sends to the STANDARD state machine."""
    return {"order": pending(lines, order_id=order_id)}


def pending(lines: Lines, *, order_id: str = ORDER_ID) -> Any:
    """Return an accepted order, which is PENDING."""
    return {
        "order_id": order_id,
        "user_id": USER,
        "status": "PENDING",
        "items": _items(lines),
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def sync_order_id(key: str = "key-1") -> str:
    """Return the id of the synchronous order with the idempotency key `key`."""
    return orders.order_id_for(USER, key)


def _items(lines: Lines) -> list[dict[str, Any]]:
    return [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]


class Tables:
    """Writes rows, and reads them in the format of the APIs."""

    def __init__(self, dynamodb: FakeDynamoDB) -> None:
        self.dynamodb = dynamodb

    def product(self, product_id: str, quantity: int, unit_price: int = 500, currency: str = "JPY") -> None:
        """Put a product into the inventory table."""
        product = {
            "product_id": {"S": product_id},
            "name": {"S": f"Product {product_id}"},
            "unit_price": {"N": str(unit_price)},
            "currency": {"S": currency},
            "quantity": {"N": str(quantity)},
            "catalog_id": {"S": "products"},
        }
        self.dynamodb.put("inventory", product)

    def stock(self, product_id: str) -> int:
        """Return the stock of a product."""
        row = self.dynamodb.item("inventory", product_id)
        assert row
        return int(row["quantity"]["N"])

    def accepted(
        self,
        lines: Lines,
        *,
        order_id: str = ORDER_ID,
        synchronous: bool = False,
        expected_total: int | None = None,
    ) -> None:
        """Put the row of an accepted order into the orders table."""
        order = pending(lines, order_id=order_id)
        row = rows.order_row(
            order,
            request_hash=orders.request_hash(order["items"], expected_total),
            synchronous=synchronous,
            expected_total=expected_total,
        )
        self.dynamodb.put("orders", row)

    def change(self, order_id: str, values: Mapping[str, Any]) -> None:
        """Overwrite attributes of an order's row, as a concurrent request would."""
        row = self.dynamodb.item("orders", order_id)
        assert row
        self.dynamodb.put("orders", {**row, **values})

    def order(self, order_id: str = ORDER_ID) -> Any:
        """Return the order in the format of the API, or None if it has no row."""
        row = self.dynamodb.item("orders", order_id)
        return rows.order_of(row) if row else None


@pytest.fixture
def tables() -> Tables:
    """Helper for empty tables."""
    return Tables(FakeDynamoDB())


@pytest.fixture
def order_workflow(tables: Tables) -> Iterator[Workflow]:
    """The workflow, connected to `tables`."""
    with workflow(tables.dynamodb) as made:
        yield made


@pytest.fixture
def cancel(tables: Tables) -> Callable[[str], Callable[[], None]]:
    """Return a function that takes an order id, and returns a callback that cancels this order."""
    return lambda order_id: lambda: tables.change(order_id, {"status": {"S": "CANCELLED"}})
