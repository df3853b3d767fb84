"""Clients use an idempotency key for several requests at the same moment: equal ones, and one with another body.

One key in five is also used by a second user. We broke copies of the program, and the test found each defect:

- The order id was derived from the key alone. Two users with the same key therefore got each other's orders.
- The request hash was the same for all bodies. A request with another body therefore got the first order, not an error.
- getOrder didn't check the order's owner.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest

from local.client import Answer
from shared.domain.orders import order_id_for
from tests.journeys.people import Person, unique
from tests.proof.load.load import Load, at_once, place, status, taken
from tests.proof.plugin import Dose, Proof

pytestmark = [
    pytest.mark.attack("repeated-keys"),
    pytest.mark.emulator,
    pytest.mark.timeout(1200),
]
_DUPLICATES: Final = 4
_WAYS: Final = (("/orders",) * 4, ("/process",) * 4, ("/orders", "/process") * 2)
_OTHERS_EVERY: Final = 5
"""One of this many keys is also used by another user."""
_SOLD_OUT_EVERY: Final = 7
_LATE: Final = 504


@dataclass
class Use:
    """One user's requests with one key, all sent at the same moment: four equal requests, and one with another body."""

    buyer: Person
    key: str
    ways: Sequence[str]
    """Paths of the four equal requests. The request with another body uses the last of these paths."""
    items: dict[str, int]
    other: dict[str, int]
    sold_out: bool
    turn: int
    """The position of the request with another body, from 0 (before the equal requests) to 4 (after them)."""
    answers: list[tuple[str, dict[str, int], Answer]] = field(default_factory=list[Any])
    """Path, items and response of each request."""

    def requests(self) -> list[tuple[str, dict[str, int]]]:
        """Return the path and the items of each request, in the sequence in which the requests are sent."""
        same = [(way, self.items) for way in self.ways]
        return [*same[: self.turn], (self.ways[-1], self.other), *same[self.turn :]]

    @property
    def order_id(self) -> str:
        """The id of the order that the requests create."""
        return order_id_for(self.buyer.sub, self.key)


def test_each_idempotency_key_of_a_user_creates_one_order(load: Load, dose: Dose, proof: Proof) -> None:
    """The first request that arrives with a key creates the order. Later requests with another body are rejected."""
    buyers = load.customers(dose(4, 10))
    stock = 1_000_000
    product, rare = load.admin.put(stock), load.admin.put(0)
    uses = _uses(buyers, product, rare, dose(20, 500))
    _send(uses)
    subs = {each.sub for each in buyers}
    rows = _decided(load, subs)

    by_user = {user: {one for one, row in rows.items() if row["user_id"]["S"] == user} for user in subs}
    sold = sum(sum(taken(row).values()) for row in rows.values())
    events = Counter(event["detail"]["event_id"] for event in _told(load, rows))
    crossings = _crossings(uses)
    equal = [len(_equal_answers(use, rows)) for use in uses]
    answers = [answer for use in uses for _, _, answer in use.answers]
    proof.tried(
        keys=len({use.key for use in uses}),
        requests=len(answers),
        other_bodies=len(uses),
        keys_of_other_users=len(uses) - len({use.key for use in uses}),
    )
    proof.found(
        orders=len(rows),
        equal_answers=sum(equal),
        conflicts=sum(_refused(answer) for answer in answers),
        late_answers=sum(answer.status == _LATE for answer in answers),
        crossings=len(crossings),
    )
    assert set(rows) == {use.order_id for use in uses}
    assert len(rows) == len(uses)
    assert by_user == {user: {use.order_id for use in uses if use.buyer.sub == user} for user in subs}
    assert {user.sub: _listed(user) for user in buyers} == by_user
    assert crossings == []
    assert stock - load.stack.stock(product) == sold
    assert load.stack.stock(rare) == 0
    assert set(events.values()) == {1}
    assert len(events) == 2 * len(rows)
    assert not load.failures()


