"""Tests that events lead to the same state, whether they arrive twice in random order, or once and in order.

BREAKAGES lists defects of consumers. The tests introduce each defect on purpose, and the attack must find it:
`send_email` sends an email a second time, `process_order` starts a second execution for an order, and
`record_analytics` overwrites an object.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.people import Person
from tests.journeys.stack import Stack
from tests.proof.plugin import Dose, Proof
from tests.proof.repeated_events.broken import broken
from tests.proof.repeated_events.delivery import Deliverer, held
from tests.proof.repeated_events.flows import FAILED, FLOWS, LATER, UNITS, Orders, left_of, out_of_order, sold, statuses
from tests.proof.repeated_events.settled import Settling
from tests.proof.repeated_events.settled import settling as settling_of
from tests.proof.repeated_events.state import State

pytestmark = [pytest.mark.attack("repeated-events"), pytest.mark.emulator]
EVENTS = sum(len(statuses(flow)) for flow in FLOWS)
"""Total number of events if one order of each flow is placed."""
RELAY = "publish_order_events"


@pytest.fixture
def settling(stack: Stack, watcher: Watcher) -> Iterator[Settling]:
    with settling_of(stack, watcher) as found:
        yield found


@pytest.fixture
def deliverer(stack: Stack, settling: Settling) -> Deliverer:
    """Delivers events in a random sequence, which depends on a printed seed. Pytest shows the seed if a test fails."""
    seed = random.randrange(10**9)  # noqa: S311 - the numbers are no secrets
    print(f"seed of the random order: {seed}")  # noqa: T201
    return Deliverer(stack, random.Random(seed), settling.wait_for_room)  # noqa: S311


@pytest.fixture
def made(stack: Stack, admin: Person, customer: Person) -> Callable[[], Orders]:
    """Creates sets of orders, all of one customer."""
    return lambda: Orders(stack, admin, customer)


def subscriber(stack: Stack, topic: str) -> str:
    """Return the URL of the queue that the fixture `watcher` subscribed to a topic."""
    name = stack.ops["topics"][topic].rpartition(":")[2]
    return stack.aws("sqs", "get_queue_url", QueueName=f"subscriber-of-{name}")["QueueUrl"]


def state_of(orders: Orders) -> State:
    """Return a snapshot of the current state."""
    return State.of(orders.stack, orders.customer.email, subscriber(orders.stack, "notifications"))


def once_and_in_order(orders: Orders, number: int, deliverer: Deliverer, settling: Settling) -> None:
    """Place orders of every flow, and let the platform process their events normally."""
    orders.stock(number)
    with held(deliverer.stack, RELAY):
        orders.place_at_once(number)
    for flow in LATER:
        orders.place(flow, number)
    settling.decided(orders.all)
    # While the relay is held, the platform starts no execution of its own for these orders.
    with held(deliverer.stack, RELAY):
        orders.fail(number)
    settling.decided(orders.all)
    orders.cancel("cancelled")


def twice_and_in_no_sequence(orders: Orders, number: int, deliverer: Deliverer, settling: Settling) -> None:
    """Place orders of every flow, and deliver their events twice and in random order."""
    orders.stock(number)
    orders.place_at_once(number)
    for flow in LATER:
        orders.place(flow, number)
    orders.fail(number)
    deliverer.by_stream(deliverer.read())
    settling.decided(orders.all)
    orders.cancel("cancelled")
    deliverer.by_stream(deliverer.read())


@dataclass(frozen=True)
class Outcome:
    """What an attack did, and how many errors it found."""

    tried: dict[str, int]
    found: dict[str, int]
    """Number of errors by kind. All numbers are zero if the guarantee holds."""


@pytest.fixture
def attack(made: Callable[[], Orders], deliverer: Deliverer, settling: Settling) -> Callable[[int, int], Outcome]:
    """Runs the attack with `number` orders per flow.

    In addition, `models` reference orders per flow get each event once and in order.
    """

    def run(number: int, models: int) -> Outcome:
        model, orders = made(), made()
        before = state_of(orders)
        once_and_in_order(model, models, deliverer, settling)
        settling.wait(models * EVENTS)
        deliverer.read()
        with held(deliverer.stack, RELAY):
            twice_and_in_no_sequence(orders, number, deliverer, settling)
            settling.wait(models * EVENTS + deliverer.delivered["stream"])
            first = state_of(orders)
            distinct = list({event["detail"]["event_id"]: event for event in settling.events()}.values())
            assert len(distinct) == (number + models) * EVENTS
            deliverer.by_bus(distinct)
            deliverer.by_queue(distinct)
        by_hand = deliverer.delivered["stream"] + deliverer.delivered["bus"]
        settling.wait((models + number) * EVENTS + by_hand)
        after = state_of(orders)
        events = [event["detail"]["event_id"] for event in settling.events()]
        tried = {
            "orders": len(orders.all) + len(model.all),
            "events": len(distinct),
            "deliveries": len(events) + deliverer.delivered["queue"],
            "after_a_later_one": out_of_order(events),
        }
        return Outcome(tried, {**differences(before, after, orders, model), **changes(first, after)})

    return run


def test_repeated_and_shuffled_events_lead_to_the_same_state_as_ordered_events(
    attack: Callable[[int, int], Outcome], proof: Proof, dose: Dose
) -> None:
    """Compares the final states of orders of every flow after three steps.

    The first step places a few reference orders, whose events are delivered once and in order. The second step places
    many orders, withholds their stream records from the outbox relay, and afterwards sends each record to the relay
    twice, in random order. The third step delivers all events again in three ways: on the bus, to the analytics queue
    with new deduplication ids (as if SQS's deduplication interval had passed), and from the stream itself.
    """
    outcome = attack(dose(3, 50), dose(1, 2))
    proof.tried(**outcome.tried)
    proof.found(**outcome.found)
    assert not any(outcome.found.values()), outcome.found


BREAKAGES = {
    # With this defect, each delivery of an event stores its claim (the row that prevents a second email) under a new
    # id. The claim of an earlier delivery therefore has no effect.
    ("send_email", "second_mails"): """
        import uuid
        take = type(as_it_was.claims).take
        as_it_was.claims.take = lambda event_id, **times: take(as_it_was.claims, f"{event_id}{uuid.uuid4()}", **times)
        return as_it_was.lambda_handler(event, context)
    """,
    # With this defect, an execution has a random name instead of the order id. Step Functions therefore doesn't
    # recognize the repeated start, and a repeated event starts a second execution.
    ("process_order", "second_executions"): """
        import uuid
        from shared import order_workflow
        order_workflow.execution_name = lambda order_id, restarts: str(uuid.uuid4())
        return as_it_was.lambda_handler(event, context)
    """,
    # With this defect, the function writes the object without the condition IfNoneMatch, so a second delivery
    # overwrites the object.
    ("record_analytics", "records_rewritten"): """
        put = type(as_it_was.s3).put_object
        as_it_was.s3.put_object = lambda IfNoneMatch, **call: put(as_it_was.s3, **call)
        return as_it_was.lambda_handler(event, context)
    """,
}


@pytest.mark.full
@pytest.mark.parametrize(("source", "shows"), BREAKAGES)
def test_attack_detects_a_consumer_that_repeats_its_work(
    attack: Callable[[int, int], Outcome], stack: Stack, source: str, shows: str
) -> None:
    with broken(stack, source, BREAKAGES[source, shows]):
        found = attack(1, 1).found
    assert found[shows], found


def differences(before: State, state: State, orders: Orders, model: Orders) -> dict[str, int]:
    """Return the number of errors by kind, for example orders that ended differently from the reference orders."""
    left, right = left_of(state, orders), left_of(state, model)
    others = 0
    for flow in FLOWS:
        # `right` contains the final states of the reference orders as texts. All reference orders of a flow must have
        # the same text, so one of these texts is enough for the comparison with the other orders.
        text = max(right[flow])
        others += right[flow].total() + left[flow].total() - right[flow][text] - left[flow][text]
        right_end = f'"status": {{"S": "{statuses(flow)[-1]}"}}' in text
        complete = text.count("orders/dt=DAY/ID_") == len(statuses(flow)) and text.count("Hello ") == 1
        others += not (right_end and complete)
    missold = 0
    for made_ in (orders, model):
        gone = sold(state, made_)
        wanted = {flow: UNITS * len(made_.ids[flow]) * (statuses(flow)[-1] == "CONFIRMED") for flow in FLOWS}
        missold += sum(abs(gone[flow] - wanted[flow]) for flow in FLOWS)
    started = {order_id for each in (orders, model) for flow in (*LATER, FAILED) for order_id in each.ids[flow]}
    return {
        "other_ends": others,
        "units_missold": missold,
        "second_mails": len(state.mails) - len(set(state.mails)),
        "second_records": len(state.contents) - len(set(state.contents.values())),
        "second_executions": len(set(state.executions) - set(before.executions) - started),
        "in_failure_queues": len(set(state.failed) - set(before.failed)),
    }


def changes(first: State, after: State) -> dict[str, int]:
    """Return the number of changes of each kind after all events were delivered once more."""
    rows = sum(first.tables[name] != after.tables[name] for name in first.tables)
    rest = [getattr(first, name) != getattr(after, name) for name in ("mails", "executions", "notified", "failed")]
    rewritten = [key for key in {**first.objects, **after.objects} if first.objects.get(key) != after.objects.get(key)]
    return {"records_rewritten": len(rewritten), "changed_by_the_last": rows + sum(rest)}
