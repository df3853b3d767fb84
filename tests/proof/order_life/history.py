"""What became of the orders and the stock, and what may become of them: the model of the order's life.

It knows the contracts (docs and contracts/), not the code. It is told of every change of the orders table, in sequence,
and of every product that is put, and works out the stock by itself. Whatever is not allowed is an AssertionError.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
MAY_BECOME: Final = {
    "PENDING": {"CONFIRMED", "REJECTED", "FAILED", "CANCELLED"},
    "CONFIRMED": {"CANCELLED"},
}
EVENTS: Final = {
    "PENDING": "OrderCreated",
    "CONFIRMED": "OrderConfirmed",
    "REJECTED": "OrderRejected",
    "FAILED": "OrderFailed",
    "CANCELLED": "OrderCancelled",
}
MAILS: Final = {
    "PENDING": "Your order is received",
    "CONFIRMED": "Your order is confirmed",
    "REJECTED": "Your order is rejected",
    "FAILED": "Your order has failed",
    "CANCELLED": "Your order is cancelled",
}
_SET_ONCE: Final = ("order_id", "user_id", "created_at", "request_hash", "synchronous")


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    user_id: str
    email: str = ""
    """Where mails go; empty without a profile."""
    is_admin: bool = False


@dataclass(frozen=True)
class Version:
    """An order or a product from a moment on."""

    since: int
    value: Json


@dataclass(frozen=True)
class Mail:
    """What SES took."""

    address: str
    subject: str
    text: str


@dataclass
class Story:
    """One order: what the APIs show of it, by time."""

    order_id: str
    user_id: str
    items: dict[str, int]
    synchronous: bool
    versions: list[Version] = field(default_factory=list[Version])

    @property
    def now(self) -> Json:
        return self.versions[-1].value

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """What was asked for. The same lines in another sequence are another body."""
        return tuple(self.items.items())

    @property
    def status(self) -> str:
        return self.now["status"]

    def between(self, since: int, until: int) -> list[Json]:
        """Return what it was at any moment from `since` to `until`."""
        return between(self.versions, since, until)

    def as_(self, status: str) -> Json | None:
        """Return it as it was with this status."""
        return next((each.value for each in self.versions if each.value["status"] == status), None)


@dataclass
class History:
    """All orders and products."""

    users: Mapping[str, User]
    """By id."""
    at: int = 0
    """Counts the changes."""
    stories: dict[str, Story] = field(default_factory=dict[str, Story])
    products: dict[str, list[Version]] = field(default_factory=dict[str, list[Version]])
    """Each with its stock."""
    supplied: Counter[str] = field(default_factory=Counter[str])
    """What was put into stock, less what was taken out by hand."""
    published: Counter[str] = field(default_factory=Counter[str])
    """How often each event id came over the bus."""

    def product_put(self, product: Json) -> None:
        """An admin's write of a product."""
        self.at += 1
        before = self.products.setdefault(product["product_id"], [])
        self.supplied[product["product_id"]] += product["quantity"] - (before[-1].value["quantity"] if before else 0)
        before.append(Version(self.at, dict(product)))

    def order_changed(self, old: Json | None, new: Json | None, *, disturbed: bool) -> Story:
        """Take a change of the orders table: rows in DynamoDB's own JSON. `disturbed`: a fault can be behind it."""
        assert new, f"a row was removed: {old}"
        self.at += 1
        order = public(new)
        if old is None:
            return self._created(new, order)
        story = self.stories[order["order_id"]]
        before = story.now
        assert public(old) == before
        assert all(old.get(name) == new.get(name) for name in _SET_ONCE), f"{old} became {new}"
        assert quantities(order) == story.items
        assert order["updated_at"] >= before["updated_at"], f"{before} became {order}"
        assert order["status"] in MAY_BECOME.get(before["status"], ()), f"{before} became {order}"
        self._decided(story, before, order, disturbed=disturbed)
        story.versions.append(Version(self.at, order))
        return story

    def _created(self, row: Json, order: Json) -> Story:
        assert order["status"] == "PENDING", order
        assert set(order) == {"order_id", "user_id", "status", "items", "created_at", "updated_at"}, order
        assert order["order_id"] not in self.stories
        assert order["user_id"] in self.users, order
        assert order["created_at"] == order["updated_at"]
        story = Story(order["order_id"], order["user_id"], quantities(order), row["synchronous"]["BOOL"])
        story.versions.append(Version(self.at, order))
        self.stories[story.order_id] = story
        return story

    def _decided(self, story: Story, before: Json, order: Json, *, disturbed: bool) -> None:
        status = order["status"]
        if status == "CONFIRMED":
            self._confirmed(story, order)
        else:
            unchanged = ("items", "total", "currency")
            assert all(order.get(name) == before.get(name) for name in unchanged), f"{before} became {order}"
        if status == "CANCELLED" and before["status"] == "CONFIRMED":
            self._move(story.items, +1)
        if status == "REJECTED":
            self._rejected(story, order["reason"])
        elif status == "FAILED":
            assert disturbed, f"failed without a fault: {order}"
            assert order["reason"]["code"] == "InternalError"
        else:
            assert "reason" not in order, order

    def _confirmed(self, story: Story, order: Json) -> None:
        self._move(story.items, -1)
        catalogue = {name: self.products[name][-1].value for name in story.items}
        prices = {line["product_id"]: line["unit_price"] for line in order["items"]}
        expected = {name: product["unit_price"] for name, product in catalogue.items()}
        assert prices == expected, f"the catalogue has {expected}, the order {order}"
        assert order["total"] == sum(expected[name] * number for name, number in story.items.items()), order
        assert {order["currency"]} == {product["currency"] for product in catalogue.values()}, order

    def _move(self, items: Mapping[str, int], sign: int) -> None:
        for name, number in items.items():
            product = self.products[name][-1].value
            left = product["quantity"] + sign * number
            assert left >= 0, f"{name}: oversold by {-left}"
            self.products[name].append(Version(self.at, {**product, "quantity": left}))

    def _rejected(self, story: Story, reason: Json) -> None:
        """There was a moment since it was placed at which the reason held for one of its lines."""
        since = story.versions[0].since
        were = {name: between(self.products.get(name, []), since, self.at) for name in story.items}
        absent = any(self.products.get(name, [Version(self.at, {})])[0].since > since for name in story.items) or any(
            name not in self.products for name in story.items
        )
        short = any(each["quantity"] < story.items[name] for name, found in were.items() for each in found)
        currencies = {each["currency"] for found in were.values() for each in found}
        true = {"ProductNotFound": absent, "OutOfStock": short, "ValidationError": len(currencies) > 1}
        assert true[reason["code"]], f"{reason} never held for {story.items}: {were}"

    def stock_is(self, stock: Mapping[str, int]) -> None:
        """Compare the whole inventory with the model's: stock + confirmed = what was supplied, of every product."""
        expected = {name: versions[-1].value["quantity"] for name, versions in self.products.items()}
        assert dict(stock) == expected, f"the stock is {dict(stock)}, should be {expected}"
        held = Counter[str]()
        for story in self.stories.values():
            if story.status == "CONFIRMED":
                held.update(story.items)
        assert {name: stock[name] + held[name] for name in stock} == dict(self.supplied)

    def orders_are(self, table: Mapping[str, Json]) -> None:
        """Compare the whole orders table with the model's: rows in DynamoDB's own JSON, by id."""
        assert {name: public(row) for name, row in table.items()} == {name: s.now for name, s in self.stories.items()}

    def event(self, detail_type: str, detail: Json) -> None:
        """Take an event of the bus: exactly an order as it was."""
        order = detail["order"]
        story = self.stories[order["order_id"]]
        assert detail == {"event_id": f"{story.order_id}:{order['status']}", "order": story.as_(order["status"])}, (
            detail
        )
        assert detail_type == EVENTS[order["status"]], detail
        self.published[detail["event_id"]] += 1

    @property
    def statuses(self) -> list[tuple[Story, str]]:
        """Every status that an order had."""
        return [(story, each.value["status"]) for story in self.stories.values() for each in story.versions]

    def pending(self) -> list[str]:
        """Return the orders that are not decided."""
        return [story.order_id for story in self.stories.values() if story.status == "PENDING"]

    def all_told(self, mails: Iterable[Mail], objects: Mapping[str, Json], excused: Mapping[str, int]) -> None:
        """Nothing is under way any more: each status has its event, its object and its mail, once.

        SES has no way to be asked twice for one mail: `excused` has the mails more that faults can have made, by event.
        """
        assert not self.pending()
        ids = {f"{story.order_id}:{status}" for story, status in self.statuses}
        assert set(self.published) == ids, f"events: {set(self.published) ^ ids}"
        expected = {
            event_id: {"event_id": event_id, "detail_type": EVENTS[status], "order": story.as_(status)}
            for story, status in self.statuses
            for event_id in [f"{story.order_id}:{status}"]
        }
        assert sorted(objects) == sorted(_key(fact) for fact in expected.values())
        for fact in expected.values():
            assert objects[_key(fact)] == fact
        self._all_mailed(list(mails), excused)

    def _all_mailed(self, mails: list[Mail], excused: Mapping[str, int]) -> None:
        sent = Counter((mail.address, mail.subject, _order_id_in(mail)) for mail in mails)
        for story, status in self.statuses:
            address = self.users[story.user_id].email
            got = sent.pop((address, MAILS[status], story.order_id), 0)
            most = 1 + excused.get(f"{story.order_id}:{status}", 0) if address else 0
            assert bool(address) <= got <= most, f"{story.order_id}:{status}: {got} mails, at most {most}"
        assert not sent, f"mails of nothing: {sent}"


def between(versions: list[Version], since: int, until: int) -> list[Json]:
    """Return the values that held at any moment from `since` to `until`."""
    started = [each for each in versions if each.since <= until]
    first = max((n for n, each in enumerate(started) if each.since <= since), default=0)
    return [each.value for each in started[first:]]


def quantities(order: Json) -> dict[str, int]:
    """Return the order's lines as {product: quantity}."""
    return {line["product_id"]: line["quantity"] for line in order["items"]}


def public(row: Json) -> Json:
    """Return what the contracts show of a row of the orders table."""
    shown = ("order_id", "user_id", "status", "items", "total", "currency", "reason", "created_at", "updated_at")
    return {name: _plain(row[name]) for name in shown if name in row}


def _plain(value: Json) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content)
    if kind == "L":
        return [_plain(each) for each in content]
    return {name: _plain(each) for name, each in content.items()} if kind == "M" else content


def _key(fact: Json) -> str:
    return f"orders/dt={fact['order']['updated_at'][:10]}/{fact['event_id'].replace(':', '_')}.json"


def _order_id_in(mail: Mail) -> str:
    return next(line.removeprefix("Order ") for line in mail.text.splitlines() if line.startswith("Order "))
