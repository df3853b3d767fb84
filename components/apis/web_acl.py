"""Protects a stage of a REST API with AWS WAF, a web application firewall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.owner import Owner
from components.aws.stack_context import StackContext

_MANAGED_RULE_GROUPS: Final = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")
# This rule group matches requests from VPNs and hosting providers. WAF counts such requests but does not block them,
# because they can come from a customer who uses a VPN or from another team's server.
_COUNTED_RULE_GROUPS: Final = ("AWSManagedRulesAnonymousIpList",)
_WINDOW_S: Final = 300
# Priority of the rule for viewer addresses. WAF evaluates rules in ascending order of priority. The managed rule groups
# have lower numbers (1, 2 and so on), so WAF evaluates them before this rule.
_VIEWER_RULE_PRIORITY: Final = 10


@dataclass(frozen=True, kw_only=True)
class WebAclArgs:
    """The stage to protect and the limit on its requests."""

    context: StackContext
    """Names, tags and log retention of the stack."""
    stage_arn: pulumi.Input[str]
    """ARN of the stage to protect."""
    requests_per_address: int
    """Requests that AWS WAF allows from one IP address in five minutes (minimum 10). WAF refuses further requests."""
    viewer_address_header: str = ""
    """Header in which a proxy in front of the API passes the IP address of the client. "" if there is no proxy."""


def make_web_acl(name: str, args: WebAclArgs, owner: Owner) -> None:
    """Create the web ACL, associate it with the stage, and log the requests that it refuses."""
    opts = owner.opts()
    acl = aws.wafv2.WebAcl(
        f"{name}-waf",
        name=owner.name(name),
        scope="REGIONAL",
        default_action={"allow": {}},
        rules=[*_address_rules(args), *_managed_rules()],
        visibility_config={**_visibility(owner.name(name))},
        tags=owner.tags(),
        opts=opts,
    )
    aws.wafv2.WebAclAssociation(f"{name}-waf", resource_arn=args.stage_arn, web_acl_arn=acl.arn, opts=opts)
    log = aws.cloudwatch.LogGroup(
        f"{name}-waf-log",
        # WAF accepts only log groups whose names begin with this prefix.
        name=f"aws-waf-logs-{owner.name(name)}",
        retention_in_days=args.context.log_retention_days,
        kms_key_id=args.context.log_key_arn,
        tags=owner.tags(),
        opts=opts,
    )
    aws.wafv2.WebAclLoggingConfiguration(
        f"{name}-waf-log",
        resource_arn=acl.arn,
        log_destination_configs=[log.arn],
        # WAF logs only blocked requests, with their IP addresses and headers. Fields that can contain a token are
        # redacted.
        logging_filter={
            "default_behavior": "DROP",
            "filters": [
                {
                    "behavior": "KEEP",
                    "requirement": "MEETS_ANY",
                    "conditions": [{"action_condition": {"action": "BLOCK"}}],
                }
            ],
        },
        redacted_fields=[
            {"single_header": {"name": "authorization"}},
            {"single_header": {"name": "cookie"}},
            {"query_string": {}},
        ],
        opts=opts,
    )


def _address_rules(args: WebAclArgs) -> list[aws.wafv2.WebAclRuleArgsDict]:
    """Return the rules that limit requests per IP address: one for direct clients, and one for clients of a proxy."""
    by_address: aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": args.requests_per_address,
        "aggregate_key_type": "IP",
        "evaluation_window_sec": _WINDOW_S,
    }
    header = args.viewer_address_header
    if not header:
        return [_rate_rule("requests-per-address", 0, by_address)]
    # A proxy in front of the API puts the client's address in `header`. The first rule counts requests without this
    # header by their source address. The source address of a request with the header is an address of the proxy, which
    # many clients share. The second rule therefore counts such requests by the address in the header.
    has_header: aws.wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgsDict = {
        "size_constraint_statement": {
            "field_to_match": {"single_header": {"name": header}},
            "comparison_operator": "GT",
            "size": 0,
            "text_transformations": [{"priority": 0, "type": "NONE"}],
        }
    }
    direct: aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        **by_address,
        "scope_down_statement": {"not_statement": {"statement": has_header}},
    }
    behind_proxy: aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        **by_address,
        "aggregate_key_type": "FORWARDED_IP",
        "forwarded_ip_config": {"header_name": header, "fallback_behavior": "MATCH"},
    }
    return [
        _rate_rule("requests-per-address", 0, direct),
        _rate_rule("requests-per-viewer-address", _VIEWER_RULE_PRIORITY, behind_proxy),
    ]


def _rate_rule(
    name: str, priority: int, statement: aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict
) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": name,
        "priority": priority,
        "action": {"block": {}},
        "statement": {"rate_based_statement": statement},
        "visibility_config": _visibility(name),
    }


def _managed_rules() -> list[aws.wafv2.WebAclRuleArgsDict]:
    return [
        {
            "name": group,
            "priority": priority,
            # With "none", WAF applies the actions of the group's rules. With "count", WAF only counts the requests that
            # match.
            "override_action": {"count": {}} if group in _COUNTED_RULE_GROUPS else {"none": {}},
            "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": group}},
            "visibility_config": _visibility(group),
        }
        for priority, group in enumerate((*_MANAGED_RULE_GROUPS, *_COUNTED_RULE_GROUPS), start=1)
    ]


def _visibility(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgsDict:
    # Sampling is off, because the console would show the headers of sampled requests, and therefore tokens.
    return {"metric_name": metric, "cloudwatch_metrics_enabled": True, "sampled_requests_enabled": False}
