"""What the APIs may answer, by the history of the orders: the second half of the model.

Calls may overlap, so an answer must be right at some moment between its request and itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.proof.order_life.history import History, Json, Story, User, between

_REFUSALS: Final = {"OutOfStock": 409, "ProductNotFound": 404, "ValidationError": 400}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of an API."""

    operation: str
    """operationId of the contract."""
    user: User
    items: tuple[tuple[str, int], ...] = ()
    """Of an order: (product, quantity)."""
    key: str | None = None
    """Idempotency-Key."""
    name: str = ""
    """Id of the order or product."""
    content: tuple[tuple[str, Any], ...] = ()
    """Of a product."""
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
        """What stands for one order."""
        return self.user.user_id, self.key


@dataclass(frozen=True)
class Reply:
    """What came of a request; status 0 is no answer at all."""

    status: int
    body: Json

    @property
    def code(self) -> str:
        return self.body.get("code", "")


@dataclass(eq=False)
class Call:
    """A request, until it is answered and from then on."""

    request: Request
    since: int
    """The history's count when it was sent."""
    reply: Reply | None = None
    disturbed: bool = False
    """Faults were met on its way, so the platform may say that it failed."""


@dataclass
class Answers:
    """Judges answers."""

    history: History
    calls: list[Call] = field(default_factory=list[Call])
    answered: int = 0
    unknown: int = 0
    """Answers that did not say what happened."""
    cursors: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Whose each cursor is that was given out, and the last order before it."""
    _known: dict[tuple[str, str | None], str] = field(default_factory=dict[tuple[str, "str | None"], str])
    """Order ids by slot, once an answer said it."""
    _keyless: set[str] = field(default_factory=set[str])
    _cancelled: set[str] = field(default_factory=set[str])

    def sent(self, request: Request) -> Call:
        """Take a request."""
        self.calls.append(call := Call(request, self.history.at))
        return call

    def created(self, story: Story) -> None:
        """Somebody asked for this new order, and did not have it yet: one order for each user and key."""
        wanted = [
            call.request
            for call in self.calls
            if call.request.operation == ("processOrder" if story.synchronous else "createOrder")
            and call.request.user.user_id == story.user_id
            and call.request.items == story.lines
        ]
        assert wanted, f"nobody asked for {story.now}"
        keyless = [request for request in wanted if request.key is None]
        slots = len({request.slot for request in wanted if request.key is not None}) + len(keyless)
        alike = [
            each
            for each in self.history.stories.values()
            if (each.user_id, each.lines, each.synchronous) == (story.user_id, story.lines, story.synchronous)
        ]
        assert len(alike) <= slots, f"{len(alike)} orders of {slots} requests: {alike}"
        # A user's key belongs to one order only, even if requests with other bodies or to another path use the same
        # key.
        mine = [each for each in self.history.stories.values() if each.user_id == story.user_id]
        all_slots = [
            call.request for call in self.calls if call.request.items and call.request.user.user_id == story.user_id
        ]
        most = len({r.key for r in all_slots if r.key is not None}) + sum(r.key is None for r in all_slots)
        assert len(mine) <= most, f"{len(mine)} orders of {most} keys and requests without one"

    def judge(self, call: Call, reply: Reply) -> None:
        """Take the answer of a call."""
        call.reply = reply
        self.answered += 1
        if reply.status == 0 or reply.status >= 500 or reply.status == 429:
            assert call.disturbed or self._failed(call, reply), f"{call.request} got {reply} without a fault"
            self.unknown += 1
            return
        judges: dict[str, Callable[[Call, Reply], bool]] = {
            "createOrder": self._create,
            "processOrder": self._process,
            "cancelOrder": self._cancel,
            "getOrder": self._get,
            "listOrders": self._list,
            "putProduct": self._put,
            "getProduct": self._product,
        }
        assert judges[call.request.operation](call, reply), f"{call.request} got {reply}; {self._evidence(call)}"

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
        reason = {"code": reply.code, "message": reply.body["message"]}
        return any(each.get("reason") == reason for each in self._candidates(call))

    def _failed(self, call: Call, reply: Reply) -> bool:
        """POST /process says 500 for ever if its order failed."""
        is_such = call.request.operation == "processOrder" and reply.status == 500
        return is_such and any(each["status"] == "FAILED" for each in self._candidates(call))

    def _shown(self, call: Call, reply: Reply) -> bool:
        """The order of this user, key and body, as it was at some moment of the call."""
        order, request = reply.body, call.request
        story = self.history.stories.get(order["order_id"])
        if not story or story.user_id != request.user.user_id or story.lines != request.items:
            return False
        if request.key is None:
            is_new = story.order_id not in self._keyless and story.order_id not in self._known.values()
            self._keyless.add(story.order_id)
            return is_new and story.versions[0].since > call.since and order in self._during(call, story)
        if self._known.setdefault(request.slot, story.order_id) != story.order_id:
            return False
        others = [slot for slot, order_id in self._known.items() if order_id == story.order_id and slot != request.slot]
        return not others and story.order_id not in self._keyless and order in self._during(call, story)

    def _conflicts(self, call: Call, reply: Reply) -> bool:
        """The key was used with another body."""
        request = call.request
        others = [
            each.request
            for each in self.calls
            if each.request.items and each.request.slot == request.slot and each.request.items != request.items
        ]
        known = self._known.get(request.slot)
        differs = known is None or self.history.stories[known].lines != request.items
        return reply.code == "IdempotencyConflict" and request.key is not None and bool(others) and differs

    def _candidates(self, call: Call) -> list[Json]:
        """Return what the order that a call of POST /process stands for may have been during the call."""
        request = call.request
        known = self._known.get(request.slot) if request.key is not None else None
        stories = [
            story
            for story in self.history.stories.values()
            if story.user_id == request.user.user_id
            and story.lines == request.items
            and (known is None or story.order_id == known)
        ]
        return [order for story in stories for order in self._during(call, story)]

    def _cancel(self, call: Call, reply: Reply) -> bool:
        story = self.history.stories.get(call.request.name)
        mine = story is not None and story.user_id == call.request.user.user_id
        if not mine or story is None:
            return (reply.status, reply.code) == (404, "OrderNotFound")
        if reply.status == 200:
            is_first = story.order_id not in self._cancelled
            self._cancelled.add(story.order_id)
            done = story.versions[-1].since > call.since and story.status == "CANCELLED"
            return is_first and done and reply.body == story.now
        was = {order["status"] for order in self._during(call, story)}
        return (reply.status, reply.code) == (409, "InvalidTransition") and bool(
            was & {"REJECTED", "FAILED", "CANCELLED"}
        )

    def _get(self, call: Call, reply: Reply) -> bool:
        story, user = self.history.stories.get(call.request.name), call.request.user
        if story is None or not (user.is_admin or user.user_id == story.user_id):
            return (reply.status, reply.code) == (404, "OrderNotFound")
        return reply.status == 200 and reply.body in self._during(call, story)

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
        """Return the page behind the order `last` as it is to be at a moment, and whether there are more."""
        stories = [each for each in self.history.stories.values() if each.user_id == owner]
        orders = [each.between(moment, moment)[-1] for each in stories if each.versions[0].since <= moment]
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

    def _during(self, call: Call, story: Story) -> list[Json]:
        return story.between(call.since, self.history.at)

    def _evidence(self, call: Call) -> str:
        known = [story for story in self.history.stories.values() if story.user_id == call.request.user.user_id]
        return json.dumps([[each.value for each in story.versions] for story in known], indent=1)[:3000]
