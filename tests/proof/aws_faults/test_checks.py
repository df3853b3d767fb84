"""The checks of the attack `aws-faults` detect each kind of error, and a fault affects exactly its planned call."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.proof.aws_faults.cases import ORDERED, SCENARIOS, STOCK, Case
from tests.proof.aws_faults.checks import check_cases, is_complete
from tests.proof.aws_faults.faulty_stack import Seen
from tests.proof.aws_faults.plan import Armed, Call, Extent, Fault, Kind, Life, Plan

ORDER_ID = "00000000-0000-4000-8000-000000000001"
OTHER_ID = "00000000-0000-4000-8000-000000000002"
ADDRESS = "kazumi@example.com"
PRODUCT = "faulty-0001"
STATUSES = ("PENDING", "CONFIRMED")
SUBJECTS = ("Your order is received", "Your order is confirmed")
PUT = Call("orders_api", "PutItem")


def case(fault: tuple[Call, Fault] | None = None) -> Case:
    """A case whose order was confirmed."""
    nobody: Any = SimpleNamespace(email=ADDRESS)
    made = Case(nobody, SCENARIOS["accepted and confirmed"], nobody, fault, product=PRODUCT, order_id=ORDER_ID)
    made.customer = nobody
    for armed in made.life.armed:
        armed.fired = 1
    return made


def seen(**changes: Any) -> Seen:
    """A snapshot of the platform after an order was confirmed without errors, with `changes` to its fields."""
    right = Seen(
        rows={ORDER_ID: {"status": {"S": "CONFIRMED"}, "total": {"N": "500"}}},
        stock={PRODUCT: STOCK - ORDERED},
        events={ORDER_ID: Counter(STATUSES)},
        mails={(ADDRESS, subject): 1 for subject in SUBJECTS},
        analytics={ORDER_ID: list(STATUSES)},
        failed={"publish-order-events-stream": []},
        running=frozenset(),
    )
    return replace(right, **changes)


def test_order_without_errors_passes_all_checks() -> None:
    assert is_complete(case(), seen())
    assert check_cases([case()], seen()).wrong == []


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("lost", {"rows": {}}),
        ("stuck", {"rows": {ORDER_ID: {"status": {"S": "PENDING"}}}}),
        ("wrong_ends", {"rows": {ORDER_ID: {"status": {"S": "FAILED"}}}}),
        ("oversold", {"stock": {PRODUCT: STOCK - 2 * ORDERED}}),
        ("wrong_stock", {"stock": {PRODUCT: STOCK}}),
        ("lost", {"events": {ORDER_ID: Counter(STATUSES[:1])}}),
        ("duplicated", {"events": {ORDER_ID: Counter([*STATUSES, "CONFIRMED"])}}),
        ("wrong", {"events": {ORDER_ID: Counter([*STATUSES, "FAILED"])}}),
        ("lost", {"mails": {(ADDRESS, SUBJECTS[0]): 1}}),
        ("duplicated", {"mails": {(ADDRESS, SUBJECTS[0]): 1, (ADDRESS, SUBJECTS[1]): 2}}),
        ("lost", {"analytics": {ORDER_ID: ["PENDING"]}}),
        ("duplicated", {"analytics": {ORDER_ID: [*STATUSES, "PENDING"]}}),
    ],
)
def test_checks_detect_each_kind_of_error(kind: str, changes: dict[str, Any]) -> None:
    assert check_cases([case()], seen(**changes)).counts[kind]


def test_missing_email_about_an_earlier_status_is_no_error() -> None:
    last = {(ADDRESS, SUBJECTS[1]): 1}
    assert is_complete(case(), seen(mails=last))
    assert check_cases([case()], seen(mails=last)).wrong == []


def test_fault_at_the_second_email_need_not_occur_if_only_one_email_was_sent() -> None:
    made = case((Call("send_email", "SendEmail", 2), Fault("killed before", "ever")))
    made.life.armed[0].fired = 0
    assert check_cases([made], seen(mails={(ADDRESS, SUBJECTS[1]): 1})).wrong == []
    assert check_cases([made], seen()).counts == {"never_happened": 1}


def test_planned_fault_that_never_occurs_is_an_error() -> None:
    made = case((PUT, Fault("throttled", "call")))
    made.life.armed[0].fired = 0
    assert check_cases([made], seen()).counts == {"never_happened": 1}


@pytest.mark.parametrize(
    ("operation", "kind", "finding"),
    [
        ("SendEmail", "answer lost", "mails_twice"),
        ("UpdateItem", "killed before", "mails_twice"),
        ("SendEmail", "throttled", "duplicated"),
        ("PutItem", "answer lost", "duplicated"),
    ],
)
def test_duplicate_email_is_allowed_only_if_send_email_cannot_know_of_the_first(
    operation: str, kind: Kind, finding: str
) -> None:
    made = case((Call("send_email", operation), Fault(kind)))
    twice = {(ADDRESS, SUBJECTS[0]): 2, (ADDRESS, SUBJECTS[1]): 1}
    assert check_cases([made], seen(mails=twice)).counts == {finding: 1}


@pytest.mark.parametrize(
    ("extent", "met"),
    [
        ("try", [False, True, False, False]),
        ("call", [False, True, True, False]),
        ("ever", [False, True, True, True]),
    ],
)
def test_extent_of_a_fault_is_one_attempt_or_one_call_or_unlimited(extent: Extent, met: list[bool]) -> None:
    """The fault is planned for the second of three calls. The SDK makes this second call in two attempts."""
    fault, plan = Fault("throttled", extent), Plan()
    life = Life(armed=[Armed(replace(PUT, nth=2), fault)])
    plan.watch(life, [ORDER_ID])
    found = [plan.decide("orders_api", "PutItem", call, f"put {ORDER_ID}") for call in ("1", "2", "2", "3")]
    assert found == [fault if each else None for each in met]
    assert life.calls == [replace(PUT, nth=number) for number in (1, 2, 3)]


def test_fault_affects_only_its_order_and_caller() -> None:
    plan, life = Plan(), Life(armed=[Armed(PUT, Fault("throttled", "ever"))])
    plan.watch(life, [ORDER_ID, PRODUCT])
    plan.watch(Life(), [OTHER_ID])
    assert plan.decide("orders_api", "PutItem", "1", f"put {OTHER_ID}") is None
    assert plan.decide("users_api", "PutItem", "2", f"put {ORDER_ID}") is None
    assert plan.decide("orders_api", "PutItem", "3", f"put {PRODUCT}") == Fault("throttled", "ever")


def test_fault_in_a_request_is_recorded_for_every_order_in_the_request() -> None:
    plan, struck, beside = Plan(), Life(armed=[Armed(PUT, Fault("answer lost"))]), Life()
    plan.watch(struck, [ORDER_ID])
    plan.watch(beside, [OTHER_ID])
    plan.decide("orders_api", "PutItem", "1", f"{OTHER_ID} {ORDER_ID}")
    assert beside.met == struck.met == [(PUT, Fault("answer lost"))]


def test_no_call_fails_after_fault_injection_stops() -> None:
    plan, life = Plan(), Life(armed=[Armed(PUT, Fault("throttled", "ever"))])
    plan.watch(life, [ORDER_ID])
    life.lift()
    assert plan.decide("orders_api", "PutItem", "1", ORDER_ID) is None
