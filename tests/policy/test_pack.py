"""Tests of the policy pack in its own process. The tests call it over gRPC, as the Pulumi engine does."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import grpc
import pulumi
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from aws_rules.functions import FUNCTION
from aws_rules.rules import RULES
from aws_rules.waivers import WAIVERS
from tests.support.graph import ROOT, Graph, Resource

GraphOf = Callable[[str], Graph]
PACK: Final = ROOT / "policy"
# Maximum size of a gRPC message in bytes. The Pulumi engine and pulumi-policy have the same limit.
_LARGEST: Final = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Any]:
    """The running policy pack, started in the same way as the Pulumi CLI starts it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(command, cwd=PACK, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=_LARGEST) as channel:
                yield cast("Any", analyzer_pb2_grpc).AnalyzerStub(channel)
        finally:
            process.kill()


def wire(value: Any) -> Any:
    """Convert a value from the recorded resource graph to the format that the Pulumi engine sends to the pack."""
    if isinstance(value, Mapping):
        return {key: wire(item) for key, item in cast("Mapping[str, Any]", value).items() if item is not None}
    if isinstance(value, list):
        return [wire(item) for item in cast("list[Any]", value)]
    if isinstance(value, pulumi.Archive):
        return {_SIGNATURE: _ARCHIVE, "path": "code.zip"}
    if value is rpc.UNKNOWN or isinstance(value, pulumi.output.Unknown):
        return UNKNOWN_STRING_VALUE
    return value


def secret(value: object) -> dict[str, object]:
    return {_SIGNATURE: _SECRET, "value": value}


