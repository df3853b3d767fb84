"""A state machine for Hypothesis: its rules are the actions of users, and accidents inside the platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.proof.order_life.activities import Activity, CallOutcome
from tests.proof.order_life.answers import Answers, Call, Request
from tests.proof.order_life.history import History, User
from tests.proof.order_life.stepped import SteppedPlatform

PRODUCTS: Final = ("p0", "p1", "p2")
"""The last product is not in the catalog until an admin creates it."""
_numbers: Final = st.integers(0, 40)
_products: Final = st.sampled_from(["p0"] * 6 + ["p1"] * 4 + ["p2"])
_at_once: Final = st.sampled_from([False, False, True])
_quantities: Final = st.integers(1, 3)
_lines: Final = st.dictionaries(_products, _quantities, min_size=1, max_size=2).map(lambda lines: tuple(lines.items()))
_keys: Final = st.sampled_from([None, "k0", "k1"])
_outcomes: Final = st.sampled_from([CallOutcome.FINE] * 15 + list(CallOutcome))
_orders: Final = st.tuples(
    st.sampled_from(["createOrder", "createOrder", "processOrder"]), st.integers(0, 2), _lines, _keys
)


_BRINKS: Final = ("transact_write_items", "update_item", "dynamodb:updateItem", "send_email", "put_events")


class System(Protocol):
    """The platform under test."""

    history: History
    answers: Answers

    def send(self, request: Request, *, at_once: bool) -> Call: ...
    def settle(self) -> None: ...
    def repeat_event(self, number: int) -> None: ...
    def close(self) -> None: ...


class OrderLife(RuleBasedStateMachine):
    """The rules for the actions of users."""

    users: ClassVar[Sequence[User]]
    """Three customers and, as the last user, an admin."""
    system: System

    def __init__(self) -> None:
        super().__init__()
        self.system = self.make()
        self.history: History = self.system.history

    def make(self) -> System:
        """Return a new platform."""
        raise NotImplementedError

    @initialize(
        stock=st.lists(st.integers(2, 9), min_size=2, max_size=2),
        price=st.integers(1, 9),
        orders=st.lists(_orders, min_size=1, max_size=3),
    )
    def start(self, stock: list[int], price: int, orders: list[tuple[str, int, Any, str | None]]) -> None:
        """Write products and place orders. Without this start, a run of random rules could contain no order."""
        for name, quantity in zip(PRODUCTS, stock, strict=False):
            self._put(self.users[-1], name, quantity, price, "JPY")
        for way, who, items, key in orders:
            self._send(way, self.users[who], at_once=False, items=items, key=key)

    @rule(who=st.integers(0, 2), items=_lines, key=_keys, at_once=_at_once)
    def order(self, who: int, items: Any, key: str | None, at_once: bool) -> None:
        self._send("createOrder", self.users[who], at_once=at_once, items=items, key=key)

    @rule(who=st.integers(0, 2), items=_lines, key=_keys, at_once=_at_once)
    def process(self, who: int, items: Any, key: str | None, at_once: bool) -> None:
        self._send("processOrder", self.users[who], at_once=at_once, items=items, key=key)

    @precondition(lambda self: self.placed)
    @rule(number=_numbers, way=st.sampled_from(["createOrder", "processOrder"]), at_once=_at_once)
    def repeat(self, number: int, way: str, at_once: bool) -> None:
        """Send an earlier order again with the same key and body, to `createOrder` or `processOrder`."""
        first = self.placed[number % len(self.placed)].request
        self._send(way, first.user, at_once=at_once, items=first.items, key=first.key)

    @precondition(lambda self: self.history.tracked_orders)
    @rule(number=_numbers, who=st.integers(0, 7), times=st.integers(1, 2), at_once=_at_once)
    def cancel(self, number: int, who: int, times: int, at_once: bool) -> None:
        """Cancel an order once, or twice in a row as with a double click."""
        order_id, owner = self._order(number)
        for _ in range(times):
            self._send("cancelOrder", self._somebody(owner, who), at_once=at_once, name=order_id)

    @rule(
        what=st.sampled_from(["order", "list", "page", "product"]),
        number=_numbers,
        who=st.integers(0, 7),
        at_once=_at_once,
    )
    def look(self, what: str, number: int, who: int, at_once: bool) -> None:
        """Read an order, a product, all orders of a user page by page, or one page with a cursor of any user."""
        user = self.users[who % len(self.users)]
        cursors = list(self.system.answers.cursors)
        if what == "order" and self.history.tracked_orders:
            order_id, owner = self._order(number)
            self._send("getOrder", self._somebody(owner, who), at_once=at_once, name=order_id)
        elif what == "page" and cursors:
            cursor = cursors[number % len(cursors)]
            self._send("listOrders", user, at_once=at_once, cursor=cursor, limit=2)
        elif what == "product":
            self._send("getProduct", user, at_once=at_once, name=PRODUCTS[number % len(PRODUCTS)])
        else:
            self._pages(user, 1 + number % 3)

    @rule(
        name=_products,
        quantity=st.integers(0, 6),
        price=st.integers(1, 9),
        currency=st.sampled_from(["JPY", "JPY", "USD"]),
        at_once=st.booleans(),
    )
    def put(self, name: str, quantity: int, price: int, currency: str, at_once: bool) -> None:
        """Change a product's stock and price. Sometimes a customer tries to do so, which the API must reject."""
        user = self.users[0 if quantity == 6 else -1]
        self._put(user, name, quantity, price, currency, at_once=at_once)

    @precondition(lambda self: self.history.published)
    @rule(number=_numbers)
    def event_comes_again(self, number: int) -> None:
        """Deliver an event again, late and out of order, like a duplicate delivery or a replay of the archive."""
        self.system.repeat_event(number)

    @precondition(lambda self: self.history.at > 8)
    @rule()
    def settle(self) -> None:
        self.system.settle()

    def teardown(self) -> None:
        try:
            self.system.settle()
            for user in self.users:
                self._pages(user, 3)
                for tracked in self.history.tracked_orders.values():
                    self._send("getOrder", user, at_once=True, name=tracked.order_id)
        finally:
            self.system.close()

    @property
    def placed(self) -> list[Call]:
        """Calls that placed an order with an idempotency key."""
        return [call for call in self.system.answers.calls if call.request.items and call.request.key]

    def _send(self, operation: str, user: User, *, at_once: bool, **asked: Any) -> Call:
        return self.system.send(Request(operation=operation, user=user, **asked), at_once=at_once)

    def _put(self, user: User, name: str, quantity: int, price: int, currency: str, *, at_once: bool = True) -> None:
        product = {"name": name, "unit_price": price, "currency": currency, "quantity": quantity}
        self._send("putProduct", user, at_once=at_once, name=name, content=tuple(product.items()))

    def _pages(self, user: User, limit: int) -> None:
        cursor = ""
        while True:
            reply = self._send("listOrders", user, at_once=True, limit=limit, cursor=cursor).reply
            assert reply
            assert reply.status == 200
            cursor = reply.body.get("next_cursor", "")
            if not cursor:
                return

    def _order(self, number: int) -> tuple[str, User]:
        tracked_orders = list(reversed(self.history.tracked_orders.values()))
        tracked = tracked_orders[number % len(tracked_orders)]
        return tracked.order_id, self.history.users[tracked.user_id]

    def _somebody(self, owner: User, who: int) -> User:
        """Return the user with the index `who`, or `owner` if there is no such user."""
        return self.users[who] if who < len(self.users) else owner