def _uses(buyers: Sequence[Person], product: str, rare: str, keys: int) -> list[Use]:
    """Return the `Use` objects of `keys` idempotency keys: one object for each user of each key.

    One key in five is used by two users.
    """
    uses: list[Use] = []
    for number in range(keys):
        key, ways = unique("key"), _WAYS[number % len(_WAYS)]
        sold_out = number % _SOLD_OUT_EVERY == 0
        what = rare if sold_out else product
        for user in range(1 + (number % _OTHERS_EVERY == 1)):
            buyer = buyers[(number + user) % len(buyers)]
            turn = number % (_DUPLICATES + 1)
            uses.append(Use(buyer, key, ways, {what: 1 + user}, {what: 10 + user}, sold_out, turn))
    return uses


def _send(uses: Sequence[Use]) -> None:
    """Send all requests. Requests with the same key are sent at the same moment."""

    def one(use: Use, together: threading.Barrier, way: str, items: dict[str, int]) -> None:
        together.wait()
        use.answers.append((way, items, place(use.buyer, way, items, use.key)))

    jobs: list[Callable[[], None]] = []
    for use in uses:
        together = threading.Barrier(_DUPLICATES + 1)
        jobs += [partial(one, use, together, way, items) for way, items in use.requests()]
    # A barrier blocks its jobs until all of them have a thread. The pool starts the jobs in the sequence of this list.
    # The jobs of the oldest barrier always get their threads first, so no barrier waits forever.
    at_once(32, jobs)


def _decided(load: Load, users: set[str]) -> dict[str, dict[str, Any]]:
    def look() -> dict[str, dict[str, Any]]:
        found = load.orders(lambda row: row["user_id"]["S"] in users)
        return {} if any(status(row) == "PENDING" for row in found.values()) else found

    return load.until(look, "no order is PENDING")


def _told(load: Load, rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]]:
        found = load.events(rows)
        return found if len(found) >= 2 * len(rows) else []

    return load.until(look, "the bus has two events for each order")


def _equal_answers(use: Use, rows: Mapping[str, Mapping[str, Any]]) -> list[Answer]:
    """Return the responses to the requests whose body is that of the created order. Fail if any response is wrong."""
    row = rows[use.order_id]
    assert row["user_id"]["S"] == use.buyer.sub
    assert status(row) == ("REJECTED" if use.sold_out else "CONFIRMED")
    stands = {line["M"]["product_id"]["S"]: int(line["M"]["quantity"]["N"]) for line in row["items"]["L"]}
    assert stands in (use.items, use.other)
    equal: list[Answer] = []
    for way, items, answer in use.answers:
        if answer.status == _LATE:
            continue
        assert _refused(answer) == (items != stands), (use, way, items, answer)
        if items != stands:
            continue
        assert answer.status == (202 if way == "/orders" else 409 if use.sold_out else 200), (use, way, answer)
        if answer.status == 409:
            assert answer.json()["code"] == "OutOfStock"
        else:
            order = answer.json()
            assert (order["order_id"], order["user_id"]) == (use.order_id, use.buyer.sub)
            assert order["created_at"] == row["created_at"]["S"]
            assert {line["product_id"]: line["quantity"] for line in order["items"]} == stands
        equal.append(answer)
    return equal


def _refused(answer: Answer) -> bool:
    return answer.status == 409 and answer.json()["code"] == "IdempotencyConflict"


def _crossings(uses: Sequence[Use]) -> list[str]:
    """Return the ids of all orders that a user with the same idempotency key can read, but doesn't own."""
    pairs = [(one, other) for one in uses for other in uses if one.key == other.key and one is not other]
    answers = at_once(8, [lambda a=a, b=b: a.buyer.rest("GET", f"/orders/{b.order_id}") for a, b in pairs])
    return [other.order_id for (_, other), answer in zip(pairs, answers, strict=True) if answer.status != 404]


def _listed(buyer: Person) -> set[str]:
    """Return the ids of all orders that listOrders returns to the user."""
    found: set[str] = set()
    path: str | None = "/orders?limit=100"
    while path:
        page = buyer.rest("GET", path).json()
        found |= {order["order_id"] for order in page["orders"]}
        path = f"/orders?limit=100&cursor={page['next_cursor']}" if "next_cursor" in page else None
    return found
