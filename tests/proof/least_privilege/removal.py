"""Which scenario needs which permission, and what happens without it."""

from __future__ import annotations

import fnmatch
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.journeys.patience import WITHIN_S
from tests.proof.least_privilege.grants import Grant
from tests.proof.least_privilege.policies import Deployed
from tests.proof.least_privilege.scenarios import Check, Scenario
from tests.proof.least_privilege.world import Decision, Refused, World, until

_PAUSE_S: Final = 0.03
_SCENARIOS_TRIED: Final = 3
Value = tuple[Grant, str, str]
"""A permission, a key of its conditions, and one of the values."""


@dataclass
class Uses:
    """What a clean run needed."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """How long each scenario takes."""
    breaking: set[str] = field(default_factory=set[str])
    """Scenarios that take a permission away by themselves."""
    of_grant: defaultdict[Grant, set[str]] = field(default_factory=lambda: defaultdict[Grant, set[str]](set))
    """Scenarios that need it."""
    of_value: defaultdict[Value, set[str]] = field(default_factory=lambda: defaultdict[Value, set[str]](set))
    refused: set[str] = field(default_factory=set[str])
    """What was refused though nothing was taken away: what is missing."""

    def shortest(self, scenarios: set[str]) -> list[str]:
        """Return the scenarios, the quickest first, and last those that break something by themselves."""
        return sorted(scenarios, key=lambda name: (name in self.breaking, self.seconds[name]))


def clean_run(world: World, scenarios: Mapping[str, Scenario], grants: Sequence[Grant]) -> Uses:
    """Run the scenarios with all permissions, and take down what IAM decided in each."""
    uses = Uses()
    for name, scenario in scenarios.items():
        with closing(scenario(world)) as steps:
            next(steps)
            world.quiet()
            mark, began = world.mark(), time.monotonic()
            try:
                until(next(steps), name)
            except (Refused, AssertionError):
                # If a permission was denied, a later check reports it. Every other error is raised again.
                if all(decision.allowed for decision in world.decisions(mark)):
                    raise
            uses.seconds[name] = time.monotonic() - began
            world.quiet()
            if world.on_purpose:
                uses.breaking.add(name)
            for decision in world.decisions(mark):
                _take_down(uses, name, decision, grants)
    return uses


def _take_down(uses: Uses, name: str, decision: Decision, grants: Sequence[Grant]) -> None:
    if not decision.allowed:
        if name not in uses.breaking:
            uses.refused.add(f"{decision.who} may not {decision.action} on {decision.resource}")
        return
    for grant in grants:
        if covers(grant, decision):
            uses.of_grant[grant].add(name)
            for _, key, values in grant.when:
                for value in values:
                    if key in decision.context and _fits(decision.context[key], value):
                        uses.of_value[grant, key, value].add(name)


def covers(grant: Grant, decision: Decision) -> bool:
    """Whether the permission is the one that was asked for."""
    return grant.covers(who=decision.who, action=decision.action, resource=decision.resource, context=decision.context)


@dataclass(frozen=True)
class Removal:
    """One thing to take away, and who should miss it."""

    grant: Grant
    title: str
    broken: Callable[[], AbstractContextManager[None]]
    refused: Callable[[Decision], bool]
    """Whether IAM refused a request for lack of it."""
    resource: str
    """What it is about, as it is deployed."""
    scenarios: set[str]


def failure_without(world: World, scenario: Scenario, removal: Removal) -> str:
    """Return what a scenario shows while something is taken away: a fault, a log line, a message in a failure queue.

    Only what IAM refused for lack of it counts. Returns `` if nothing was refused, or if nobody could see it.
    """
    with closing(scenario(world)) as steps:
        next(steps)
        mark, since_ms, log_from = world.mark(), int(time.time() * 1000), world.stack.instance.log.stat().st_size
        with removal.broken():
            sign = _act(steps)
            ends = time.monotonic() + WITHIN_S
            while time.monotonic() < ends:
                # This check comes before the search, so that the search sees everything that happened before the stack
                # became idle.
                at_rest = world.is_at_rest()
                if any(not each.allowed and removal.refused(each) for each in world.decisions(mark)):
                    found = world.signs(since_ms, log_from)
                    # A scenario that takes a permission away itself also produces errors, so only errors that contain
                    # the removed resource count.
                    told = (each for each in found if not world.on_purpose or removal.resource in each)
                    if sign := sign or next(told, ""):
                        return sign
                if at_rest:
                    # All work has ended, and no denied permission was found.
                    return ""
                time.sleep(_PAUSE_S)
    return ""


def _act(steps: Generator[Check]) -> str:
    """Return the fault that the scenario met at once, if it did."""
    try:
        next(steps)
    except Refused as error:
        return str(error)
    return ""


def removals(world: World, deployed: Sequence[Deployed], uses: Uses) -> list[Removal]:
    """Return the removal of each permission, and of each value of each condition that the emulator looks at."""
    found: list[Removal] = []
    for each in deployed:
        grant = each.grant
        found.append(
            Removal(grant, str(grant), each.removed, partial(covers, grant), each.resource, uses.of_grant[grant])
        )
        for key, value in each.values():
            plain = world.cut(value)
            if used := uses.of_value[grant, key, plain]:
                title = f"{grant.policy}: {grant.action} when {key} is {plain}"
                refused = partial(_has, grant, key, plain)
                found.append(Removal(grant, title, partial(each.altered, key, value), refused, each.resource, used))
    return found


def sign_of(world: World, removal: Removal, scenarios: Mapping[str, Scenario], uses: Uses) -> str:
    """Return what shows that something is missing, in the first scenario that shows it; `` if none does."""
    for name in uses.shortest(removal.scenarios)[:_SCENARIOS_TRIED]:
        if sign := failure_without(world, scenarios[name], removal):
            return f"{name}: {sign}"
    return ""


def _has(grant: Grant, key: str, value: str, decision: Decision) -> bool:
    return covers(grant, decision) and _fits(decision.context.get(key, ""), value)


def _fits(found: str, value: str) -> bool:
    return fnmatch.fnmatchcase(found, value)
