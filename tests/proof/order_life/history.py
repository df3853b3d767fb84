"""The model of the order's lifecycle: what happened to the orders and the stock, and what the contracts allow next.

The model knows the contracts (docs and contracts/) but not the code. The test reports every change to the orders table
and every product that an admin writes, in the sequence in which they happen. From these reports, the model computes the
stock. Everything that the contracts don't allow raises an AssertionError.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.published import as_published

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
    """A user who sends requests."""

    name: str
    user_id: str
    email: str = ""
    """The address in the user's profile, or an empty string if the user has no profile."""
    is_admin: bool = False


@dataclass(frozen=True)
class Version:
    """The state (`value`) of an order or a product from the moment `since` until its next version."""

    since: int
    value: Json


@dataclass(frozen=True)
class Mail:
    """An email that SES accepted."""

    address: str
    subject: str
    text: str


@dataclass
class TrackedOrder:
    """One order with all its versions over time, as the APIs show them."""

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
        """The ordered products with their quantities, in the sequence of the request body."""
        return tuple(self.items.items())

    @property
    def status(self) -> str:
        return self.now["status"]

    def between(self, since: int, until: int) -> list[Json]:
        """Return all versions of the order that were current at any moment from `since` to `until`."""
        return between(self.versions, since, until)

    def as_(self, status: str) -> Json | None:
        """Return the first version of the order with this status, or None."""
        return next((each.value for each in self.versions if each.value["status"] == status), None)


