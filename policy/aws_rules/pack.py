"""Converts the rules to Pulumi policies.

There are two kinds of rules. A rule about one resource reads the inputs of the resource, and Pulumi runs the rule
before it creates the resource. A rule about several resources reads their outputs, and Pulumi runs the rule at the end
of a preview or update.

In a preview, some values are not known yet. If a rule needs an unknown value of a resource, the rule skips this
resource. During the update, the value is known, and the rule checks the resource.
"""

from __future__ import annotations

from functools import partial

from pulumi_policy import (
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from aws_rules.model import Finding, Resource, Rule, Stack, UnknownValueError, findings
from aws_rules.rules import RULES
from aws_rules.waivers import waived


def policies() -> list[Policy]:
    """Return one Pulumi policy per rule."""
    return [_policy(rule) for rule in RULES]


def _policy(rule: Rule) -> Policy:
    tags = list(rule.ids)
    if rule.reads_stack:
        return StackValidationPolicy(rule.name, rule.demands, partial(_validate_stack, rule), tags=tags)
    return ResourceValidationPolicy(rule.name, rule.demands, partial(_validate_resource, rule), tags=tags)


def _validate_resource(rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type not in rule.types:
        return
    resource = Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        props=args.props,
        deleted_first=bool(args.opts.delete_before_replace),
    )
    try:
        found = [Finding(rule, resource, message) for message in rule.check(resource, Stack((resource,)))]
    except UnknownValueError as unknown:
        # `not_applicable` raises an exception that tells Pulumi to skip this rule for this resource.
        args.not_applicable(unknown.message)
        return
    for finding in found:
        if not waived(finding):
            report(_text(finding), resource.urn)


def _validate_stack(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    stack = Stack(tuple(_resource(each) for each in args.resources))
    for finding in findings(rule, stack):
        if not waived(finding):
            report(_text(finding), finding.resource.urn)


def _resource(made: PolicyResource) -> Resource:
    return Resource(
        type=made.resource_type,
        name=made.name,
        urn=made.urn,
        props=made.props,
        made_from={
            key: frozenset(source.urn for source in sources) for key, sources in made.property_dependencies.items()
        },
        deleted_first=bool(made.opts.delete_before_replace),
    )


def _text(finding: Finding) -> str:
    return f"{finding.message} [{', '.join(finding.rule.ids)}]"
