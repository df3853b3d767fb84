"""What the rules see, what they stand for, and where they ask for less than the checks that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_rules.model import Resource, Rule, Stack, findings, of_resource
from aws_rules.not_taken import NOT_TAKEN
from aws_rules.policies import refuses_plain_http, statements
from aws_rules.rules import RULES
from tests.policy.inventory import CHECKS
from tests.policy.stacks import Change, all_findings, body, both, plus, put, said, stack_of
from tests.policy.tables import levels_of
from tests.support.graph import ROOT, Graph

GraphOf = Callable[[str], Graph]


def reported(graph_of: GraphOf, change: Change) -> set[tuple[str, str]]:
    """Return what is reported of prod after a change, and not before."""
    stack = stack_of(graph_of("prod"))
    return said(all_findings(change(stack))) - said(all_findings(stack))


def test_every_check_of_the_packs_that_names_one_of_our_types_is_a_rule_or_has_a_reason_not_to_be() -> None:
    taken = {check for rule in RULES for check in rule.ids}
    assert taken | set(NOT_TAKEN) == CHECKS
    assert not taken & set(NOT_TAKEN)
    assert all(NOT_TAKEN.values())


def test_no_two_rules_have_one_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_says_in_one_sentence_what_it_demands(rule: Rule) -> None:
    assert rule.demands.endswith(".")
    assert rule.ids
    assert rule.types


@pytest.mark.parametrize("integration", [{"type": "aws_proxy"}, {}])
def test_a_method_that_may_have_a_backend_is_no_fixed_answer(integration: dict[str, str], graph_of: GraphOf) -> None:
    def answer(document: Any) -> None:
        document["paths"]["/users"]["options"]["x-amazon-apigateway-integration"] = integration

    wanted = {("rest-method-asks-for-a-token", "rest-api"), ("rest-method-validates-requests", "rest-api")}
    assert reported(graph_of, body("RestApi rest-api", answer)) == wanted


def test_a_validator_or_a_token_for_the_whole_document(graph_of: GraphOf) -> None:
    def move(document: Any) -> None:
        for operation in (document["paths"]["/users"]["post"], document["paths"]["/orders"]["get"]):
            document["x-amazon-apigateway-request-validator"] = operation.pop("x-amazon-apigateway-request-validator")
            document["security"] = operation.pop("security")

    # API Gateway uses the validator of the whole document but ignores its `security`.
    assert reported(graph_of, body("RestApi rest-api", move)) == {("rest-method-asks-for-a-token", "rest-api")}


def test_a_queue_is_no_failure_destination_for_a_stream(graph_of: GraphOf) -> None:
    mapping = "aws:lambda/eventSourceMapping:EventSourceMapping"
    change = plus(mapping, {"eventSourceArn": "arn"}, eventSourceArn="Table data-orders")
    assert reported(graph_of, change) == {("event-source-has-a-failure-destination", "new")}


@pytest.mark.parametrize("protocol", ["lambda", "sqs", "https", "firehose"])
def test_only_peoples_addresses_need_no_dead_letter_queue(protocol: str, graph_of: GraphOf) -> None:
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
def test_a_pattern_for_the_name_of_a_resource_names_none(arn: str, graph_of: GraphOf) -> None:
    policy = f'{{"Statement": [{{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["{arn}"]}}]}}'
    new = plus("aws:iam/rolePolicy:RolePolicy", {"policy": policy})
    assert reported(graph_of, new) == {("role-policy-names-each-resource", "new")}


def test_what_a_server_could_ask_a_certificate_for_is_a_call_over_http(graph_of: GraphOf) -> None:
    def call(document: Any) -> None:
        document["paths"]["/users"]["post"]["x-amazon-apigateway-integration"]["type"] = "http"

    http = body("RestApi rest-api", call)
    assert reported(graph_of, http) == {("rest-stage-shows-a-client-certificate", "rest-api-stage")}
    assert reported(graph_of, both(http, put("Stage rest-api-stage", "clientCertificateId", value="c"))) == set()


def test_a_finding_about_a_route_names_it(graph_of: GraphOf) -> None:
    def open_to_all(document: Any) -> None:
        document["paths"]["/users"]["post"]["security"] = []

    stack = body("RestApi rest-api", open_to_all)(stack_of(graph_of("prod")))
    (found,) = [each for each in all_findings(stack) if each.rule.name == "rest-method-asks-for-a-token"]
    assert found.message == "POST /users: no token; give it a security scheme of type cognito_user_pools"


def test_a_finding_names_the_rule_the_resource_and_what_to_do(graph_of: GraphOf) -> None:
    stack = put("Function users-api", "tracingConfig", "mode", value="PassThrough")(stack_of(graph_of("prod")))
    (found,) = [each for each in all_findings(stack) if each.rule.name == "function-is-traced"]
    assert found.resource.name == "users-api"
    assert found.message == "tracing: got PassThrough; set tracingConfig.mode to Active"


def test_a_rule_is_named_and_described_by_its_check() -> None:
    @of_resource("a:b/c:C", ids=("X1",))
    def things_are_well(thing: Resource) -> Iterator[str]:
        """A thing is well."""
        if not thing.at("deep", "well"):
            yield "it is not"

    sick = Resource(type="a:b/c:C", name="sick", urn="u", props={"deep": {"well": False}})
    assert (things_are_well.name, things_are_well.demands) == ("things-are-well", "A thing is well.")
    assert said(findings(things_are_well, Stack((sick,)))) == {("things-are-well", "sick")}


def test_a_policy_may_have_one_statement_alone_and_single_values() -> None:
    deny = '{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "a", "Condition": CONDITION}'
    tls = '{"Bool": {"aws:SecureTransport": false}}'
    document = f'{{"Statement": {deny.replace("CONDITION", tls)}}}'
    assert len(statements(document)) == 1
    assert refuses_plain_http(document, "sqs:*", "a")
    assert not refuses_plain_http(document, "sqs:*", "b")
    assert not refuses_plain_http(document.replace("false", "true"), "sqs:*", "a")
    assert statements(None) == []


@pytest.mark.parametrize("path", sorted((ROOT / "policy" / "enforcement").glob("*.json")), ids=lambda path: path.stem)
def test_enforcement_files_name_rules_and_only_soften_them(path: Path) -> None:
    levels = levels_of(path.stem)
    assert set(levels) <= {rule.name for rule in RULES}
    assert set(levels.values()) <= {"advisory"}


def test_every_stack_has_an_enforcement_file() -> None:
    stacks = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    assert {path.stem for path in (ROOT / "policy" / "enforcement").glob("*.json")} == stacks