def properties(values: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(cast("dict[str, Any]", wire(values)))
    return made


def options(made: Resource) -> Any:
    kind: Any = cast("Any", analyzer_pb2).AnalyzerResourceOptions
    return kind(protect=made.protect, deleteBeforeReplace=made.delete_before_replace, deleteBeforeReplaceDefined=True)


def resource_request(made: Resource, **changed: Any) -> Any:
    kind: Any = cast("Any", analyzer_pb2).AnalyzeRequest
    props = properties({**made.inputs, **changed})
    return kind(type=made.type, properties=props, urn=made.urn, name=made.name, options=options(made))


def stack_request(graph: Graph, *, state: Callable[[Resource], Mapping[str, Any]]) -> Any:
    proto: Any = analyzer_pb2
    resources = [
        proto.AnalyzerResource(
            type=made.type,
            properties=properties(state(made)),
            urn=made.urn,
            name=made.name,
            options=options(made),
            parent=made.parent,
            dependencies=made.dependencies,
            propertyDependencies={
                key: proto.AnalyzerPropertyDependencies(urns=sorted(urns)) for key, urns in made.made_from.items()
            },
        )
        for made in graph.resources
    ]
    return proto.AnalyzeStackRequest(resources=resources)


def said(response: Any) -> set[tuple[str, str]]:
    """Return {(rule, message)} for the diagnostics of the response. Fail if a rule could not run."""
    assert all(each.urn for each in response.diagnostics if not each.message.startswith("can't"))
    return {(each.policyName, each.message) for each in response.diagnostics}


def judged_alone(graph: Graph) -> list[Resource]:
    """Return the resources that at least one rule checks individually. The other rules check the whole stack."""
    types = {token for rule in RULES if not rule.reads_stack for token in rule.types}
    return [made for made in graph.resources if made.type in types]


def of(graph: Graph, kind: str, name: str) -> Resource:
    return next(made for made in graph.of(kind) if made.name == name and made.custom)


def test_policy_pack_lists_every_rule_as_mandatory_with_its_checks(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "orders-aws"
    assert {each.name for each in info.policies} == {rule.name for rule in RULES}
    assert {each.enforcementLevel for each in info.policies} == {cast("Any", analyzer_pb2).MANDATORY}
    tags = {each.name: tuple(each.tags) for each in info.policies}
    assert tags == {rule.name: rule.ids for rule in RULES}


def test_policy_pack_uses_the_virtual_environment_of_the_program() -> None:
    pack = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())["runtime"]
    program = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["runtime"]
    assert pack["name"] == program["name"] == "python"
    assert (PACK / pack["options"]["virtualenv"]).resolve() == (ROOT / program["options"]["virtualenv"]).resolve()
    assert "pulumi-policy==" in (ROOT / "requirements.txt").read_text()


def test_policy_pack_reports_no_resource_of_the_stack_prod(analyzer: Any, graph_of: GraphOf) -> None:
    for made in judged_alone(graph_of("prod")):
        assert said(analyzer.Analyze(resource_request(made))) == set(), made.name


def test_diagnostic_contains_resource_rule_and_remedy(analyzer: Any, graph_of: GraphOf) -> None:
    users_api = of(graph_of("prod"), FUNCTION, "users-api")
    (found,) = analyzer.Analyze(resource_request(users_api, tracingConfig={"mode": "PassThrough"})).diagnostics
    assert found.policyName == "function-is-traced"
    assert found.urn == users_api.urn
    assert found.enforcementLevel == cast("Any", analyzer_pb2).MANDATORY
    assert found.message.splitlines() == [
        "X-Ray traces each Lambda function.",
        "tracing: got PassThrough; set tracingConfig.mode to Active [Serverless-LambdaTracing, CKV_AWS_50]",
    ]


def test_policy_pack_checks_relations_between_resources(analyzer: Any, graph_of: GraphOf) -> None:
    prod = graph_of("prod")
    association = prod.one("WebAclAssociation", "rest-api-waf")
    open_stage = dataclasses.replace(prod, resources=[made for made in prod.resources if made is not association])
    (found,) = analyzer.AnalyzeStack(stack_request(open_stage, state=lambda made: made.state)).diagnostics
    assert found.policyName == "rest-stage-is-behind-a-firewall"
    assert found.urn == prod.one("aws:apigateway/stage:Stage", "rest-api-stage").urn


def test_api_deployment_that_is_deleted_before_its_replacement_is_reported(analyzer: Any, graph_of: GraphOf) -> None:
    request = resource_request(graph_of("prod").one("aws:apigateway/deployment:Deployment", "rest-api-deployment"))
    request.options.deleteBeforeReplace = True
    (found,) = analyzer.Analyze(request).diagnostics
    assert found.policyName == "rest-api-serves-while-it-is-replaced"


def test_first_preview_reports_nothing_about_unknown_values(analyzer: Any, preview_of: GraphOf) -> None:
    responses = [analyzer.Analyze(resource_request(made)) for made in judged_alone(preview_of("prod"))]
    assert [each for response in responses for each in said(response)] == []
    left = sum(len(response.not_applicable) for response in responses)
    assert 0 < left < len(responses)


def test_first_preview_reports_violations_in_known_values(analyzer: Any, preview_of: GraphOf) -> None:
    users_api = of(preview_of("prod"), FUNCTION, "users-api")
    response = analyzer.Analyze(resource_request(users_api, tracingConfig={}, timeout=None))
    assert {rule for rule, _ in said(response)} == {"function-is-traced", "function-states-its-timeout"}


def test_first_preview_checks_relations_between_resources(analyzer: Any, preview_of: GraphOf) -> None:
    response = analyzer.AnalyzeStack(stack_request(preview_of("dev"), state=lambda made: made.inputs))
    assert {rule for rule, _ in said(response)} == {"rest-stage-is-behind-a-firewall"}


def test_rules_check_the_value_inside_a_pulumi_secret(analyzer: Any, graph_of: GraphOf) -> None:
    users_api = of(graph_of("prod"), FUNCTION, "users-api")
    assert said(analyzer.Analyze(resource_request(users_api, tracingConfig=secret({"mode": "Active"})))) == set()
    variables = secret({"variables": {"DATABASE_PASSWORD": "x"}})
    (found,) = analyzer.Analyze(resource_request(users_api, environment=variables)).diagnostics
    assert found.policyName == "function-environment-holds-no-secret"
    assert "DATABASE_PASSWORD" in found.message


def test_stack_can_make_a_rule_advisory(analyzer: Any, graph_of: GraphOf) -> None:
    proto: Any = analyzer_pb2
    group = graph_of("dev").one("LogGroup", "users-api-log")
    config = {"log-group-keeps-a-year": proto.PolicyConfig(enforcementLevel=proto.ADVISORY)}
    try:
        analyzer.Configure(proto.ConfigureAnalyzerRequest(policyConfig=config))
        (found,) = analyzer.Analyze(resource_request(group)).diagnostics
    finally:
        analyzer.Configure(proto.ConfigureAnalyzerRequest())
    assert found.enforcementLevel == proto.ADVISORY
    assert "retentionInDays: got 14; allowed: at least 365" in found.message


def test_waiver_does_not_apply_to_other_resources(analyzer: Any, graph_of: GraphOf) -> None:
    policy = graph_of("prod").one("RolePolicy", "users-api-policy")
    open_log = graph_of("prod").one("RolePolicy", "rest-api-log-policy").inputs["policy"]
    assert "rest-api-log-policy" in {waiver.resources for waiver in WAIVERS}
    (found,) = analyzer.Analyze(resource_request(policy, policy=open_log)).diagnostics
    assert found.policyName == "role-policy-names-each-resource"
