"""Orders of every fate, and what is left of each in the end."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.journeys.breakages import denied
from tests.journeys.people import Person
from tests.journeys.stack import Stack
from tests.proof.repeated_events.state import State, rows

UNITS: Final = 2
"""Of its product in each order."""
AT_ONCE: Final = 6
LATER: Final = ("confirmed", "rejected", "cancelled")
"""Fates of POST /orders that begin with OrderCreated."""
FAILED: Final = "failed"
"""The same, while the workflow is broken."""
WITHDRAWN: Final = "withdrawn"
"""Cancelled before anything began."""
AT_ONCE_FATES: Final = ("confirmed at once", "rejected at once", "cancelled at once", "failed at once")
"""Of POST /process, which does without OrderCreated."""
FATES: Final = (*LATER, FAILED, WITHDRAWN, *AT_ONCE_FATES)
ENDS: Final = {
    "confirmed": ("PENDING", "CONFIRMED"),
    "rejected": ("PENDING", "REJECTED"),
    "cancelled": ("PENDING", "CONFIRMED", "CANCELLED"),
    "failed": ("PENDING", "FAILED"),
    "withdrawn": ("PENDING", "CANCELLED"),
}
"""Statuses of each fate, in their sequence; one `at once` has the same."""
_ALIKE: Final = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z"), "TIME"),
    (re.compile(r"dt=\d{4}-\d\d-\d\d"), "dt=DAY"),
    (re.compile(r"product-\d+-[0-9a-f]{6}"), "PRODUCT"),
)


def statuses(fate: str) -> tuple[str, ...]:
    """Return the statuses that an order of this fate has one after the other."""
    return ENDS[fate.removesuffix(" at once")]


@dataclass
class Orders:
    """Orders by fate, each fate with a product of its own, all of one customer."""

    stack: Stack
    admin: Person
    customer: Person
    ids: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list[str]))
    products: dict[str, str] = field(default_factory=dict[str, str])
    stocked: dict[str, int] = field(default_factory=dict[str, int])
    """Fate -> units in stock before."""

    @property
    def all(self) -> dict[str, str]:
        """Order id -> fate."""
        return {order_id: fate for fate, ids in self.ids.items() for order_id in ids}

    def stock(self, number: int) -> None:
        """Put a product for each fate into the catalogue, with more than enough but for the rejected ones."""
        for fate in FATES:
            self.stocked[fate] = UNITS - 1 if fate.startswith("rejected") else 3 * UNITS * number
            self.products[fate] = self.admin.put(self.stocked[fate])

    def place_at_once(self, number: int) -> None:
        """Place orders by POST /process, and withdraw some of POST /orders before anything begins with them."""
        for fate in AT_ONCE_FATES[:-1]:
            self._place(fate, number, self._process)
        with denied(self.stack, "order-express", "dynamodb:BatchGetItem"):
            self._place(AT_ONCE_FATES[-1], number, self._process)
        self.ids.update({fate: self._found(self.products[fate]) for fate in AT_ONCE_FATES})
        self.cancel("cancelled at once")
        self._place(WITHDRAWN, number, self._order)
        self.cancel(WITHDRAWN)

    def place(self, fate: str, number: int) -> None:
        """Place orders by POST /orders."""
        self._place(fate, number, self._order)

    def cancel(self, fate: str) -> None:
        """Cancel all orders of a fate."""

        def one(order_id: str) -> None:
            answer = self.customer.rest("POST", f"/orders/{order_id}/cancel")
            assert answer.status == 200, answer

        self._at_once(one, self.ids[fate])

    def _order(self, fate: str) -> None:
        self.ids[fate].append(self.customer.order({self.products[fate]: UNITS})["order_id"])

    def _process(self, fate: str) -> None:
        answer = self.customer.process({self.products[fate]: UNITS})
        assert answer.status in (200, 409, 500), answer

    def _found(self, product: str) -> list[str]:
        """Return the orders of a product: a refused POST /process does not tell its order's id."""
        found = rows(self.stack, "orders")
        return [row["order_id"]["S"] for row in found if product in json.dumps(row["items"])]

    def _place(self, fate: str, number: int, place: Callable[[str], None]) -> None:
        self._at_once(place, [fate] * number)

    def _at_once(self, do: Callable[[str], None], what: Iterable[str]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(do, what))


def left_of(state: State, orders: Orders) -> dict[str, Counter[str]]:
    """Return what is left of the orders of each fate: a text that orders alike have in common, and how many have it."""
    things: defaultdict[str, list[str]] = defaultdict(list)
    for order_id, thing in state.things:
        things[order_id].append(alike(thing))
    return {fate: Counter("\n".join(sorted(things[order_id])) for order_id in ids) for fate, ids in orders.ids.items()}


def alike(text: str) -> str:
    """Return a text without what differs between two orders alike."""
    for pattern, word in _ALIKE:
        text = pattern.sub(word, text)
    return text


def sold(state: State, orders: Orders) -> dict[str, int]:
    """Return how many units of each fate's product are gone."""
    stock = {row["product_id"]["S"]: int(row["quantity"]["N"]) for row in state.tables["inventory"]}
    return {fate: orders.stocked[fate] - stock[product] for fate, product in orders.products.items()}


def out_of_order(event_ids: Sequence[str]) -> int:
    """Return how many events came after one that their order's life has later: `{order_id}:{status}` each."""
    places = {status: place for fate in ENDS.values() for place, status in enumerate(fate)} | {"CANCELLED": 2}
    furthest: dict[str, int] = {}
    late = 0
    for event_id in event_ids:
        order_id, _, status = event_id.partition(":")
        late += places[status] < furthest.get(order_id, 0)
        furthest[order_id] = max(furthest.get(order_id, 0), places[status])
    return late
