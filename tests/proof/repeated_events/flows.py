"""Orders with different histories (flows), for example confirmed or cancelled, and their final states."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.journeys.people import Person
from tests.journeys.rows import OLD, pending, write_undecided
from tests.journeys.stack import Stack
from tests.proof.aws_faults.checks import SUBJECTS
from tests.proof.repeated_events.state import State, rows

UNITS: Final = 2
"""Quantity in each order."""
AT_ONCE: Final = 6
LATER: Final = ("confirmed", "rejected", "cancelled")
"""Flows of POST /orders that begin with OrderCreated."""
FAILED: Final = "failed"
"""The flow of orders that reach the time limit of their workflow before they are decided."""
WITHDRAWN: Final = "withdrawn"
"""The flow of orders that are cancelled before their workflow starts."""
AT_ONCE_FLOWS: Final = ("confirmed at once", "rejected at once", "cancelled at once")
"""Flows of POST /process, which don't wait for OrderCreated."""
FLOWS: Final = (*LATER, FAILED, WITHDRAWN, *AT_ONCE_FLOWS)
ENDS: Final = {
    "confirmed": ("PENDING", "CONFIRMED"),
    "rejected": ("PENDING", "REJECTED"),
    "cancelled": ("PENDING", "CONFIRMED", "CANCELLED"),
    "failed": ("PENDING", "FAILED"),
    "withdrawn": ("PENDING", "CANCELLED"),
}
"""The statuses of each flow, in the sequence in which an order reaches them.

Flows with the suffix "at once" have the same statuses.
"""
_ALIKE: Final = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z"), "TIME"),
    (re.compile(r"dt=\d{4}-\d\d-\d\d"), "dt=DAY"),
    (re.compile(r"product-\d+-[0-9a-f]{6}"), "PRODUCT"),
)


def statuses(flow: str) -> tuple[str, ...]:
    """Return the statuses of an order with this flow, in the sequence in which the order reaches them."""
    return ENDS[flow.removesuffix(" at once")]


@dataclass
class Orders:
    """Orders by flow. Each flow has its own product, and all orders belong to one customer."""

    stack: Stack
    admin: Person
    customer: Person
    ids: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list[str]))
    products: dict[str, str] = field(default_factory=dict[str, str])
    stocked: dict[str, int] = field(default_factory=dict[str, int])
    """Initial stock by flow."""

    @property
    def all(self) -> dict[str, str]:
        """The flow of each order, by order id."""
        return {order_id: flow for flow, ids in self.ids.items() for order_id in ids}

    def stock(self, number: int) -> None:
        """Create a product for each flow.

        The products of rejected orders have too little stock. All other products have more than enough.
        """
        for flow in FLOWS:
            self.stocked[flow] = UNITS - 1 if flow.startswith("rejected") else 3 * UNITS * number
            self.products[flow] = self.admin.put(self.stocked[flow])

    def place_at_once(self, number: int) -> None:
        """Place `number` orders for each flow that uses POST /process, and for the flow WITHDRAWN.

        Cancel the orders of WITHDRAWN and of the flow "cancelled at once".
        """
        for flow in AT_ONCE_FLOWS:
            self._place(flow, number, self._process)
        self.ids.update({flow: self._found(self.products[flow]) for flow in AT_ONCE_FLOWS})
        self.cancel("cancelled at once")
        self._place(WITHDRAWN, number, self._order)
        self.cancel(WITHDRAWN)

    def place(self, flow: str, number: int) -> None:
        """Place `number` orders of a flow with POST /orders."""
        self._place(flow, number, self._order)

    def fail(self, number: int) -> None:
        """Write `number` old PENDING orders, start their executions and abort them.

        After an abort, `fail_order` sets the order to FAILED. The caller must withhold the orders' events from the
        relay meanwhile. Otherwise, `process_order` could start an order's execution first, and Step Functions would
        refuse a second execution with the same name.
        """
        self._place(FAILED, number, self._abandon)

    def cancel(self, flow: str) -> None:
        """Cancel all orders of a flow."""

        def one(order_id: str) -> None:
            answer = self.customer.rest("POST", f"/orders/{order_id}/cancel")
            assert answer.status == 200, answer

        self._at_once(one, self.ids[flow])

    def _order(self, flow: str) -> None:
        self.ids[flow].append(self.customer.order({self.products[flow]: UNITS})["order_id"])

    def _process(self, flow: str) -> None:
        answer = self.customer.process({self.products[flow]: UNITS})
        assert answer.status in (200, 409), answer

    def _abandon(self, flow: str) -> None:
        order = pending(self.customer, self.products[flow], age=OLD)
        write_undecided(self.stack, order)
        self.ids[flow].append(order["order_id"])
        # The execution gets an empty input, so it can't decide the order before the next call stops it.
        machine, named = self.stack.ops["stateMachines"]["standard"], {"name": order["order_id"], "input": "{}"}
        started = self.stack.aws("stepfunctions", "start_execution", stateMachineArn=machine, **named)
        self.stack.aws("stepfunctions", "stop_execution", executionArn=started["executionArn"])

    def _found(self, product: str) -> list[str]:
        """Return the ids of all orders of a product.

        The ids come from the table, because a rejected POST /process doesn't return the order's id.
        """
        found = rows(self.stack, "orders")
        return [row["order_id"]["S"] for row in found if product in json.dumps(row["items"])]

    def _place(self, flow: str, number: int, place: Callable[[str], None]) -> None:
        self._at_once(place, [flow] * number)

    def _at_once(self, do: Callable[[str], None], what: Iterable[str]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(do, what))


def left_of(state: State, orders: Orders) -> dict[str, Counter[str]]:
    """Return {flow: {final state: number of orders}}.

    A final state is a text that lists everything stored about an order.

    The text leaves out the emails about earlier statuses. `send_email` sends them only if their events arrive before
    the event about the last status.
    """
    things: defaultdict[str, list[str]] = defaultdict(list)
    flows = orders.all
    for order_id, thing in state.things:
        earlier = statuses(flows[order_id])[:-1] if order_id in flows else ()
        if not thing.startswith(tuple(f"{SUBJECTS[status]}: " for status in earlier)):
            things[order_id].append(alike(thing))
    return {flow: Counter("\n".join(sorted(things[order_id])) for order_id in ids) for flow, ids in orders.ids.items()}


def alike(text: str) -> str:
    """Replace ids, times and product ids in a text, so that the texts of two orders with the same flow are equal."""
    for pattern, word in _ALIKE:
        text = pattern.sub(word, text)
    return text


def sold(state: State, orders: Orders) -> dict[str, int]:
    """Return {flow: sold quantity of the flow's product}."""
    stock = {row["product_id"]["S"]: int(row["quantity"]["N"]) for row in state.tables["inventory"]}
    return {flow: orders.stocked[flow] - stock[product] for flow, product in orders.products.items()}


def out_of_order(event_ids: Sequence[str]) -> int:
    """Return how many events arrived after an event with a later status of the same order.

    Each event id has the form `{order_id}:{status}`.
    """
    places = {status: place for flow in ENDS.values() for place, status in enumerate(flow)} | {"CANCELLED": 2}
    furthest: dict[str, int] = {}
    late = 0
    for event_id in event_ids:
        order_id, _, status = event_id.partition(":")
        late += places[status] < furthest.get(order_id, 0)
        furthest[order_id] = max(furthest.get(order_id, 0), places[status])
    return late
