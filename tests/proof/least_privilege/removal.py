"""Finds out which scenario uses which permission, and what fails without the permission."""

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
from tests.proof.least_privilege.audited_stack import AuditedStack, Decision, Refused, until
from tests.proof.least_privilege.grants import Grant
from tests.proof.least_privilege.policies import Deployed
from tests.proof.least_privilege.scenario import Check, Scenario

_PAUSE_S: Final = 0.03
_SCENARIOS_TRIED: Final = 3
Value = tuple[Grant, str, str]
"""A permission, a key of its conditions, and one of the key's values."""


@dataclass
class Uses:
    """The permissions that each scenario uses when no permission is removed."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Duration of each scenario in seconds."""
    breaking: set[str] = field(default_factory=set[str])
    """Names of scenarios that remove a permission themselves."""
    of_grant: defaultdict[Grant, set[str]] = field(default_factory=lambda: defaultdict[Grant, set[str]](set))
    """{permission: names of the scenarios that use it}"""
    of_value: defaultdict[Value, set[str]] = field(default_factory=lambda: defaultdict[Value, set[str]](set))
    refused: set[str] = field(default_factory=set[str])
    """Requests that IAM denied although no permission was removed. Each denial shows that a permission is missing."""

    def shortest(self, scenarios: set[str]) -> list[str]:
        """Return the scenarios, quick ones first. Scenarios that remove a permission themselves come last."""
        return sorted(scenarios, key=lambda name: (name in self.breaking, self.seconds[name]))


def clean_run(audited: AuditedStack, scenarios: Mapping[str, Scenario], grants: Sequence[Grant]) -> Uses:
    """Run all scenarios with all permissions, and record IAM's decisions in each scenario."""
    uses = Uses()
    for name, scenario in scenarios.items():
        with closing(scenario(audited)) as steps:
            next(steps)
            audited.quiet()
            mark, began = audited.mark(), time.monotonic()
            try:
                until(next(steps), name)
            except (Refused, AssertionError):
                # If IAM denied a request of this step, continue, because `_take_down` records the denial below.
                # Otherwise, raise the error again.
                if all(decision.allowed for decision in audited.decisions(mark)):
                    raise
            uses.seconds[name] = time.monotonic() - began
            audited.quiet()
            if audited.on_purpose:
                uses.breaking.add(name)
            for decision in audited.decisions(mark):
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
    """Return whether the permission `grant` allows the request that IAM decided on."""
    return grant.covers(who=decision.who, action=decision.action, resource=decision.resource, context=decision.context)


@dataclass(frozen=True)
class Removal:
    """The removal of a permission or of one value in its condition, with the scenarios that should fail afterwards."""

    grant: Grant
    title: str
    broken: Callable[[], AbstractContextManager[None]]
    refused: Callable[[Decision], bool]
    """Returns whether a decision concerns a request that needs the removed permission or value."""
    resource: str
    """The permission's resource, as the deployed policy contains it."""
    scenarios: set[str]


def failure_without(audited: AuditedStack, scenario: Scenario, removal: Removal) -> str:
    """Return the first sign of a failure while a permission is removed: an error, a log line or a failed message.

    A failure counts only if IAM denied a request that needs the removed permission. Returns an empty string if IAM
    denied no such request, or if no sign shows the denial.
    """
    with closing(scenario(audited)) as steps:
        next(steps)
        mark, since_ms, log_from = audited.mark(), int(time.time() * 1000), audited.stack.instance.log.stat().st_size
        with removal.broken():
            sign = _act(steps)
            ends = time.monotonic() + WITHIN_S
            while time.monotonic() < ends:
                # First check whether the stack has finished all work, and then search for errors. A search after the
                # end of all work finds every error, so no further search is needed.
                at_rest = audited.is_at_rest()
                if any(not each.allowed and removal.refused(each) for each in audited.decisions(mark)):
                    found = audited.signs(since_ms, log_from)
                    # Some scenarios remove a permission as a part of the scenario, and this causes errors too. For
                    # these scenarios, count only errors that contain the resource or the operation of this removal. The
                    # operation is necessary, because errors of SQS do not contain the name of the queue.
                    name, operation = removal.resource.rpartition(":")[2], removal.grant.action.partition(":")[2]
                    ours = (name, f"calling the {operation} operation")
                    told = (each for each in found if not audited.on_purpose or any(text in each for text in ours))
                    if sign := sign or next(told, ""):
                        return sign
                if at_rest:
                    # The stack has finished all work, and the removal of the permission has caused no error.
                    return ""
                time.sleep(_PAUSE_S)
    return ""


def _act(steps: Generator[Check]) -> str:
    """Run the scenario's second step. Return the error if a request of this step failed, or an empty string."""
    try:
        next(steps)
    except Refused as error:
        return str(error)
    return ""


def removals(audited: AuditedStack, deployed: Sequence[Deployed], uses: Uses) -> list[Removal]:
    """Return the removal of each permission, and of each condition value that the emulator checks."""
    found: list[Removal] = []
    for each in deployed:
        grant = each.grant
        found.append(
            Removal(grant, str(grant), each.removed, partial(covers, grant), each.resource, uses.of_grant[grant])
        )
        for key, value in each.values():
            plain = audited.cut(value)
            if used := uses.of_value[grant, key, plain]:
                title = f"{grant.policy}: {grant.action} when {key} is {plain}"
                refused = partial(_has, grant, key, plain)
                found.append(Removal(grant, title, partial(each.altered, key, value), refused, each.resource, used))
    return found


def sign_of(audited: AuditedStack, removal: Removal, scenarios: Mapping[str, Scenario], uses: Uses) -> str:
    """Return "scenario: sign of its failure" for the first scenario that fails after `removal`, or "" if none fails."""
    for name in uses.shortest(removal.scenarios)[:_SCENARIOS_TRIED]:
        if sign := failure_without(audited, scenarios[name], removal):
            return f"{name}: {sign}"
    return ""


def _has(grant: Grant, key: str, value: str, decision: Decision) -> bool:
    return covers(grant, decision) and _fits(decision.context.get(key, ""), value)


def _fits(found: str, value: str) -> bool:
    return fnmatch.fnmatchcase(found, value)
