"""Prod's resources, held to the checks of cdk-nag and checkov that apply to them.

Shown to bite: every rule is broken once and more by a change of one of prod's resources, or, where prod breaks it and
has a waiver, mended once. Exactly that rule then reports that resource.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from aws_rules.rules import RULES
from aws_rules.waivers import WAIVERS, Waiver, waived
from tests.policy.breakages import BREAKAGES, MENDINGS
from tests.policy.inventory import CHECKS
from tests.policy.stacks import Change, all_findings, said, stack_of
from tests.policy.tables import levels_of
from tests.proof.plugin import Proof
from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
pytestmark = [pytest.mark.attack("policy-pack")]


def test_prod_keeps_every_rule_except_where_a_waiver_says_why(graph_of: GraphOf, proof: Proof) -> None:
    stack = stack_of(graph_of("prod"))
    found = all_findings(stack)
    judged = {each.urn for rule in RULES for each in stack.of(*rule.types)}
    checks = {check for rule in RULES for check in rule.ids}
    open_findings = [each for each in found if not waived(each)]
    proof.tried(rules=len(RULES), checks_of_the_packs=len(checks), resources_checked=len(judged))
    proof.found(violations=len(open_findings), waivers=len(WAIVERS), checks_left_out=len(CHECKS - checks))
    assert [(each.rule.name, each.resource.name, each.message) for each in open_findings] == []


def test_every_kind_of_resource_that_a_pack_knows_is_judged(graph_of: GraphOf) -> None:
    of_rules = {token for rule in RULES for token in rule.types}
    in_prod = {made.type for made in graph_of("prod").resources}
    absent = of_rules - in_prod
    # No resource in prod has these types. Their rules apply to future resources, and the tests below break each of
    # these rules too.
    assert {token.rsplit(":", 1)[-1] for token in absent} == {
        "EventBusPolicy",
        "EventPermission",
        "Method",
        "Policy",
        "RolePolicyAttachment",
        "Route",
        "TopicSubscription",
    }


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver.rule)
def test_each_waiver_is_needed_and_says_why(waiver: Waiver, graph_of: GraphOf) -> None:
    found = all_findings(stack_of(graph_of("prod")))
    assert any(waiver.covers(each) for each in found), "nothing needs it: remove it"
    assert waiver.reason.endswith(".")
    assert waiver.rule in {rule.name for rule in RULES}


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver.rule)
def test_a_waived_rule_still_applies_to_other_resources(waiver: Waiver, graph_of: GraphOf) -> None:
    (rule,) = [each for each in RULES if each.name == waiver.rule]
    held = [each for each in stack_of(graph_of("prod")).of(*rule.types) if not fnmatchcase(each.name, waiver.resources)]
    assert held, "the rule can never report: move its checks to policy/aws_rules/not_taken.py"


@pytest.mark.parametrize("stack", ["prod", "dev", "local"])
def test_a_stack_is_only_advised_of_what_it_breaks(stack: str, graph_of: GraphOf) -> None:
    found = [each for each in all_findings(stack_of(graph_of(stack))) if not waived(each)]
    assert {each.rule.name for each in found} == set(levels_of(stack)), "policy/enforcement"


@pytest.mark.parametrize(
    ("rule", "resource", "change"),
    [pytest.param(rule, *each, id=f"{rule}-{n}") for rule, cases in BREAKAGES.items() for n, each in enumerate(cases)],
)
def test_a_resource_that_breaks_a_rule_is_reported_by_it_alone(
    rule: str, resource: str, change: Change, graph_of: GraphOf, proof: Proof
) -> None:
    prod = stack_of(graph_of("prod"))
    reported = said(all_findings(change(prod))) - said(all_findings(prod))
    proof.tried(resources_broken=1)
    proof.found(reported=len(reported))
    assert reported == {(rule, resource)}


@pytest.mark.parametrize(("rule", "resource", "change"), [(rule, *each) for rule, each in MENDINGS.items()])
def test_a_resource_that_is_mended_needs_no_waiver(
    rule: str, resource: str, change: Change, graph_of: GraphOf, proof: Proof
) -> None:
    prod = stack_of(graph_of("prod"))
    before, after = said(all_findings(prod)), said(all_findings(change(prod)))
    proof.tried(resources_mended=1)
    assert before - after == {(rule, resource)}
    assert after <= before


def test_each_rule_is_broken_or_mended_at_least_once() -> None:
    assert {name for name, cases in BREAKAGES.items() if cases} | set(MENDINGS) == {rule.name for rule in RULES}