@dataclass
class History:
    """All orders and products with all their versions."""

    users: Mapping[str, User]
    """Users by id."""
    at: int = 0
    """Number of changes so far. It serves as the current time."""
    tracked_orders: dict[str, TrackedOrder] = field(default_factory=dict[str, TrackedOrder])
    products: dict[str, list[Version]] = field(default_factory=dict[str, list[Version]])
    """Versions of each product, including its stock."""
    supplied: Counter[str] = field(default_factory=Counter[str])
    """For each product, the quantity that admins added to the stock, minus the quantity that they removed."""
    published: Counter[str] = field(default_factory=Counter[str])
    """Number of publications of each event, by event id."""

    def product_put(self, product: Json) -> None:
        """Record that an admin wrote a product."""
        self.at += 1
        before = self.products.setdefault(product["product_id"], [])
        self.supplied[product["product_id"]] += product["quantity"] - (before[-1].value["quantity"] if before else 0)
        before.append(Version(self.at, dict(product)))

    def order_changed(self, old: Json | None, new: Json | None, *, may_fail: bool) -> TrackedOrder:
        """Record and check a change to the orders table, given as the old and the new row in DynamoDB's JSON.

        If `may_fail` is false, the new status must not be FAILED.
        """
        assert new, f"a row was deleted from the orders table: {old}"
        self.at += 1
        order = public(new)
        if old is None:
            return self._created(new, order)
        tracked = self.tracked_orders[order["order_id"]]
        before = tracked.now
        assert public(old) == before
        assert all(old.get(name) == new.get(name) for name in _SET_ONCE), (
            f"fields that must never change were changed: {old} became {new}"
        )
        assert quantities(order) == tracked.items
        assert order["updated_at"] >= before["updated_at"], f"{before} became {order}"
        assert order["status"] in MAY_BECOME.get(before["status"], ()), f"{before} became {order}"
        self._decided(tracked, before, order, may_fail=may_fail)
        tracked.versions.append(Version(self.at, order))
        return tracked

    def _created(self, row: Json, order: Json) -> TrackedOrder:
        assert order["status"] == "PENDING", order
        assert set(order) == {"order_id", "user_id", "status", "items", "created_at", "updated_at"}, order
        assert order["order_id"] not in self.tracked_orders
        assert order["user_id"] in self.users, order
        assert order["created_at"] == order["updated_at"]
        tracked = TrackedOrder(order["order_id"], order["user_id"], quantities(order), row["synchronous"]["BOOL"])
        tracked.versions.append(Version(self.at, order))
        self.tracked_orders[tracked.order_id] = tracked
        return tracked

    def _decided(self, tracked: TrackedOrder, before: Json, order: Json, *, may_fail: bool) -> None:
        status = order["status"]
        if status == "CONFIRMED":
            self._confirmed(tracked, order)
        else:
            unchanged = ("items", "total", "currency")
            assert all(order.get(name) == before.get(name) for name in unchanged), f"{before} became {order}"
        if status == "CANCELLED" and before["status"] == "CONFIRMED":
            self._move(tracked.items, +1)
        if status == "REJECTED":
            self._rejected(tracked, order["reason"])
        elif status == "FAILED":
            assert may_fail, f"only fail_order may set an order to FAILED, after a fault and the time limit: {order}"
            assert order["reason"]["code"] == "InternalError"
        else:
            assert "reason" not in order, order

    def _confirmed(self, tracked: TrackedOrder, order: Json) -> None:
        self._move(tracked.items, -1)
        catalog = {name: self.products[name][-1].value for name in tracked.items}
        prices = {line["product_id"]: line["unit_price"] for line in order["items"]}
        expected = {name: product["unit_price"] for name, product in catalog.items()}
        assert prices == expected, f"expected the catalog's prices {expected}, got {order}"
        assert order["total"] == sum(expected[name] * number for name, number in tracked.items.items()), order
        assert {order["currency"]} == {product["currency"] for product in catalog.values()}, order

    def _move(self, items: Mapping[str, int], sign: int) -> None:
        for name, number in items.items():
            product = self.products[name][-1].value
            left = product["quantity"] + sign * number
            assert left >= 0, f"{name}: oversold by {-left}"
            self.products[name].append(Version(self.at, {**product, "quantity": left}))

    def _rejected(self, tracked: TrackedOrder, reason: Json) -> None:
        """Check that the `reason` for the rejection was true at some moment since the order was placed."""
        since = tracked.versions[0].since
        were = {name: between(self.products.get(name, []), since, self.at) for name in tracked.items}
        absent = any(self.products.get(name, [Version(self.at, {})])[0].since > since for name in tracked.items) or any(
            name not in self.products for name in tracked.items
        )
        short = any(each["quantity"] < tracked.items[name] for name, found in were.items() for each in found)
        currencies = {each["currency"] for found in were.values() for each in found}
        true = {"ProductNotFound": absent, "OutOfStock": short, "ValidationError": len(currencies) > 1}
        assert true[reason["code"]], f"{reason} was never true for {tracked.items}; the products were {were}"

    def stock_is(self, stock: Mapping[str, int]) -> None:
        """Check the whole inventory table: stock plus confirmed quantities must equal what admins supplied."""
        expected = {name: versions[-1].value["quantity"] for name, versions in self.products.items()}
        assert dict(stock) == expected, f"stock {dict(stock)}, expected {expected}"
        held = Counter[str]()
        for tracked in self.tracked_orders.values():
            if tracked.status == "CONFIRMED":
                held.update(tracked.items)
        assert {name: stock[name] + held[name] for name in stock} == dict(self.supplied)

    def orders_are(self, table: Mapping[str, Json]) -> None:
        """Check that the orders table equals the model. `table` is {order id: row in DynamoDB's JSON}."""
        assert {name: public(row) for name, row in table.items()} == {
            name: s.now for name, s in self.tracked_orders.items()
        }

    def event(self, detail_type: str, detail: Json) -> None:
        """Record a published event. It must contain the first version of the order that has the event's status."""
        order = detail["order"]
        tracked = self.tracked_orders[order["order_id"]]
        assert detail == {
            "event_id": f"{tracked.order_id}:{order['status']}",
            "order": _published(tracked, order["status"]),
        }, detail
        assert detail_type == EVENTS[order["status"]], detail
        self.published[detail["event_id"]] += 1

    @property
    def statuses(self) -> list[tuple[TrackedOrder, str]]:
        """Return every status that any order had, as pairs of order and status."""
        return [
            (tracked, each.value["status"]) for tracked in self.tracked_orders.values() for each in tracked.versions
        ]

    def pending(self) -> list[str]:
        """Return the ids of all PENDING orders."""
        return [tracked.order_id for tracked in self.tracked_orders.values() if tracked.status == "PENDING"]

    def all_told(self, mails: Iterable[Mail], objects: Mapping[str, Json], excused: Mapping[str, int]) -> None:
        """Check the final state: each status of each order has an event and exactly one analytics object.

        Users with a profile must have received one email about each status. An email is allowed to be missing if the
        email about a later status of the same order was sent. SES can't recognize a repeated email, so faults can cause
        additional emails. `excused` contains the maximum number of additional emails by event id.
        """
        assert not self.pending()
        ids = {f"{tracked.order_id}:{status}" for tracked, status in self.statuses}
        assert set(self.published) == ids, f"missing or unexpected events: {set(self.published) ^ ids}"
        expected = {
            event_id: {"event_id": event_id, "detail_type": EVENTS[status], "order": _published(tracked, status)}
            for tracked, status in self.statuses
            for event_id in [f"{tracked.order_id}:{status}"]
        }
        assert sorted(objects) == sorted(_key(fact) for fact in expected.values())
        for fact in expected.values():
            assert objects[_key(fact)] == fact
        self._all_mailed(list(mails), excused)

    def _all_mailed(self, mails: list[Mail], excused: Mapping[str, int]) -> None:
        sent = Counter((mail.address, mail.subject, _order_id_in(mail)) for mail in mails)
        sent_at_all = sent.copy()
        for tracked, status in self.statuses:
            address = self.users[tracked.user_id].email
            got = sent.pop((address, MAILS[status], tracked.order_id), 0)
            most = 1 + excused.get(f"{tracked.order_id}:{status}", 0) if address else 0
            # This email is allowed to be missing if the email about a later status of the order was sent.
            later = any(sent_at_all[address, MAILS[each], tracked.order_id] for each in MAY_BECOME.get(status, ()))
            assert (bool(address) and not later) <= got <= most, (
                f"{tracked.order_id}:{status}: {got} emails, expected at most {most}"
            )
        assert not sent, f"emails without an order: {sent}"


def _published(tracked: TrackedOrder, status: str) -> Json | None:
    order = tracked.as_(status)
    return order and as_published(order)


def between(versions: list[Version], since: int, until: int) -> list[Json]:
    """Return the values that were current at any moment from `since` to `until`."""
    started = [each for each in versions if each.since <= until]
    first = max((n for n, each in enumerate(started) if each.since <= since), default=0)
    return [each.value for each in started[first:]]


def quantities(order: Json) -> dict[str, int]:
    """Return the order's lines as {product: quantity}."""
    return {line["product_id"]: line["quantity"] for line in order["items"]}


def public(row: Json) -> Json:
    """Return the fields of an order's row that the contracts contain, as plain JSON."""
    shown = ("order_id", "user_id", "status", "items", "total", "currency", "reason", "created_at", "updated_at")
    order = {name: _plain(row[name]) for name in shown if name in row}
    if "details" in order.get("reason", {}):
        # The row contains the details as JSON text, so they are parsed here.
        order["reason"]["details"] = json.loads(order["reason"]["details"])
    return order


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
