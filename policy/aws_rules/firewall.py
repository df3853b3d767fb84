"""Rules for AWS WAF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aws_rules.model import Resource, Stack, of_resource, of_stack

WEB_ACL: Final = "aws:wafv2/webAcl:WebAcl"
LOGGING: Final = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
_BAD_INPUTS: Final = "AWSManagedRulesKnownBadInputsRuleSet"
_ANONYMOUS: Final = "AWSManagedRulesAnonymousIpList"


@of_resource(WEB_ACL, ids=("CKV_AWS_175",))
def firewall_has_rules(acl: Resource) -> Iterator[str]:
    """A web ACL has at least one rule."""
    if not acl.has("rules"):
        yield "has no rules"


@of_resource(WEB_ACL, ids=("CKV_AWS_342",))
def firewall_rules_act(acl: Resource) -> Iterator[str]:
    """Each rule of a web ACL has an action for the requests that it matches, for example to block or count them."""
    for rule in acl.items("rules"):
        if not any(rule.get(key) for key in ("action", "overrideAction")):
            yield f"rule {rule.get('name')} has no action"


@of_stack(WEB_ACL, ids=("CKV2_AWS_31",))
def firewall_is_logged(acl: Resource, stack: Stack) -> Iterator[str]:
    """A web ACL writes a log."""
    if not stack.made_from(acl, LOGGING, "resourceArn"):
        yield "has no logging configuration"


@of_resource(WEB_ACL, ids=("CKV_AWS_192", "CKV2_AWS_77"))
def firewall_refuses_known_bad_inputs(acl: Resource) -> Iterator[str]:
    """A web ACL blocks requests with known attack patterns, including Log4j lookups."""
    rule = _managed(acl).get(_BAD_INPUTS)
    if not acl.has("rules"):
        return
    if rule is None:
        yield f"has no rule with {_BAD_INPUTS}"
    elif "none" not in (rule.get("overrideAction") or {}):
        yield f"overrides the actions of {_BAD_INPUTS}"
    else:
        group = rule["statement"]["managedRuleGroupStatement"]
        overridden = {override.get("name") for override in group.get("ruleActionOverrides") or ()}
        if any(str(name).startswith("Log4JRCE") for name in overridden):
            yield f"overrides the Log4j rules of {_BAD_INPUTS}"


@of_resource(WEB_ACL, ids=("CKV2_AWS_77",))
def firewall_knows_anonymous_addresses(acl: Resource) -> Iterator[str]:
    """A web ACL blocks or counts requests from anonymous IP addresses."""
    if acl.has("rules") and _ANONYMOUS not in _managed(acl):
        yield f"has no rule with {_ANONYMOUS}"


def _managed(acl: Resource) -> dict[str, Mapping[str, Any]]:
    """Return the rules of `acl` that refer to a managed rule group, as {name of the group: rule}."""
    found: dict[str, Mapping[str, Any]] = {}
    for rule in cast("list[Mapping[str, Any]]", acl.items("rules")):
        statement: Mapping[str, Any] = rule.get("statement") or {}
        if group := statement.get("managedRuleGroupStatement"):
            found[group["name"]] = rule
    return found


RULES: Final = (
    firewall_has_rules,
    firewall_rules_act,
    firewall_is_logged,
    firewall_refuses_known_bad_inputs,
    firewall_knows_anonymous_addresses,
)