class OrderLifeInProcess(OrderLife):
    """Adds rules for accidents that happen inside the platform, between two AWS calls."""

    system: SteppedPlatform  # pyright: ignore[reportIncompatibleVariableOverride] - SteppedPlatform implements System

    @invariant()
    def the_tables_are_as_the_model_says(self) -> None:
        self.system.compare()

    @precondition(lambda self: self.system.activities or self.system.queues.waiting())
    @rule(steps=st.lists(st.tuples(_numbers, _outcomes), min_size=4, max_size=16))
    def interleave(self, steps: list[tuple[int, CallOutcome]]) -> None:
        """In each step, one activity makes its next AWS call, or one waiting event is delivered."""
        for number, outcome in steps:
            running, waiting = self.running, self.system.queues.waiting()
            if not running and not waiting:
                return
            chosen = number % (len(running) + len(waiting))
            if chosen < len(running):
                self.system.step(running[chosen], outcome)
            else:
                waiting[chosen - len(running)](False)

    @precondition(lambda self: self.running)
    @rule(number=_numbers, others=st.booleans())
    def finish(self, number: int, others: bool) -> None:
        """Run one activity to its end. With `others`, run all other activities instead, as if this one were slow."""
        chosen = self.running[number % len(self.running)]
        for activity in self.running:
            if not activity.is_waiting and not activity.ended and (activity is chosen) != others:
                self.system.finish(activity)

    @precondition(lambda self: any(each.call not in _BRINKS for each in self.running))
    @rule()
    def all_to_the_brink(self) -> None:
        """Run each activity until just before it writes, so that the data that it has read can become outdated."""
        for activity in list(self.system.activities):
            while not activity.ended and (runs := self.system.runs_for(activity)).call not in _BRINKS:
                self.system.step(runs, CallOutcome.FINE)

    @precondition(lambda self: self.system.queues.waiting())
    @rule(numbers=st.lists(st.tuples(_numbers, _at_once), min_size=1, max_size=8))
    def bring(self, numbers: list[tuple[int, bool]]) -> None:
        """Deliver some of the waiting events, early or late, in any order."""
        for number, at_once in numbers:
            if waiting := self.system.queues.waiting():
                waiting[number % len(waiting)](at_once)

    @precondition(lambda self: self.system.activities)
    @rule(number=_numbers, seconds=st.sampled_from([0, 0, 0, 0.5, 1, 7, 31, 301, 1000]))
    def accident(self, number: int, seconds: float) -> None:
        """Kill a process, stop an execution, or let time pass and kill everything that exceeds its time limit."""
        if seconds:
            self.system.pass_time(seconds)
            return
        executions = [each for each in self.system.activities if each.is_execution]
        # Only a few activities are executions. The list contains each execution twice, so that the test stops
        # executions more often.
        found = [*executions, *self.system.activities]
        self.system.crash(found[number % len(found)])

    @precondition(lambda self: self.system.queues.failures)
    @rule()
    def redrive(self) -> None:
        self.system.queues.redrive()

    @property
    def running(self) -> list[Activity]:
        """Activities that have stopped before an AWS call of their own, and so don't wait for another activity."""
        return [each for each in self.system.activities if not each.is_waiting]
