"""Tests that each change of the REST API creates a new deployment.

A stage serves the API as it was when its deployment was created.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.apis import gateway_responses, mapping_templates, rest_document, routes, sync_workflow_integration
from components.aws import openapi
from tests.components.api_programs import ACCOUNT_2_POOL, MACHINE, ORIGINS, record_rest_api, serve_document
from tests.support.bodies import REST, routes_of
from tests.support.graph import Graph, Resource

pytestmark = pytest.mark.usefixtures("no_archives")


def deployment_of(graph: Graph) -> Resource:
    return graph.one("aws:apigateway/deployment:Deployment", "rest-api-deployment")


def digest_of(graph: Graph) -> str:
    return deployment_of(graph).inputs["triggers"]["body"]


def test_deployment_is_triggered_by_the_hash_of_the_api_body(rest_api_graph: Graph) -> None:
    body = rest_api_graph.one(*REST).inputs["body"]
    assert digest_of(rest_api_graph) == hashlib.sha256(body.encode()).hexdigest()
    assert digest_of(record_rest_api()) == digest_of(rest_api_graph)


def test_deployment_depends_only_on_the_api(rest_api_graph: Graph) -> None:
    # If `triggers` also depended on the user pool, Pulumi would delete the deployment before it replaces the pool. AWS
    # refuses to delete a deployment that a stage uses.
    api = rest_api_graph.one(*REST)
    assert deployment_of(rest_api_graph).made_from == {"restApi": {api.urn}, "triggers": {api.urn}}


def test_deployment_is_created_after_the_permissions_of_its_routes(rest_api_graph: Graph) -> None:
    policy = rest_api_graph.one("RolePolicy", "rest-api-process-order-policy")
    needed = {policy.urn, *(each.urn for each in rest_api_graph.of("Permission"))}
    assert needed <= set(deployment_of(rest_api_graph).dependencies)


def test_stage_uses_the_new_deployment_before_the_old_one_is_deleted(rest_api_graph: Graph) -> None:
    deployment = deployment_of(rest_api_graph)
    assert not deployment.delete_before_replace
    stage = rest_api_graph.one("aws:apigateway/stage:Stage", "rest-api-stage")
    assert stage.inputs["deployment"] == "rest-api-deployment-id"
    assert deployment.urn in stage.dependencies


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


def _renamed_operation(document: Any) -> None:
    document["paths"]["/orders"]["get"]["operationId"] = "findOrders"


def _renamed_parameter(document: Any) -> None:
    for path in [path for path in document["paths"] if "{order_id}" in path]:
        document["paths"][path.replace("{order_id}", "{id}")] = document["paths"].pop(path)
    document["components"]["parameters"]["OrderId"]["name"] = "id"


def _removed_route(document: Any) -> None:
    del document["paths"]["/orders/{order_id}/cancel"]


CHANGES = [
    *(_renamed_path, _other_limit, _open, _scoped, _required),
    *(_renamed_operation, _renamed_parameter, _removed_route),
]


def changed(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> Graph:
    """Return the graph of a RestApi after `change` has edited its OpenAPI document.

    Each operation in the edited document has a function.
    """
    document = openapi.load("rest-api.yaml")
    change(document)
    serve_document(monkeypatch, document)
    known = {"findOrders": "orders_api", **routes._ANSWERED_BY[routes.REST_API]}  # pyright: ignore[reportPrivateUsage]
    found = [each.operation_id for each in openapi.operations(document)]
    monkeypatch.setattr(routes, "_ANSWERED_BY", {routes.REST_API: {each: known[each] for each in found}})
    return record_rest_api()


def inputs_of(graph: Graph) -> dict[str, dict[str, Any]]:
    """Return {URN: inputs} of all resources in `graph`.

    Leaves out archives, because two archive objects are never equal.
    """
    return {each.urn: {**each.inputs, "code": None} for each in graph.resources}


@pytest.mark.parametrize("change", CHANGES)
def test_contract_change_updates_the_api_and_creates_one_deployment(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]
) -> None:
    before, after = inputs_of(rest_api_graph), inputs_of(changed(monkeypatch, change))
    # With another URN, Pulumi would create a new resource before it deletes the old one. For a while, AWS would have
    # both.
    assert after.keys() == before.keys()
    different = {urn.rsplit("::", 1)[1] for urn in after if after[urn] != before[urn]}
    assert different == {"rest-api", "rest-api-deployment"}


def test_route_removed_from_the_contract_is_removed_from_the_api(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = routes_of(changed(monkeypatch, _removed_route), REST).keys()
    assert routes_of(rest_api_graph, REST).keys() - left == {
        "POST /orders/{order_id}/cancel",
        "OPTIONS /orders/{order_id}/cancel",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"cors_origins": list(ORIGINS)},
        {"cors_origins": ["https://other.example.com"]},
        {"user_pool_arn": ACCOUNT_2_POOL},
        {"client_id": "another"},
        {"state_machine_arn": f"{MACHINE}-2"},
    ],
)
def test_changed_component_argument_creates_a_new_deployment(rest_api_graph: Graph, changes: dict[str, Any]) -> None:
    assert digest_of(record_rest_api(**changes)) != digest_of(rest_api_graph)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (sync_workflow_integration, "STATUS_OF_ERROR", {"OutOfStock": 400}),
        (sync_workflow_integration, "_THROTTLED", "Slower."),
        (rest_document, "INTEGRATION_TIMEOUT_MS", 1000),
        (rest_document, "NO_SUCH_ROUTE", "No."),
        (rest_document, "SECURITY_POLICY", "SecurityPolicy_TLS13_1_3_2025_09"),
        (gateway_responses, "_RESPONSES", {}),
    ],
)
def test_changed_constant_in_the_api_definition_creates_a_new_deployment(
    rest_api_graph: Graph, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any
) -> None:
    monkeypatch.setattr(module, name, value)
    assert digest_of(record_rest_api()) != digest_of(rest_api_graph)


@pytest.fixture(scope="session")
def several_origins(rest_api_graph: Graph) -> Graph:
    del rest_api_graph
    return record_rest_api(cors_origins=list(ORIGINS))


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with copies of the mapping templates.

    In the test, the components read the templates from this folder.
    """
    shutil.copytree(mapping_templates.TEMPLATES, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(mapping_templates, "TEMPLATES", tmp_path)
    return tmp_path


TEMPLATES = sorted(mapping_templates.TEMPLATES.glob("*.vtl"))


@pytest.mark.parametrize("name", [path.name for path in TEMPLATES])
def test_changed_mapping_template_creates_a_new_deployment(several_origins: Graph, templates: Path, name: str) -> None:
    (templates / name).write_text(f"{(templates / name).read_text()}#set($another = true)\n")
    assert digest_of(record_rest_api(cors_origins=list(ORIGINS))) != digest_of(several_origins)


def test_changed_template_comment_creates_no_deployment(several_origins: Graph, templates: Path) -> None:
    for path in TEMPLATES:
        (templates / path.name).write_text(f"## Words for readers.\n{path.read_text()}")
    assert digest_of(record_rest_api(cors_origins=list(ORIGINS))) == digest_of(several_origins)


@pytest.mark.parametrize("changes", [{"throttle_rate": 1}, {"waf": True}, {"owns_account_log_role": True}])
def test_changed_stage_setting_creates_no_deployment(rest_api_graph: Graph, changes: dict[str, Any]) -> None:
    assert digest_of(record_rest_api(**changes)) == digest_of(rest_api_graph)


def test_first_preview_plans_a_deployment_although_the_body_is_unknown() -> None:
    inputs = deployment_of(record_rest_api(unknown=True)).inputs
    assert not isinstance(inputs.get("triggers", {}).get("body"), str)
