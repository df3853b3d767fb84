"""The part of the model that checks the APIs' responses against the history of the orders.

Calls can overlap. A response is correct if it shows the state at any moment between the request and the response.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.proof.order_life.history import History, Json, TrackedOrder, User, between

_REFUSALS: Final = {"OutOfStock": 409, "ProductNotFound": 404, "ValidationError": 400}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to one of the APIs."""

    operation: str
    """The operationId in the contract."""
    user: User
    items: tuple[tuple[str, int], ...] = ()
    """Lines of the order: (product, quantity)."""
    key: str | None = None
    """The Idempotency-Key header, or None."""
    name: str = ""
    """Id of the order or product."""
    content: tuple[tuple[str, Any], ...] = ()
    """Fields of the product, as pairs of name and value."""
    limit: int = 20
    cursor: str = ""

    @property
    def body(self) -> Json | None:
        if self.operation == "putProduct":
            return dict(self.content)
        lines = [{"product_id": product, "quantity": number} for product, number in self.items]
        return {"items": lines} if lines else None

    @property
    def slot(self) -> tuple[str, str | None]:
        """The user id and the idempotency key, which together identify one order."""
        return self.user.user_id, self.key


@dataclass(frozen=True)
class Reply:
    """The response to a request. Status 0 means that there was no response."""

    status: int
    body: Json

    @property
    def code(self) -> str:
        return self.body.get("code", "")


@dataclass(eq=False)
class Call:
    """A request, and its response once it has arrived."""

    request: Request
    since: int
    """The history's counter (`History.at`) at the time of the request."""
    reply: Reply | None = None
    disturbed: bool = False
    """Whether a fault affected the request, so that the platform is allowed to respond with an error."""


