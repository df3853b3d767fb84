from __future__ import annotations

import json

import pytest

from components.aws import openapi
from components.aws.openapi import Operation
from components.functions.function import FunctionOverride, TimeLimitError
from tests.components.api_programs import ORIGIN, ORIGINS, record_http_api, serve_document
from tests.components.order_programs import context
from tests.support.bodies import HTTP, document, routes_of
from tests.support.graph import ACCOUNT, REGION, Graph

pytestmark = pytest.mark.usefixtures("no_archives")

OPERATIONS = {each.operation_id: each for each in openapi.operations(openapi.load("http-api.yaml"))}
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev-inventory"


@pytest.fixture
def api(http_api_graph: Graph) -> Graph:
    return http_api_graph


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_each_operation_is_a_route_with_the_scopes_of_the_contract(api: Graph, operation: Operation) -> None:
    said = routes_of(api, HTTP)[f"{operation.method} {operation.path}"].operation
    assert said["operationId"] == operation.operation_id
    assert operation.scopes
    assert said["security"] == [{operation.scheme: list(operation.scopes)}]


def test_api_has_only_the_routes_of_the_contract(api: Graph) -> None:
    assert set(routes_of(api, HTTP)) == {f"{each.method} {each.path}" for each in OPERATIONS.values()}


def test_changing_a_scope_in_the_contract_changes_the_scope_of_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("http-api.yaml")
    contract["paths"]["/products/{product_id}"]["put"]["security"] = [{"userPoolAccessToken": ["email", "profile"]}]
    contract["paths"]["/products"]["get"]["security"] = []
    serve_document(monkeypatch, contract)
    graph = record_http_api()
    found = routes_of(graph, HTTP)
    assert found["PUT /products/{product_id}"].operation["security"] == [{"userPoolAccessToken": ["email", "profile"]}]
    assert found["GET /products"].operation["security"] == []
    assert graph.outputs["scopes"] == ["email", "profile"]


def test_authorizer_accepts_tokens_of_the_user_pool_for_the_client(api: Graph) -> None:
    (scheme,) = document(api, HTTP)["components"]["securitySchemes"].values()
    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {
            "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_POOL",
            "audience": ["client"],
        },
    }


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_routes_invoke_the_functions_alias_with_payload_format_2(api: Graph, operation: Operation) -> None:
    integration = routes_of(api, HTTP)[f"{operation.method} {operation.path}"].integration
    assert integration["type"] == "AWS_PROXY"
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["uri"].endswith("function:orders-dev-catalog-api:live/invocations")
    assert integration["timeoutInMillis"] == 29_000


def test_api_may_invoke_the_function_only_for_its_own_paths(api: Graph) -> None:
    (permission,) = api.of("Permission")
    assert permission.inputs["qualifier"] == "live"
    assert permission.inputs["principal"] == "apigateway.amazonaws.com"
    assert permission.inputs["sourceArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:http-id/*/*/products*"


def test_openapi_document_and_api_resource_have_the_same_name_cors_settings_and_tags(api: Graph) -> None:
    inputs, body = api.one(*HTTP).inputs, document(api, HTTP)
    assert body["info"] == {"title": inputs["name"], "version": inputs["version"]}, (
        "with a description in the document, each preview would show a difference"
    )
    assert body["x-amazon-apigateway-cors"] == inputs["corsConfiguration"]
    assert {each["name"]: each["x-amazon-apigateway-tag-value"] for each in body["tags"]} == inputs["tags"]


def test_catalog_api_may_only_read_and_write_products(api: Graph) -> None:
    statements = [
        (set(each["Action"]), set(each["Resource"]))
        for each in api.policy("RolePolicy", "catalog-api-policy")
        if each["Action"][0].startswith("dynamodb:")
    ]
    assert statements == [
        ({"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"}, {TABLE}),
        ({"dynamodb:Query"}, {f"{TABLE}/index/catalog"}),
    ]
    variables = api.one("aws:lambda/function:Function", "catalog-api").inputs["environment"]["variables"]
    assert variables["INVENTORY_TABLE"] == "orders-dev-inventory"
    assert variables["CATALOG_INDEX"] == "catalog"


def test_cors_allows_the_configured_origins() -> None:
    api = record_http_api(cors_origins=list(ORIGINS)).one("aws:apigatewayv2/api:Api", "http-api").inputs
    assert api["protocolType"] == "HTTP"
    assert api["corsConfiguration"] == {
        "allowOrigins": list(ORIGINS),
        "allowMethods": ["GET", "PUT"],
        "allowHeaders": ["authorization", "content-type"],
        "exposeHeaders": ["apigw-requestid", "retry-after"],
        "maxAge": 3600,
    }


def test_default_stage_deploys_automatically_writes_access_logs_and_throttles(api: Graph) -> None:
    stage = api.one("aws:apigatewayv2/stage:Stage", "http-api-stage")
    assert stage.inputs["name"] == "$default"
    assert stage.inputs["autoDeploy"]
    assert stage.inputs["defaultRouteSettings"] == {
        "throttlingRateLimit": 50,
        "throttlingBurstLimit": 100,
        "detailedMetricsEnabled": True,
    }
    group = api.one("LogGroup", "http-api-access-log")
    assert stage.inputs["accessLogSettings"]["destinationArn"] == group.state["arn"]
    assert group.inputs["name"] == "/aws/vendedlogs/apis/orders-dev-http-api"
    assert group.inputs["retentionInDays"] == 30
    entry = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert entry["requestId"] == "$context.requestId"
    assert not [
        value for value in entry.values() if "identity" in value or "claims" in value or value.endswith(".path")
    ]
    assert {each.urn for each in api.of("Permission")} <= set(stage.dependencies)


def test_url_has_no_stage_and_no_trailing_slash(api: Graph) -> None:
    assert api.outputs == {
        "url": f"https://http-id.execute-api.{REGION}.amazonaws.com",
        "scopes": ["email"],
        "accessLogGroupName": "/aws/vendedlogs/apis/orders-dev-http-api",
        "functions": {source: f"orders-dev-{source.replace('_', '-')}" for source in api.outputs["functions"]},
    }


def test_first_preview_registers_all_resources_of_the_http_api(api: Graph) -> None:
    names = {(each.type, each.name) for each in api.resources}
    assert {(each.type, each.name) for each in record_http_api(unknown=True).resources} == names


def test_wildcard_cors_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="CORS origins"):
        record_http_api(cors_origins=[ORIGIN, "*"])


def test_function_timeout_above_the_gateways_limit_is_refused() -> None:
    with pytest.raises(TimeLimitError, match="timeout of catalog_api: got 29 s"):
        record_http_api(context=context(overrides={"catalog_api": FunctionOverride(timeout_s=29)}))
