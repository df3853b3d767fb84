"""The policy pack checks the resources of stack prod with the rules of cdk-nag and checkov that apply to them.

The tests violate each rule at least once by changing one resource of prod. If a waiver allows prod itself to violate
the rule, the tests fix the violation instead. After the change, exactly this rule must report the resource, or stop
reporting it.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from aws_rules.rules import RULES
from aws_rules.waivers import WAIVERS, Waiver, waived
from tests.conftest import STACKS
from tests.policy.breakages import BREAKAGES, MENDINGS
from tests.policy.inventory import CHECKS
from tests.policy.stacks import Change, all_findings, said, stack_of
from tests.policy.tables import levels_of
from tests.proof.plugin import Proof
from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
pytestmark = [pytest.mark.attack("policy-pack")]


def test_prod_violates_no_rule_without_a_waiver(graph_of: GraphOf, proof: Proof) -> None:
    stack = stack_of(graph_of("prod"))
    found = all_findings(stack)
    judged = {each.urn for rule in RULES for each in stack.of(*rule.types)}
    checks = {check for rule in RULES for check in rule.ids}
    open_findings = [each for each in found if not waived(each)]
    proof.tried(rules=len(RULES), checks_of_the_packs=len(checks), resources_checked=len(judged))
    proof.found(violations=len(open_findings), waivers=len(WAIVERS), checks_left_out=len(CHECKS - checks))
    assert [(each.rule.name, each.resource.name, each.message) for each in open_findings] == []


def test_prod_contains_every_resource_type_with_a_rule_except_the_listed_types(graph_of: GraphOf) -> None:
    of_rules = {token for rule in RULES for token in rule.types}
    in_prod = {made.type for made in graph_of("prod").resources}
    absent = of_rules - in_prod
    # prod contains no resources of these types. The rules for these types apply to stacks whose web site has its own
    # domain, and to resources that the program might create later. The tests below violate these rules as well.
    assert {token.rsplit(":", 1)[-1] for token in absent} == {
        "Certificate",
        "EventBusPolicy",
        "EventPermission",
        "Method",
        "Policy",
        "Record",
        "RolePolicyAttachment",
        "Route",
        "TopicSubscription",
    }


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver.rule)
def test_each_waiver_is_needed_and_has_a_reason(waiver: Waiver, graph_of: GraphOf) -> None:
    found = all_findings(stack_of(graph_of("prod")))
    assert any(waiver.covers(each) for each in found), "no finding needs this waiver: remove it"
    assert waiver.reason.endswith(".")
    assert waiver.rule in {rule.name for rule in RULES}


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver.rule)
def test_a_waived_rule_still_applies_to_other_resources(waiver: Waiver, graph_of: GraphOf) -> None:
    (rule,) = [each for each in RULES if each.name == waiver.rule]
    held = [each for each in stack_of(graph_of("prod")).of(*rule.types) if not fnmatchcase(each.name, waiver.resources)]
    assert held, "the rule checks only waived resources: move its checks to policy/aws_rules/not_taken.py"


@pytest.mark.parametrize("stack", STACKS)
def test_enforcement_file_of_a_stack_lists_exactly_the_rules_that_it_violates(stack: str, graph_of: GraphOf) -> None:
    found = [each for each in all_findings(stack_of(graph_of(stack))) if not waived(each)]
    assert {each.rule.name for each in found} == set(levels_of(stack)), "policy/enforcement"


@pytest.mark.parametrize(
    ("rule", "resource", "change"),
    [pytest.param(rule, *each, id=f"{rule}-{n}") for rule, cases in BREAKAGES.items() for n, each in enumerate(cases)],
)
def test_resource_that_violates_one_rule_is_reported_by_this_rule_only(
    rule: str, resource: str, change: Change, graph_of: GraphOf, proof: Proof
) -> None:
    prod = stack_of(graph_of("prod"))
    reported = said(all_findings(change(prod))) - said(all_findings(prod))
    proof.tried(resources_broken=1)
    proof.found(reported=len(reported))
    assert reported == {(rule, resource)}


@pytest.mark.parametrize(("rule", "resource", "change"), [(rule, *each) for rule, each in MENDINGS.items()])
def test_rule_stops_reporting_a_resource_after_its_violation_is_fixed(
    rule: str, resource: str, change: Change, graph_of: GraphOf, proof: Proof
) -> None:
    prod = stack_of(graph_of("prod"))
    before, after = said(all_findings(prod)), said(all_findings(change(prod)))
    proof.tried(resources_fixed=1)
    assert before - after == {(rule, resource)}
    assert after <= before


def test_each_rule_has_a_test_that_violates_it_or_fixes_a_violation() -> None:
    assert {name for name, cases in BREAKAGES.items() if cases} | set(MENDINGS) == {rule.name for rule in RULES}
