"""Records the AWS calls of each scenario, and then repeats the scenario once for each fault at each of these calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.journeys.patience import WITHIN_S
from tests.journeys.people import Person
from tests.proof.aws_faults.cases import SCENARIOS, Case, Scenario, wait_until
from tests.proof.aws_faults.checks import holds_on, is_complete, waits
from tests.proof.aws_faults.faulty_stack import FaultyStack, Seen
from tests.proof.aws_faults.plan import SWEEP, Call, Fault, faults_of

_CUSTOMERS: Final = 12
"""Number of customers that send requests at the same time."""
_RELAY: Final = "publish_order_events"
_ANALYTICS: Final = "record_analytics"
_BATCHED: Final = (_RELAY, _ANALYTICS)


@dataclass(frozen=True)
class FaultPoint:
    """One AWS call of one scenario, and the fault to inject there."""

    scenario: Scenario
    call: Call
    fault: Fault


@dataclass
class Run:
    """All cases on one emulator. A case is one run of a scenario."""

    faulty: FaultyStack
    admin: Person
    cases: list[Case] = field(default_factory=list[Case])

    def record(self, scenarios: Iterable[Scenario] = SCENARIOS.values()) -> dict[str, list[Call]]:
        """Run each scenario once, and return {name of the scenario: its AWS calls}.

        The only faults in these runs are those that belong to the scenarios themselves. A call is left out if a fault
        at an earlier call has the same effect (see `_meaning`).
        """
        cases = [Case(self.faulty, scenario, self.admin) for scenario in scenarios]
        self.play(cases)
        self.settle(lambda case, seen: is_complete(case, seen) and case.order_id not in seen.running)
        known = set[tuple[str | int, ...]]()
        found: dict[str, list[Call]] = {}
        for case in cases:
            new: list[Call] = []
            for call in case.life.calls:
                meaning = (call.caller, call.operation, *_meaning(case.scenario, call))
                if meaning not in known:
                    known.add(meaning)
                    new.append(call)
            found[case.scenario.name] = new
        return found

    def play(self, cases: Iterable[Case]) -> None:
        """Run all cases, several of them at the same time."""
        cases = list(cases)
        self.cases += cases
        with ThreadPoolExecutor(max_workers=_CUSTOMERS) as pool:
            list(pool.map(_play, cases))

    def attack(self, points: Iterable[FaultPoint]) -> None:
        """Run one case for each fault point."""
        cases = [Case(self.faulty, point.scenario, self.admin, (point.call, point.fault)) for point in points]
        lanes = {name: [case for case in cases if _caller(case) == name] for name in _BATCHED}
        # These cases take minutes, so they come first. Orders with faults that last, which come later, become FAILED at
        # the time limit of their workflow.
        self._in_sweeps([case for case in cases if _caller(case) in SWEEP])
        self.play(case for case in cases if _caller(case) not in (*lanes, *SWEEP))
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            list(pool.map(self._one_after_the_other, lanes.values()))

    def _one_after_the_other(self, cases: list[Case]) -> None:
        """Run cases one after another.

        These cases have faults in functions that process several orders in one invocation. If the cases ran at the same
        time, a fault of one case would also affect the orders of other cases.
        """
        for case in sorted(cases, key=lambda case: case.fault is not None and case.fault[1].extent == "ever"):
            self.play([case])
            case.until_met()
            if case.fault and case.fault[1].extent == "ever":
                wait_until(lambda case=case: is_waiting(case, self.faulty.look()))

    def _in_sweeps(self, cases: Iterable[Case]) -> None:
        """Run cases with faults in the functions that restart late orders, one after another.

        One sweep handles all late orders, so a fault that lasts can also delay the orders of later cases. The fault of
        each case therefore ends after it has occurred. Later sweeps then restart the order.
        """
        for case in cases:
            self.play([case])

            def has_occurred(case: Case = case) -> bool:
                self.faulty.sweep(self.faulty.look(), [case.order_id])
                return all(armed.fired for armed in case.life.armed)

            wait_until(has_occurred)
            case.life.lift()

    def settle(self, is_settled: Callable[[Case, Seen], bool]) -> Seen:
        """Wait until `is_settled(case, snapshot)` is true for every case, or until the time limit.

        Meanwhile, invoke the sweep, which restarts late orders. Return the last snapshot of the platform.
        """
        ends = time.monotonic() + WITHIN_S
        while True:
            seen = self.faulty.look()
            if all(is_settled(case, seen) for case in self.cases) or time.monotonic() > ends:
                return seen
            self.faulty.sweep(seen, [case.order_id for case in self.cases])
            time.sleep(1)

    def lift(self) -> None:
        """Stop injecting faults, and let customers repeat the requests that have only received errors so far."""
        for case in self.cases:
            case.life.lift()
        with ThreadPoolExecutor(max_workers=_CUSTOMERS) as pool:
            list(pool.map(Case.ask_again, self.cases))


def _meaning(scenario: Scenario, call: Call) -> tuple[str | int, ...]:
    """Return a key. If two calls have the same caller, operation and key, a fault has the same effect on both."""
    if call.caller == _ANALYTICS:
        # Each event is in a message of its own, and record_analytics handles all messages in the same way. A fault
        # therefore has the same effect for every event.
        return ()
    if call.caller in (_RELAY, "send_email"):
        # How an order was placed does not change the effect of a fault in the relay or in send_email. A fault also has
        # the same effect for the order's second event as for all later events.
        return (min(call.nth, 2),)
    if call.caller == "fail_order":
        # Only in the scenario "abandoned" does fail_order find an undecided order. In all other scenarios, the order is
        # already decided, so a fault has the same effect in all of them.
        return (scenario.name == "abandoned",)
    return (call.nth, scenario.synchronous)


def points_of(recorded: dict[str, list[Call]]) -> list[FaultPoint]:
    """Return a fault point for each fault that can occur at each call in `recorded`, always in the same sequence."""
    return [
        FaultPoint(SCENARIOS[name], call, fault)
        for name, calls in recorded.items()
        for call in sorted(calls)
        # Leave out the second read of an order by process_order. This call occurs only if the EXPRESS execution happens
        # to be slow, so it might be missing when the attack repeats the scenario.
        if (call.caller, call.operation, call.nth) != ("process_order", "GetItem", 2)
        for fault in faults_of(call)
    ]


def is_waiting(case: Case, seen: Seen) -> bool:
    """Return whether the case is complete, or can continue only after a redrive or after its fault ends."""
    return is_complete(case, seen) or waits(case, seen) or holds_on(case)


def _play(case: Case) -> None:
    case.prepare()
    case.scenario.play(case)


def _caller(case: Case) -> str:
    return case.fault[0].caller if case.fault else ""
