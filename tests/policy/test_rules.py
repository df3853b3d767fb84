"""Tests of the rules: the resources that they report, the checks that they implement, and their exceptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_rules.model import Resource, Rule, Stack, findings, of_resource
from aws_rules.not_taken import NOT_TAKEN
from aws_rules.policies import refuses_plain_http, statements
from aws_rules.rules import RULES
from aws_rules.sites import CERTIFICATE, RECORD
from tests.policy.inventory import CHECKS
from tests.policy.stacks import Change, all_findings, body, both, plus, put, said, stack_of
from tests.policy.tables import levels_of
from tests.support.graph import ROOT, Graph, record, stack_config

GraphOf = Callable[[str], Graph]


def reported(graph_of: GraphOf, change: Change) -> set[tuple[str, str]]:
    """Return {(rule, resource)} for each finding that exists only after `change` is applied to the stack prod."""
    stack = stack_of(graph_of("prod"))
    return said(all_findings(change(stack))) - said(all_findings(stack))


def test_every_applicable_check_has_a_rule_or_a_reason_to_leave_it_out() -> None:
    taken = {check for rule in RULES for check in rule.ids}
    assert taken | set(NOT_TAKEN) == CHECKS
    assert not taken & set(NOT_TAKEN)
    assert all(NOT_TAKEN.values())


def test_rule_names_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_states_its_requirement_in_a_sentence(rule: Rule) -> None:
    assert rule.demands.endswith(".")
    assert rule.ids
    assert rule.types


@pytest.mark.parametrize("integration", [{"type": "aws_proxy"}, {}])
def test_method_without_a_mock_integration_needs_a_token_and_validation(
    integration: dict[str, str], graph_of: GraphOf
) -> None:
    def answer(document: Any) -> None:
        document["paths"]["/users"]["options"]["x-amazon-apigateway-integration"] = integration

    wanted = {("rest-method-asks-for-a-token", "rest-api"), ("rest-method-validates-requests", "rest-api")}
    assert reported(graph_of, body("RestApi rest-api", answer)) == wanted


def test_top_level_validator_of_a_rest_api_applies_but_top_level_security_does_not(graph_of: GraphOf) -> None:
    def move(document: Any) -> None:
        for operation in (document["paths"]["/users"]["post"], document["paths"]["/orders"]["get"]):
            document["x-amazon-apigateway-request-validator"] = operation.pop("x-amazon-apigateway-request-validator")
            document["security"] = operation.pop("security")

    # The changed document has a request validator and `security` at its top level. API Gateway applies the validator to
    # every method, but ignores `security`. The two changed methods therefore accept requests without a token.
    assert reported(graph_of, body("RestApi rest-api", move)) == {("rest-method-asks-for-a-token", "rest-api")}


def test_stream_mapping_without_a_failure_destination_is_reported(graph_of: GraphOf) -> None:
    mapping = "aws:lambda/eventSourceMapping:EventSourceMapping"
    change = plus(mapping, {"eventSourceArn": "arn"}, eventSourceArn="Table data-orders")
    assert reported(graph_of, change) == {("event-source-has-a-failure-destination", "new")}


@pytest.mark.parametrize("protocol", ["lambda", "sqs", "https", "firehose"])
def test_only_email_subscriptions_need_no_dead_letter_queue(protocol: str, graph_of: GraphOf) -> None:
    kind = "aws:sns/topicSubscription:TopicSubscription"
    assert reported(graph_of, plus(kind, {"protocol": protocol})) == {("subscription-has-a-dead-letter-queue", "new")}
    assert reported(graph_of, plus(kind, {"protocol": "email"})) == set()


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:dynamodb:eu-west-1:123456789012:table/*",
        "arn:aws:logs:eu-west-1:123456789012:log-group:*",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::orders-*/records/*",
        "arn:aws:sqs:*:123456789012:queue",
    ],
)
def test_wildcard_in_the_name_of_a_resource_is_reported(arn: str, graph_of: GraphOf) -> None:
    policy = f'{{"Statement": [{{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["{arn}"]}}]}}'
    new = plus("aws:iam/rolePolicy:RolePolicy", {"policy": policy})
    assert reported(graph_of, new) == {("role-policy-names-each-resource", "new")}


def test_http_integration_requires_a_client_certificate(graph_of: GraphOf) -> None:
    def call(document: Any) -> None:
        document["paths"]["/users"]["post"]["x-amazon-apigateway-integration"]["type"] = "http"

    http = body("RestApi rest-api", call)
    assert reported(graph_of, http) == {("rest-stage-shows-a-client-certificate", "rest-api-stage")}
    assert reported(graph_of, both(http, put("Stage rest-api-stage", "clientCertificateId", value="c"))) == set()


def test_finding_about_a_route_contains_the_route(graph_of: GraphOf) -> None:
    def open_to_all(document: Any) -> None:
        document["paths"]["/users"]["post"]["security"] = []

    stack = body("RestApi rest-api", open_to_all)(stack_of(graph_of("prod")))
    (found,) = [each for each in all_findings(stack) if each.rule.name == "rest-method-asks-for-a-token"]
    assert found.message == "POST /users: requires no token; add a security scheme of type cognito_user_pools"


def test_finding_contains_rule_resource_and_remedy(graph_of: GraphOf) -> None:
    stack = put("Function users-api", "tracingConfig", "mode", value="PassThrough")(stack_of(graph_of("prod")))
    (found,) = [each for each in all_findings(stack) if each.rule.name == "function-is-traced"]
    assert found.resource.name == "users-api"
    assert found.message == "tracing: got PassThrough; set tracingConfig.mode to Active"


def test_rule_gets_its_name_and_requirement_from_its_function() -> None:
    @of_resource("a:b/c:C", ids=("X1",))
    def things_are_well(thing: Resource) -> Iterator[str]:
        """A thing is well."""
        if not thing.at("deep", "well"):
            yield "it is not"

    sick = Resource(type="a:b/c:C", name="sick", urn="u", props={"deep": {"well": False}})
    assert (things_are_well.name, things_are_well.demands) == ("things-are-well", "A thing is well.")
    assert said(findings(things_are_well, Stack((sick,)))) == {("things-are-well", "sick")}


def test_policy_is_read_if_it_has_single_values_instead_of_lists() -> None:
    deny = '{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "a", "Condition": CONDITION}'
    tls = '{"Bool": {"aws:SecureTransport": false}}'
    document = f'{{"Statement": {deny.replace("CONDITION", tls)}}}'
    assert len(statements(document)) == 1
    assert refuses_plain_http(document, "sqs:*", "a")
    assert not refuses_plain_http(document, "sqs:*", "b")
    assert not refuses_plain_http(document.replace("false", "true"), "sqs:*", "a")
    assert statements(None) == []


def test_custom_domain_of_the_web_site_adds_no_violations(graph_of: GraphOf) -> None:
    config = stack_config("prod")
    config["orders:site"] = json.dumps(
        json.loads(config["orders:site"]) | {"domain": "shop.example.com", "hostedZoneId": "Z0123456789"}
    )
    own_domain = stack_of(record("prod", config=config, build_archives=False))
    assert {CERTIFICATE, RECORD} <= {each.type for each in own_domain.resources}
    assert said(all_findings(own_domain)) == said(all_findings(stack_of(graph_of("prod"))))


@pytest.mark.parametrize("path", sorted((ROOT / "policy" / "enforcement").glob("*.json")), ids=lambda path: path.stem)
def test_enforcement_files_only_make_existing_rules_advisory(path: Path) -> None:
    levels = levels_of(path.stem)
    assert set(levels) <= {rule.name for rule in RULES}
    assert set(levels.values()) <= {"advisory"}


def test_every_stack_has_an_enforcement_file() -> None:
    # Leave out the files Pulumi.pr-NUMBER.yaml, which `make up-pr` creates for the stacks of pull requests. These
    # stacks have no enforcement files of their own: all of them use policy/enforcement/pr.json.
    stacks = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml") if "pr-" not in path.name}
    assert {path.stem for path in (ROOT / "policy" / "enforcement").glob("*.json")} == stacks