@dataclass
class Answers:
    """Checks all responses."""

    history: History
    calls: list[Call] = field(default_factory=list[Call])
    answered: int = 0
    unknown: int = 0
    """Number of responses that don't say what happened, such as 5xx."""
    cursors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """{returned cursor: (user, id of the last order on the page that contained the cursor)}"""
    _known: dict[tuple[str, str | None], str] = field(default_factory=dict[tuple[str, "str | None"], str])
    """{Request.slot: order id} for all orders that a response contained."""
    _keyless: set[str] = field(default_factory=set[str])
    _cancelled: set[str] = field(default_factory=set[str])

    def sent(self, request: Request) -> Call:
        """Record a request that is being sent."""
        self.calls.append(call := Call(request, self.history.at))
        return call

    def created(self, tracked: TrackedOrder) -> None:
        """Check that a request caused this new order, and that no user has two orders with the same idempotency key."""
        wanted = [
            call.request
            for call in self.calls
            if call.request.operation == ("processOrder" if tracked.synchronous else "createOrder")
            and call.request.user.user_id == tracked.user_id
            and call.request.items == tracked.lines
        ]
        assert wanted, f"no request could have placed the order {tracked.now}"
        keyless = [request for request in wanted if request.key is None]
        slots = len({request.slot for request in wanted if request.key is not None}) + len(keyless)
        alike = [
            each
            for each in self.history.tracked_orders.values()
            if (each.user_id, each.lines, each.synchronous) == (tracked.user_id, tracked.lines, tracked.synchronous)
        ]
        assert len(alike) <= slots, f"{len(alike)} equal orders, expected at most {slots}: {alike}"
        # A user has at most one order for each idempotency key, even after requests with this key but different bodies
        # or paths.
        mine = [each for each in self.history.tracked_orders.values() if each.user_id == tracked.user_id]
        all_slots = [
            call.request for call in self.calls if call.request.items and call.request.user.user_id == tracked.user_id
        ]
        most = len({r.key for r in all_slots if r.key is not None}) + sum(r.key is None for r in all_slots)
        assert len(mine) <= most, (
            f"{len(mine)} orders of one user, expected at most {most} (one for each key and each request without a key)"
        )

    def check(self, call: Call, reply: Reply) -> None:
        """Record a call's response, and check it. Raises AssertionError if the contracts don't allow the response."""
        call.reply = reply
        self.answered += 1
        if reply.status == 0 or reply.status >= 500 or reply.status == 429:
            assert call.disturbed or self._failed(call, reply), (
                f"{call.request} got {reply} although no fault was injected"
            )
            if "order_id" in reply.body:
                tracked = self.history.tracked_orders[reply.body["order_id"]]
                assert tracked.user_id == call.request.user.user_id
            self.unknown += 1
            return
        checks: dict[str, Callable[[Call, Reply], bool]] = {
            "createOrder": self._create,
            "processOrder": self._process,
            "cancelOrder": self._cancel,
            "getOrder": self._get,
            "listOrders": self._list,
            "putProduct": self._put,
            "getProduct": self._product,
        }
        assert checks[call.request.operation](call, reply), (
            f"{call.request} got the wrong response {reply}; the user's orders: {self._evidence(call)}"
        )

    def _create(self, call: Call, reply: Reply) -> bool:
        if reply.status == 409:
            return self._conflicts(call, reply)
        return reply.status == 202 and self._shown(call, reply)

    def _process(self, call: Call, reply: Reply) -> bool:
        if reply.status == 200:
            return reply.body["status"] == "CONFIRMED" and self._shown(call, reply)
        if reply.code == "IdempotencyConflict":
            return self._conflicts(call, reply)
        if reply.code == "InvalidTransition":
            return reply.status == 409 and any(each["status"] == "CANCELLED" for each in self._candidates(call))
        if reply.status != _REFUSALS.get(reply.code):
            return False
        reason = {name: reply.body[name] for name in ("code", "message", "details") if name in reply.body}
        return any(each.get("reason") == reason for each in self._candidates(call))

    def _failed(self, call: Call, reply: Reply) -> bool:
        """Return whether the response is the status 500 with which POST /process reports a FAILED order."""
        is_such = call.request.operation == "processOrder" and reply.status == 500
        return is_such and any(each["status"] == "FAILED" for each in self._candidates(call))

    def _shown(self, call: Call, reply: Reply) -> bool:
        """Return whether the response shows the order of this request, in a state that the order had during the call.

        User, key and lines of the request must be those of the order. If the request has no key, the order must be new.
        """
        order, request = reply.body, call.request
        tracked = self.history.tracked_orders.get(order["order_id"])
        if not tracked or tracked.user_id != request.user.user_id or tracked.lines != request.items:
            return False
        if request.key is None:
            is_new = tracked.order_id not in self._keyless and tracked.order_id not in self._known.values()
            self._keyless.add(tracked.order_id)
            return is_new and tracked.versions[0].since > call.since and order in self._during(call, tracked)
        if self._known.setdefault(request.slot, tracked.order_id) != tracked.order_id:
            return False
        others = [
            slot for slot, order_id in self._known.items() if order_id == tracked.order_id and slot != request.slot
        ]
        return not others and tracked.order_id not in self._keyless and order in self._during(call, tracked)

    def _conflicts(self, call: Call, reply: Reply) -> bool:
        """Return whether the response reports a real conflict: another request used the key with a different body."""
        request = call.request
        others = [
            each.request
            for each in self.calls
            if each.request.items and each.request.slot == request.slot and each.request.items != request.items
        ]
        known = self._known.get(request.slot)
        differs = known is None or self.history.tracked_orders[known].lines != request.items
        return reply.code == "IdempotencyConflict" and request.key is not None and bool(others) and differs

    def _candidates(self, call: Call) -> list[Json]:
        """Return all states that the orders with this call's user, key and lines had during the call."""
        request = call.request
        known = self._known.get(request.slot) if request.key is not None else None
        tracked_orders = [
            tracked
            for tracked in self.history.tracked_orders.values()
            if tracked.user_id == request.user.user_id
            and tracked.lines == request.items
            and (known is None or tracked.order_id == known)
        ]
        return [order for tracked in tracked_orders for order in self._during(call, tracked)]

    def _cancel(self, call: Call, reply: Reply) -> bool:
        tracked = self.history.tracked_orders.get(call.request.name)
        mine = tracked is not None and tracked.user_id == call.request.user.user_id
        if not mine or tracked is None:
            return (reply.status, reply.code) == (404, "OrderNotFound")
        if reply.status == 200:
            is_first = tracked.order_id not in self._cancelled
            self._cancelled.add(tracked.order_id)
            done = tracked.versions[-1].since > call.since and tracked.status == "CANCELLED"
            return is_first and done and reply.body == tracked.now
        was = {order["status"] for order in self._during(call, tracked)}
        return (reply.status, reply.code) == (409, "InvalidTransition") and bool(
            was & {"REJECTED", "FAILED", "CANCELLED"}
        )

    def _get(self, call: Call, reply: Reply) -> bool:
        tracked, user = self.history.tracked_orders.get(call.request.name), call.request.user
        if tracked is None or not (user.is_admin or user.user_id == tracked.user_id):
            return (reply.status, reply.code) == (404, "OrderNotFound")
        return reply.status == 200 and reply.body in self._during(call, tracked)

    def _list(self, call: Call, reply: Reply) -> bool:
        request = call.request
        owner, last = self.cursors.get(request.cursor, (request.user.user_id, ""))
        if owner != request.user.user_id:
            return (reply.status, reply.code) == (400, "ValidationError")
        if reply.status != 200:
            return False
        page = (reply.body["orders"], "next_cursor" in reply.body)
        if page[1]:
            self.cursors[reply.body["next_cursor"]] = (owner, page[0][-1]["order_id"])
        moments = range(call.since, self.history.at + 1)
        return any(page == self._page(owner, last, request.limit, moment) for moment in moments)

    def _page(self, owner: str, last: str, limit: int, moment: int) -> tuple[list[Json], bool]:
        """Return the expected page of listOrders at `moment`, and whether more orders follow this page.

        The page begins after the order `last`. If `last` is empty, it is the first page.
        """
        tracked_orders = [each for each in self.history.tracked_orders.values() if each.user_id == owner]
        orders = [each.between(moment, moment)[-1] for each in tracked_orders if each.versions[0].since <= moment]
        orders.sort(key=lambda order: (order["created_at"], order["order_id"]), reverse=True)
        if last:
            orders = orders[[order["order_id"] for order in orders].index(last) + 1 :]
        return orders[:limit], len(orders) > limit

    def _put(self, call: Call, reply: Reply) -> bool:
        request = call.request
        if not request.user.is_admin:
            return (reply.status, reply.code) == (403, "Forbidden")
        product = {"product_id": request.name, **dict(request.content)}
        versions = self.history.products.get(request.name, [])
        was_there = bool(versions) and versions[0].since <= call.since
        puts = [each.value for each in versions if each.since > call.since]
        allowed = {200} if was_there else {200, 201}
        return reply.status in allowed and reply.body == product and product in puts

    def _product(self, call: Call, reply: Reply) -> bool:
        versions = self.history.products.get(call.request.name, [])
        if reply.status == 404:
            return reply.code == "ProductNotFound" and not (versions and versions[0].since <= call.since)
        return reply.status == 200 and reply.body in between(versions, call.since, self.history.at)

    def _during(self, call: Call, tracked: TrackedOrder) -> list[Json]:
        return tracked.between(call.since, self.history.at)

    def _evidence(self, call: Call) -> str:
        known = [
            tracked for tracked in self.history.tracked_orders.values() if tracked.user_id == call.request.user.user_id
        ]
        return json.dumps([[each.value for each in tracked.versions] for tracked in known], indent=1)[:3000]
