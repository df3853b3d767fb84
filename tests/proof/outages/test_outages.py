"""Every accepted order is completely processed after an outage of any part of the platform, without manual action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import pytest
import urllib3

from contracts.queues import LONGEST_PAUSE_S
from local.client import client_of
from local.instances import stopped_at_the_end
from tests.journeys.checked_client import CheckedClient
from tests.journeys.fixtures import everything_on_the_bus
from tests.journeys.people import People
from tests.journeys.stack import start, temporary
from tests.proof.aws_faults.faulty_stack import FaultyStack
from tests.proof.aws_faults.plan import Plan
from tests.proof.outages.clock import hurried
from tests.proof.outages.orders import CUSTOMERS, Orders, left
from tests.proof.outages.outages import KINDS, MIXED, Outage, of_functions, of_machines, of_queues
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("outages"), pytest.mark.emulator]

WITHIN_S: Final = LONGEST_PAUSE_S + 240.0
"""Time limit in seconds for the end of all work.

A message whose processing fails just before the repair returns only after LONGEST_PAUSE_S. Then its work and the work
of hanging functions still have to end.
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], dose: Dose) -> Iterator[FaultyStack]:
    """A deployed stack without injected faults, with shortened waits and on an emulator of its own."""
    instance = temporary(free_port(), tmp_path_factory.mktemp("outages"))
    with stopped_at_the_end(instance):
        # LOCAL_PATIENCE multiplies all time limits in the emulator. During `make prove`, some broken functions run
        # until their time limit. The factor 2 instead of the usual 10 saves several minutes.
        stack = start(instance, LOCAL_ASYNC_RETRY_BASE_S="2", LOCAL_PATIENCE="2" if dose.full else "10")
        with hurried(stack):
            yield FaultyStack(stack, Plan(), everything_on_the_bus(stack))


@pytest.fixture
def orders(faulty: FaultyStack) -> Orders:
    """The orders of one test. Messages that an earlier test left in failure queues are deleted."""
    for queue in faulty.stack.ops["failureQueues"].values():
        faulty.stack.aws("sqs", "purge_queue", QueueUrl=queue["url"])
    plain = client_of(faulty.stack.outputs)
    # The pool has as many connections as there are concurrent customers.
    client = CheckedClient(plain.frontend, plain.cognito_url, urllib3.PoolManager(maxsize=CUSTOMERS, retries=False))
    return Orders(faulty, People(faulty.stack, client).somebody("admin"))


@pytest.mark.timeout(1800)
def test_accepted_orders_are_processed_after_different_outages_of_all_parts(
    orders: Orders, proof: Proof, dose: Dose
) -> None:
    survive(orders, MIXED, proof, dose)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_accepted_orders_are_processed_after_all_functions_break_in_the_same_way(
    orders: Orders, proof: Proof, dose: Dose, kind: str
) -> None:
    # The emulator runs only a few invocations of a function at the same time (emulator_fixes/environments.py). While
    # these invocations hang, the invocations for all other orders wait. The kind `hangs` therefore gets fewer orders.
    survive(orders, of_functions(orders.faulty.stack, kind), proof, dose, of_each=1 if kind == "hangs" else dose(1, 3))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_accepted_orders_are_processed_after_state_machines_lose_their_policies(
    orders: Orders, proof: Proof, dose: Dose
) -> None:
    survive(orders, of_machines(), proof, dose)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_accepted_orders_are_processed_after_queues_lose_their_policies(
    orders: Orders, proof: Proof, dose: Dose
) -> None:
    survive(orders, of_queues(orders.faulty.stack), proof, dose)


def survive(orders: Orders, outages: Sequence[Outage], proof: Proof, dose: Dose, *, of_each: int | None = None) -> None:
    """Place orders during the outages, and wait. Fail unless every accepted order reaches its expected status."""
    orders.during(outages, phase_s=dose(3, 20), of_each=of_each or dose(1, 3))
    seen, findings = orders.settle(WITHIN_S)
    statuses = orders.statuses(seen)
    proof.tried(outages=len(outages), orders=len(orders.cases))
    proof.found(
        **{status.lower(): statuses[status] for status in ("CONFIRMED", "REJECTED", "FAILED", "PENDING")},
        left_in_failure_queues=sum(left(seen).values()),
    )
    assert findings.wrong == []
    assert left(seen) == {}
