"""Many orders are placed at the same moment, and go through the whole asynchronous workflow.

We broke copies of the program, and the test found each defect:

- The relay (`publish_order_events`) published each event twice.
- The relay published each event twice, and `send_email` didn't check whether it had already sent an email. Customers
  therefore got too many emails.
- `process_order` started no workflow for a quarter of the orders, so these orders stayed PENDING.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.journeys.people import Person, unique
from tests.proof.load.load import Load, at_once, place, reason, status
from tests.proof.plugin import Dose, Proof

pytestmark = [
    pytest.mark.attack("many-orders"),
    pytest.mark.emulator,
    pytest.mark.timeout(1200),
]
_SUBJECTS: Final = {"OrderCreated": "received", "OrderConfirmed": "confirmed", "OrderRejected": "rejected"}


@dataclass(frozen=True)
class Placed:
    """An accepted order, and the status that it must reach."""

    buyer: Person
    order_id: str
    end: str
    """The error code of the expected rejection, or an empty string if the order must be CONFIRMED."""

    @property
    def detail_types(self) -> tuple[str, str]:
        """The detail types of the order's events."""
        return "OrderCreated", "OrderRejected" if self.end else "OrderConfirmed"

    @property
    def event_ids(self) -> tuple[str, str]:
        """The ids of the order's events."""
        return f"{self.order_id}:PENDING", f"{self.order_id}:{'REJECTED' if self.end else 'CONFIRMED'}"


def test_each_order_causes_each_event_email_and_analytics_record_once(load: Load, dose: Dose, proof: Proof) -> None:
    placed = _place_all(load, dose(15, 200), [each.introduce() for each in load.customers(dose(3, 20))])
    ids = {each.order_id for each in placed}
    rows = load.decided(ids)
    recorded = _everything(load, placed)

    events = load.events(ids)
    mails = [(each, mail) for each in {p.buyer.email: p.buyer for p in placed}.values() for mail in _mails(load, each)]
    executions = load.executions(ids)
    failures = load.failures()
    wanted = Counter(one for each in placed for one in each.event_ids)
    found = Counter[str](event["detail"]["event_id"] for event in events)
    proof.tried(orders=len(placed), at_once=len(placed), customers=len({each.buyer.email for each in placed}))
    proof.found(
        confirmed=sum(status(row) == "CONFIRMED" for row in rows.values()),
        rejected=sum(status(row) == "REJECTED" for row in rows.values()),
        events=len(events),
        mails=len(mails),
        analytics_records=len(recorded),
        executions=len(executions),
        in_failure_queues=sum(map(len, failures.values())),
    )
    assert len(ids) == len(placed)
    assert {one: reason(rows[one]) for one in ids} == {each.order_id: each.end for each in placed}
    assert found == wanted
    assert Counter((event["detail-type"], event["detail"]["order"]["order_id"]) for event in events) == Counter(
        (kind, each.order_id) for each in placed for kind in each.detail_types
    )
    _mails_went_to_the_owners(placed, mails)
    assert Counter(recorded) == wanted
    _what_is_recorded_is_what_was_told(load, events)
    _executions_ended_as_their_orders(load, placed, executions)
    assert not failures


def _place_all(load: Load, number: int, buyers: Sequence[Person]) -> list[Placed]:
    """Place `number` orders at the same moment. Three of five orders must be confirmed, and the others rejected."""
    plenty, none = load.admin.put(1_000_000), load.admin.put(0)
    kinds = [({plenty: 1}, ""), ({plenty: 3}, ""), ({plenty: 2}, ""), ({plenty: 1, none: 1}, "OutOfStock")]
    kinds.append(({unique("unknown"): 1}, "ProductNotFound"))
    together = threading.Barrier(number)

    def one(index: int) -> Placed:
        (items, end), buyer = kinds[index % len(kinds)], buyers[index % len(buyers)]
        together.wait()
        answer = place(buyer, "/orders", items, unique("key"))
        assert answer.status == 202, answer
        return Placed(buyer, answer.json()["order_id"], end)

    return at_once(number, [lambda index=index: one(index) for index in range(number)])


