"""What is deployed is what was there when the deployment was made: any change must make a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.apis import gateway_responses, rest_routes, sync_workflow_integration
from components.apis.api_snapshot import ApiSnapshot
from components.aws import openapi
from tests.components.api_programs import ACCOUNT_2_POOL, MACHINE, ORIGINS, record_rest_api, serve_document
from tests.support.graph import Graph

pytestmark = pytest.mark.usefixtures("no_archives")

DEPLOYED_TYPES = (
    "RestApi",
    "Resource",
    "Authorizer",
    "RequestValidator",
    "Model",
    "Method",
    "Integration",
    "MethodResponse",
    "IntegrationResponse",
    "Response",
)


def digest_of(graph: Graph) -> str:
    digest = graph.one("aws:apigateway/deployment:Deployment", "rest-api-deployment").inputs["triggers"]["digest"]
    assert len(digest) == 64
    return digest


def deployed(graph: Graph, kind: str) -> list[Any]:
    return [
        each for each in graph.resources if each.type.startswith("aws:apigateway/") and each.type.endswith(f":{kind}")
    ]


def test_the_same_api_has_the_same_digest(rest_api_graph: Graph) -> None:
    assert digest_of(record_rest_api()) == digest_of(rest_api_graph)


@pytest.mark.parametrize("kind", DEPLOYED_TYPES)
def test_the_deployment_waits_for_everything_that_it_copies(rest_api_graph: Graph, kind: str) -> None:
    deployment = rest_api_graph.one("aws:apigateway/deployment:Deployment", "rest-api-deployment")
    copied = deployed(rest_api_graph, kind)
    assert copied
    assert {each.urn for each in copied} <= set(deployment.dependencies)


def test_a_new_deployment_serves_before_the_old_one_goes(rest_api_graph: Graph) -> None:
    deployment = rest_api_graph.one("aws:apigateway/deployment:Deployment", "rest-api-deployment")
    assert not deployment.delete_before_replace
    stage = rest_api_graph.one("aws:apigateway/stage:Stage", "rest-api-stage")
    assert (
        stage.inputs["deployment"] == deployment.state["id"] if "id" in deployment.state else "rest-api-deployment-id"
    )
    assert deployment.urn in stage.dependencies


def every_input(graph: Graph) -> list[tuple[str, str]]:
    """Return each input of each deployed type once, as (type and logical name of a resource that has it, input)."""
    first: dict[tuple[str, str], str] = {}
    for kind in DEPLOYED_TYPES:
        for resource in deployed(graph, kind):
            for key in sorted(resource.inputs):
                first.setdefault((kind, key), f"{kind} {resource.name}")
    return [(part, key) for (_, key), part in first.items()]


def test_a_change_of_any_input_of_anything_deployed_changes_the_digest(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = ApiSnapshot.digest
    changed = every_input(rest_api_graph)
    assert len(changed) > 40

    def digest(snapshot: ApiSnapshot) -> pulumi.Output[str]:
        for part, key in changed:
            other = ApiSnapshot()
            other.inputs = {**snapshot.inputs, part: {**snapshot.inputs[part], snake(key): "changed"}}
            pulumi.export(f"{part} {key}", original(other))
        return original(snapshot)

    monkeypatch.setattr(ApiSnapshot, "digest", digest)
    outputs = record_rest_api().outputs
    digests = {outputs[f"{part} {key}"] for part, key in changed}
    assert len(digests) == len(changed)
    assert digest_of(rest_api_graph) not in digests


def snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _renamed_path(document: Any) -> None:
    document["paths"]["/checkout"] = document["paths"].pop("/process")


def _other_limit(document: Any) -> None:
    document["components"]["schemas"]["OrderQuantity"]["maximum"] = 7


def _open(document: Any) -> None:
    document["paths"]["/users"]["post"]["security"] = []


def _scoped(document: Any) -> None:
    document["paths"]["/users"]["post"]["security"] = [{"userPoolIdToken": ["email"]}]


def _required(document: Any) -> None:
    document["components"]["parameters"]["IdempotencyKey"]["required"] = True


@pytest.mark.parametrize("change", [_renamed_path, _other_limit, _open, _scoped, _required])
def test_a_change_of_the_document_makes_a_new_deployment(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]
) -> None:
    document = openapi.load("rest-api.yaml")
    change(document)
    serve_document(monkeypatch, document)
    assert digest_of(record_rest_api()) != digest_of(rest_api_graph)


@pytest.mark.parametrize(
    "changes",
    [
        {"cors_origins": list(ORIGINS)},
        {"cors_origins": ["https://other.example.com"]},
        {"user_pool_arn": ACCOUNT_2_POOL},
        {"state_machine_arn": f"{MACHINE}-2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_change_of_what_it_is_given_makes_a_new_deployment(rest_api_graph: Graph, changes: dict[str, Any]) -> None:
    assert digest_of(record_rest_api(**changes)) != digest_of(rest_api_graph)


def _no_header(variable: str, header: str) -> str:
    return f"{variable}{header}"[:0]


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (sync_workflow_integration, "STATUS_OF_ERROR", {"OutOfStock": 400}),
        (sync_workflow_integration, "INTEGRATION_TIMEOUT_MS", 1000),
        (sync_workflow_integration, "_THROTTLED", "Slower."),
        (sync_workflow_integration, "header_value", _no_header),
        (rest_routes, "INTEGRATION_TIMEOUT_MS", 1000),
        (rest_routes, "NO_SUCH_ROUTE", "No."),
        (gateway_responses, "_RESPONSES", {}),
    ],
)
def test_a_change_of_a_template_or_a_limit_makes_a_new_deployment(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any
) -> None:
    monkeypatch.setattr(module, name, value)
    assert digest_of(record_rest_api()) != digest_of(rest_api_graph)


@pytest.mark.parametrize("changes", [{"throttle_rate": 1}, {"waf": True}, {"owns_account_log_role": True}])
def test_what_belongs_to_the_stage_alone_makes_none(rest_api_graph: Graph, changes: dict[str, Any]) -> None:
    assert digest_of(record_rest_api(**changes)) == digest_of(rest_api_graph)


def test_in_a_first_preview_the_digest_is_not_known_and_the_deployment_is_planned_all_the_same() -> None:
    preview = record_rest_api(unknown=True)
    inputs = preview.one("aws:apigateway/deployment:Deployment", "rest-api-deployment").inputs
    digest = inputs.get("triggers", {}).get("digest")
    assert not isinstance(digest, str) or len(digest) != 64
