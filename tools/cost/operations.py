"""Runs every operation of the platform with in-memory AWS services, to count its AWS calls.

Each `Case` states the expected calls. docs/cost.md lists these calls, and a test compares them with the actual calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.apis import routes
from contracts.queues import message_group
from shared import rows
from shared.domain.orders import Order, new_order, request_hash
from shared.domain.times import parse_timestamp
from shared.events import DETAIL_TYPES, detail_of
from tests.contracts.answers import operation_of
from tests.fakes.gateway import USER, Answer, Request, http_event, rest_event
from tests.fakes.messages import batch
from tests.fakes.runtime import LoadedFunction
from tests.proof.generated_requests.in_process import InProcessFunctions
from tests.workflow.harness import Workflow

ORDER_ID: Final = "00000000-0000-4000-8000-000000000000"
CREATED: Final = "2026-01-02T03:04:05.678Z"
PAGE: Final = 100


@dataclass
class Cloud:
    """The functions, the workflow and their tables, all in memory."""

    platform: InProcessFunctions
    workflow: Workflow

    def rest(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """Send a request to the REST API as the customer."""
        request = Request(method=method, path=path, body=body, query=query)
        return _fine(Answer(self._function_of(routes.REST_API, request)(rest_event(request))))

    def http(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """Send a request to the HTTP API as an admin."""
        request = Request(method=method, path=path, body=body, query=query, groups=["admin"])
        return _fine(Answer(self._function_of(routes.HTTP_API, request)(http_event(request))))

    def _function_of(self, document: str, request: Request) -> LoadedFunction:
        operation = operation_of(document, request.method, request.path)
        assert operation, f"{document} has no {request.method} {request.path}"
        return self.platform.functions[routes.function_of(operation["operationId"])]

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function with an event."""
        return self.platform.functions[function](event)

    def products(self, number: int) -> list[dict[str, Any]]:
        """Create `number` products, and return order lines for them."""
        ids = [f"product-{position:03}" for position in range(number)]
        for product_id in ids:
            values = rows.product_values(
                {"name": f"Name of {product_id}", "unit_price": 250, "currency": "JPY", "quantity": 1000},
                request_id="r",
            )
            self.platform.dynamodb.put("inventory", {"product_id": {"S": product_id}, **values})
        return [{"product_id": product_id, "quantity": 2} for product_id in ids]

    def order(self, lines: int = 1, *, order_id: str = ORDER_ID, created: str = CREATED) -> Order:
        """Write a PENDING order with `lines` lines to the table, and return the order."""
        order = new_order(order_id, USER, self.products(lines), parse_timestamp(created))  # pyright: ignore[reportArgumentType]
        row = rows.order_row(order, request_hash=request_hash(order["items"]), synchronous=False)
        self.platform.dynamodb.put("orders", row)
        return order

    def orders(self, number: int) -> list[str]:
        """Write `number` orders of the customer to the table, and return their ids, newest first."""
        lines: Any = [{"product_id": "product-000", "quantity": 2}]
        ids = [f"00000000-0000-4000-8000-{position:012d}" for position in range(number)]
        table = self.platform.dynamodb.tables["orders"]
        for position, order_id in enumerate(ids):
            at = parse_timestamp(
                f"2026-01-{1 + position // 3600:02}T00:{position // 60 % 60:02}:{position % 60:02}.000Z"
            )
            order = new_order(order_id, USER, lines, at)
            table.items[order_id] = rows.order_row(order, request_hash="h" * 64, synchronous=False)
        return ids[::-1]

    def confirmed(self, lines: int) -> Order:
        """Return an order with `lines` lines that the STANDARD workflow has confirmed."""
        order = self.order(lines)
        assert self.workflow.run_accepted({"order": order}).status == "SUCCEEDED"
        return order


def _fine(answer: Answer) -> Answer:
    assert answer.status < 300, answer.body
    return answer


def event(order: Order) -> dict[str, Any]:
    """Return the event that EventBridge delivers about the order's current status."""
    return {"detail-type": DETAIL_TYPES[order["status"]], "detail": detail_of(order)}


def messages(order: Order, number: int) -> dict[str, Any]:
    """Return a batch of the analytics queue with `number` events."""
    about: list[Any] = [{**order, "order_id": f"00000000-0000-4000-8000-{position:012d}"} for position in range(number)]
    bodies = [{**detail_of(each), "detail_type": DETAIL_TYPES[each["status"]]} for each in about]
    return batch(*bodies, group=message_group(order["order_id"]))


Play = Callable[[], Any]
"""The operation whose calls are counted."""
Prepare = Callable[[Cloud], Play]
"""Creates the data that the operation needs, and returns the operation."""


@dataclass(frozen=True)
class Case:
    """One operation that runs with a certain amount of data."""

    operation: str
    size: str
    prepare: Prepare
    calls: str
    """The expected calls, for example `GetItem orders, TransactWriteItems orders + 25 inventory`."""
    reads: float = 0
    """Expected read request units of DynamoDB."""
    writes: int = 0
    """Expected write request units, including those of indexes."""