def _everything(load: Load, placed: Sequence[Placed]) -> list[str]:
    """Wait for all events, emails and analytics records, and for the end of all executions.

    Return the ids of the events that `record_analytics` recorded.
    """
    ids = {each.order_id for each in placed}
    buyers = {each.buyer.email: each.buyer for each in placed}.values()

    def until(look: Callable[[], int], what: str) -> None:
        load.until(lambda: look() >= 2 * len(ids), what)

    until(lambda: len(load.events(ids)), "the bus has two events for each order")
    load.until(
        lambda: sum(_is_about_decision(mail) for each in buyers for mail in _mails(load, each)) >= len(ids),
        "each decision has its email",
    )
    until(lambda: len(_recorded(load, ids)), "each event is recorded")

    def ended() -> bool:
        found = load.executions(ids)
        return len(found) >= len(ids) and all(each["status"] != "RUNNING" for each in found)

    load.until(ended, "each order's execution has ended")
    return _recorded(load, ids)


def _recorded(load: Load, ids: Iterable[str]) -> list[str]:
    """Return the ids of all events that `record_analytics` logged as recorded, including repetitions."""
    wanted = set(ids)
    said: list[dict[str, Any]] = [json.loads(each) for each in load.stack.log("record_analytics") if "event_id" in each]
    return [
        each["event_id"]
        for each in said
        if each["message"] == "event recorded" and each["event_id"].partition(":")[0] in wanted
    ]


def _mails(load: Load, buyer: Person) -> list[dict[str, Any]]:
    return load.stack.mails(buyer.email)


def _mails_went_to_the_owners(placed: Sequence[Placed], mails: Sequence[tuple[Person, Mapping[str, Any]]]) -> None:
    """Fail unless the owner of each order, and nobody else, received one email about the order's decision.

    The email about the receipt of the order must not be sent twice. It can be missing, because `send_email` leaves it
    out if the email about the decision was sent first.
    """
    wanted = Counter(
        (each.buyer.email, each.order_id, f"Your order is {_SUBJECTS[kind]}")
        for each in placed
        for kind in each.detail_types
    )
    found = Counter[tuple[str, str, str]]()
    for buyer, mail in mails:
        assert mail["To"] == [buyer.email]
        (order,) = [line for line in mail["BodyText"].splitlines() if line.startswith("Order ")]
        found[buyer.email, order.removeprefix("Order "), mail["Subject"]] += 1
    assert found <= wanted
    assert {one for one in wanted - found if _SUBJECTS["OrderCreated"] not in one[2]} == set()


def _is_about_decision(mail: Mapping[str, Any]) -> bool:
    return _SUBJECTS["OrderCreated"] not in mail["Subject"]


def _what_is_recorded_is_what_was_told(load: Load, events: Sequence[Mapping[str, Any]]) -> None:
    """Fail unless each event has exactly one object in S3 that contains the event."""
    keys = load.recorded()
    for event in events:
        detail = event["detail"]
        name = f"/{detail['event_id'].replace(':', '_')}.json"
        (key,) = [each for each in keys if each.endswith(name)]
        body = load.stack.aws("s3", "get_object", Bucket=load.stack.ops["analyticsBucket"], Key=key)["Body"].read()
        assert json.loads(body) == {**detail, "detail_type": event["detail-type"]}


def _executions_ended_as_their_orders(
    load: Load, placed: Sequence[Placed], executions: Sequence[Mapping[str, Any]]
) -> None:
    """Fail unless each order has exactly one execution: a successful one if it is CONFIRMED, else a failed one."""
    assert Counter(each["name"] for each in executions) == Counter(each.order_id for each in placed)
    by_name = {each["name"]: each for each in executions}
    for each in placed:
        execution = by_name[each.order_id]
        assert execution["status"] == ("FAILED" if each.end else "SUCCEEDED"), each
        if each.end:
            described = load.stack.aws("stepfunctions", "describe_execution", executionArn=execution["executionArn"])
            assert described["error"] == each.end
