from __future__ import annotations

import json

import pytest

from components.aws.naming import LIMITS, Naming
from setting_types import LONGEST_PROJECT, LONGEST_STACK
from tests.components.api_programs import record_rest_api
from tests.components.order_programs import context
from tests.support.graph import ACCOUNT, REGION, Graph

pytestmark = pytest.mark.usefixtures("no_archives")


@pytest.fixture
def api(rest_api_graph: Graph) -> Graph:
    return rest_api_graph


def test_stage_is_traced_and_access_log_omits_the_callers_identity(api: Graph) -> None:
    stage = api.one("aws:apigateway/stage:Stage", "rest-api-stage").inputs
    assert stage["stageName"] == "dev"
    assert stage["xrayTracingEnabled"]
    group = api.one("LogGroup", "rest-api-access-log")
    assert stage["accessLogSettings"]["destinationArn"] == group.state["arn"]
    entry = json.loads(stage["accessLogSettings"]["format"])
    assert entry["requestId"] == "$context.requestId", "AWS rejects a log format without the request id"
    assert {"status", "resourcePath", "responseLatencyMs", "error", "integrationError"} <= set(entry)
    assert not [
        value for value in entry.values() if "identity" in value or "claims" in value or value.endswith(".path")
    ]


def test_log_groups_have_a_retention_and_exist_before_the_stage(api: Graph) -> None:
    groups = {each.name: each for each in api.of("LogGroup")}
    assert {each.inputs["retentionInDays"] for each in groups.values()} == {30}
    execution = groups["rest-api-execution-log"]
    assert execution.inputs["name"] == "API-Gateway-Execution-Logs_rest-api-id/dev"
    assert execution.urn in api.one("aws:apigateway/stage:Stage", "rest-api-stage").dependencies


def test_all_methods_are_throttled_and_have_metrics_and_no_body_is_logged(api: Graph) -> None:
    settings = api.one("MethodSettings", "rest-api-settings").inputs
    assert settings["methodPath"] == "*/*"
    assert settings["settings"] == {
        "metricsEnabled": True,
        "loggingLevel": "ERROR",
        "dataTraceEnabled": False,
        "throttlingRateLimit": 50,
        "throttlingBurstLimit": 100,
    }


def test_only_the_owning_stack_creates_the_accounts_log_role(api: Graph) -> None:
    assert not api.of("aws:apigateway/account:Account")
    owner = record_rest_api(owns_account_log_role=True)
    account = owner.one("aws:apigateway/account:Account", "rest-api-account")
    role = owner.one("aws:iam/role:Role", "rest-api-log-role")
    assert account.inputs["cloudwatchRoleArn"] == role.state["arn"]
    policy = owner.one("RolePolicy", "rest-api-log-policy")
    assert policy.urn in account.dependencies, (
        "API Gateway checks the permissions of the log role before it accepts the role"
    )
    (statement,) = owner.policy("RolePolicy", "rest-api-log-policy")
    assert statement["Resource"] == [f"arn:aws:logs:{REGION}:{ACCOUNT}:*"]
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} <= set(statement["Action"])
    assert account.urn in owner.one("aws:apigateway/stage:Stage", "rest-api-stage").dependencies
    kept = {made.name for made in owner.resources if made.retain_on_delete}
    assert kept == {"rest-api-account", "rest-api-log-role", "rest-api-log-policy"}


def test_name_prefix_of_the_log_role_is_short_enough_for_the_longest_stack_name() -> None:
    longest = context(naming=Naming(project="p" * LONGEST_PROJECT, stack="s" * LONGEST_STACK))
    role = record_rest_api(owns_account_log_role=True, context=longest).one("aws:iam/role:Role", "rest-api-log-role")
    # IAM limits the length of the role's name. The name consists of the prefix and 26 characters that the AWS provider
    # appends.
    assert len(role.inputs["namePrefix"]) + 26 <= LIMITS["role"]


def test_api_has_no_firewall_by_default(api: Graph) -> None:
    assert not [each for each in api.resources if each.type.startswith("aws:wafv2")]


def test_firewall_of_the_stage_limits_each_ip_address_before_other_rules() -> None:
    graph = record_rest_api(waf=True, requests_per_address=500)
    acl = graph.one("WebAcl", "rest-api-waf")
    assert acl.inputs["scope"] == "REGIONAL"
    assert acl.inputs["defaultAction"] == {"allow": {}}
    rules = sorted(acl.inputs["rules"], key=lambda rule: rule["priority"])
    assert rules[0]["statement"] == {
        "rateBasedStatement": {"limit": 500, "aggregateKeyType": "IP", "evaluationWindowSec": 300}
    }
    assert rules[0]["action"] == {"block": {}}
    groups = [rule["statement"]["managedRuleGroupStatement"]["name"] for rule in rules[1:]]
    assert groups == [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAnonymousIpList",
    ]
    assert [rule["overrideAction"] for rule in rules[1:]] == [{"none": {}}, {"none": {}}, {"count": {}}]
    association = graph.one("WebAclAssociation", "rest-api-waf").inputs
    assert association["webAclArn"] == acl.state["arn"]
    assert association["resourceArn"] == graph.one("aws:apigateway/stage:Stage", "rest-api-stage").state["arn"]


def test_firewall_logs_blocked_requests_without_their_tokens() -> None:
    graph = record_rest_api(waf=True)
    logging = graph.one("WebAclLoggingConfiguration", "rest-api-waf-log").inputs
    group = graph.one("LogGroup", "rest-api-waf-log")
    assert logging["logDestinationConfigs"] == [group.state["arn"]]
    assert group.inputs["name"].startswith("aws-waf-logs-"), "AWS WAF requires this prefix"
    assert logging["redactedFields"] == [
        {"singleHeader": {"name": "authorization"}},
        {"singleHeader": {"name": "cookie"}},
        {"queryString": {}},
    ]
    assert logging["loggingFilter"]["defaultBehavior"] == "DROP"
    (kept,) = logging["loggingFilter"]["filters"]
    assert kept["conditions"] == [{"actionCondition": {"action": "BLOCK"}}]
