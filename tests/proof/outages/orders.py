"""Orders that customers place during an outage, and what must hold for them afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from local.aws import CallError
from tests.journeys.people import Person
from tests.proof.aws_faults.cases import ORDERED, Case, Scenario
from tests.proof.aws_faults.checks import SUBJECTS, Findings, check_cases, is_complete
from tests.proof.aws_faults.faulty_stack import FaultyStack, Seen
from tests.proof.outages.outages import Outage

CUSTOMERS: Final = 16
"""Highest number of customers that send requests at the same time."""
_PAUSE_S: Final = 1.0
_DECIDED, _ACCEPTED = 200, 202
_LATER: Final = (503, 504)
"""Statuses with which POST /process asks the client to read the order later, or to send the request again later."""
_MAY_HOLD_COPIES: Final = "process-order-"
"""Prefix of the failure queues of `process_order`.

Lambda sends events to these queues after the last retry, but the sweep still starts the workflow of their orders.
"""


def _order(case: Case) -> None:
    assert case.customer.order({case.product: ORDERED}, case.key)["order_id"] == case.order_id
    case.answers.append(_ACCEPTED)


def _process(case: Case) -> None:
    """Place an order with POST /process. After an error, the customer does not send the request again."""
    assert isinstance(case, OutageCase)
    answer = case.customer.process({case.product: ORDERED}, case.key)
    case.answers.append(answer.status)
    assert answer.status in (_DECIDED, *_LATER), answer
    if "order_id" in answer.json():
        assert answer.json()["order_id"] == case.order_id
        case.accepted_by_error = True


SCENARIOS: Final = (
    Scenario("accepted and confirmed", _order, "CONFIRMED"),
    Scenario("accepted and rejected", _order, "REJECTED", stock=ORDERED - 1),
    Scenario("processed at once", _process, "CONFIRMED", synchronous=True),
)


@dataclass
class OutageCase(Case):
    """An order that a customer places during an outage."""

    outage: str = ""
    accepted_by_error: bool = False
    """Whether the response contained the order's id. Even after an error, the platform must decide such an order."""

    def __str__(self) -> str:
        return f"[{self.outage}] {super().__str__()}"

    def is_accepted(self, seen: Seen) -> bool:
        """Return whether the platform accepted the order.

        The platform accepted the order if the response was a success, if the response contained the order's id, or if
        the orders table contains the order.
        """
        return self.accepted_by_error or self.answers[-1] not in _LATER or self.order_id in seen.rows


@dataclass
class Orders:
    """All orders that customers place during outages of one stack."""

    faulty: FaultyStack
    admin: Person
    cases: list[OutageCase] = field(default_factory=list[OutageCase])

    def during(self, outages: Sequence[Outage], *, phase_s: float, of_each: int = 1) -> None:
        """Break the parts of all `outages` at the same time, and repair one part every `phase_s` seconds.

        Before each repair, customers place `of_each` orders of each scenario.
        """
        with ThreadPoolExecutor(CUSTOMERS) as pool, ExitStack() as all_repairs:
            repairs = [all_repairs.enter_context(ExitStack()) for _ in outages]
            for repair, outage in zip(repairs, outages, strict=True):
                repair.enter_context(outage.breakage(self.faulty.stack))
            placed: list[Future[None]] = []
            for repair, outage in zip(repairs, outages, strict=True):
                placed += self._place(pool, outage, of_each)
                self._pass(phase_s, outage)
                repair.close()
            for each in placed:
                each.result()

    def settle(self, within_s: float) -> tuple[Seen, Findings]:
        """Wait until all accepted orders are complete, and all failure queues that must be empty are empty.

        Stop waiting after `within_s` seconds. Return the final state, and all errors.
        """
        ends = time.monotonic() + within_s
        while True:
            seen = self.faulty.look()
            accepted = [case for case in self.cases if case.is_accepted(seen)]
            done = all(is_complete(case, seen) for case in accepted) and not left(seen)
            if done or time.monotonic() > ends:
                findings = check_cases(list(accepted), seen)
                self._check_sequence_of_emails(accepted, findings)
                return seen, findings
            time.sleep(_PAUSE_S)

    def statuses(self, seen: Seen) -> Counter[str]:
        """Return {status: number of orders that have this status}."""
        return Counter(seen.rows[case.order_id]["status"]["S"] for case in self.cases if case.order_id in seen.rows)

    def _check_sequence_of_emails(self, cases: Sequence[OutageCase], findings: Findings) -> None:
        """Record an error for each order whose email about the receipt was sent after another email about the order."""
        sent = self.faulty.stack.sent()
        for case in cases:
            subjects = [mail["Subject"] for mail in sent if case.customer.email in mail["To"]]
            if SUBJECTS["PENDING"] in subjects[1:]:
                findings.add("wrong_sequence", case, f"emails {subjects}")

    def _place(self, pool: ThreadPoolExecutor, outage: Outage, of_each: int) -> list[Future[None]]:
        cases = [
            OutageCase(self.faulty, scenario, self.admin, outage=outage.name)
            for scenario in SCENARIOS
            for _ in range(of_each)
        ]
        self.cases += cases
        return [pool.submit(partial(_play, case)) for case in cases]

    def _pass(self, seconds: float, outage: Outage) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if outage.stops_executions:
                self._stop_executions()
            time.sleep(_PAUSE_S)

    def _stop_executions(self) -> None:
        aws, machine = self.faulty.stack.aws, self.faulty.stack.ops["stateMachines"]["standard"]
        running = aws("stepfunctions", "list_executions", stateMachineArn=machine, statusFilter="RUNNING")
        for execution in running["executions"]:
            # Stopping an execution fails if the execution has ended since it was listed, so the error is ignored.
            with suppress(CallError):
                aws(
                    "stepfunctions", "stop_execution", executionArn=execution["executionArn"], cause="stopped by a test"
                )


def left(seen: Seen) -> dict[str, int]:
    """Return {name: number of messages} for each failure queue that contains messages, but must be empty."""
    return {
        name: len(bodies) for name, bodies in seen.failed.items() if bodies and not name.startswith(_MAY_HOLD_COPIES)
    }


def _play(case: OutageCase) -> None:
    case.prepare()
    case.scenario.play(case)
