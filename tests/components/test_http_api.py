from __future__ import annotations

import json

import pytest

from components.aws import openapi
from components.aws.openapi import Operation
from components.functions.function import FunctionSize
from tests.components.api_programs import ORIGIN, ORIGINS, record_http_api, serve_document
from tests.support.bodies import HTTP, document, routes_of
from tests.support.graph import ACCOUNT, REGION, Graph

pytestmark = pytest.mark.usefixtures("no_archives")

OPERATIONS = {each.operation_id: each for each in openapi.operations(openapi.load("http-api.yaml"))}
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev-inventory"


@pytest.fixture
def api(http_api_graph: Graph) -> Graph:
    return http_api_graph


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_a_route_with_the_scopes_of_the_contract(api: Graph, operation: Operation) -> None:
    said = routes_of(api, HTTP)[f"{operation.method} {operation.path}"].operation
    assert said["operationId"] == operation.operation_id
    assert operation.scopes
    assert said["security"] == [{operation.scheme: list(operation.scopes)}]


def test_there_are_no_other_routes(api: Graph) -> None:
    assert set(routes_of(api, HTTP)) == {f"{each.method} {each.path}" for each in OPERATIONS.values()}


def test_another_scope_in_the_contract_is_another_scope_of_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("http-api.yaml")
    contract["paths"]["/products/{product_id}"]["put"]["security"] = [{"userPoolAccessToken": ["email", "profile"]}]
    contract["paths"]["/products"]["get"]["security"] = []
    serve_document(monkeypatch, contract)
    graph = record_http_api()
    found = routes_of(graph, HTTP)
    assert found["PUT /products/{product_id}"].operation["security"] == [{"userPoolAccessToken": ["email", "profile"]}]
    assert found["GET /products"].operation["security"] == []
    assert graph.outputs["scopes"] == ["email", "profile"]


def test_tokens_of_the_pool_for_the_client_are_taken(api: Graph) -> None:
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
def test_the_function_answers_by_its_alias_with_the_payload_of_http_apis(api: Graph, operation: Operation) -> None:
    integration = routes_of(api, HTTP)[f"{operation.method} {operation.path}"].integration
    assert integration["type"] == "AWS_PROXY"
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["uri"].endswith("function:orders-dev-catalog-api:live/invocations")
    assert integration["timeoutInMillis"] == 29_000


def test_the_function_may_be_invoked_for_its_own_paths_only(api: Graph) -> None:
    (permission,) = api.of("Permission")
    assert permission.inputs["qualifier"] == "live"
    assert permission.inputs["principal"] == "apigateway.amazonaws.com"
    assert permission.inputs["sourceArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:http-id/*/*/products*"


def test_document_and_resource_agree_on_what_the_provider_reads_back(api: Graph) -> None:
    inputs, body = api.one(*HTTP).inputs, document(api, HTTP)
    assert body["info"] == {"title": inputs["name"], "version": inputs["version"]}, "a description would be read back"
    assert body["x-amazon-apigateway-cors"] == inputs["corsConfiguration"]
    assert {each["name"]: each["x-amazon-apigateway-tag-value"] for each in body["tags"]} == inputs["tags"]


def test_the_function_may_only_read_and_write_products(api: Graph) -> None:
    statements = [
        (set(each["Action"]), set(each["Resource"]))
        for each in api.policy("RolePolicy", "catalog-api-policy")
        if each["Action"][0].startswith("dynamodb:")
    ]
    assert statements == [
        ({"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"}, {TABLE}),
        ({"dynamodb:Query"}, {f"{TABLE}/index/catalogue"}),
    ]
    variables = api.one("aws:lambda/function:Function", "catalog-api").inputs["environment"]["variables"]
    assert variables["INVENTORY_TABLE"] == "orders-dev-inventory"
    assert variables["CATALOGUE_INDEX"] == "catalogue"


def test_pages_of_the_given_origins_may_call_it() -> None:
    api = record_http_api(cors_origins=list(ORIGINS)).one("aws:apigatewayv2/api:Api", "http-api").inputs
    assert api["protocolType"] == "HTTP"
    assert api["corsConfiguration"] == {
        "allowOrigins": list(ORIGINS),
        "allowMethods": ["GET", "PUT"],
        "allowHeaders": ["authorization", "content-type"],
        "exposeHeaders": ["apigw-requestid"],
        "maxAge": 3600,
    }


def test_the_default_stage_deploys_itself_logs_and_limits(api: Graph) -> None:
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


def test_the_url_has_neither_stage_nor_trailing_slash(api: Graph) -> None:
    assert api.outputs == {
        "url": f"https://http-id.execute-api.{REGION}.amazonaws.com",
        "scopes": ["email"],
        "accessLogGroupName": "/aws/vendedlogs/apis/orders-dev-http-api",
        "functions": {"catalog_api": "orders-dev-catalog-api"},
    }


def test_a_first_preview_registers_the_same_resources(api: Graph) -> None:
    names = {(each.type, each.name) for each in api.resources}
    assert {(each.type, each.name) for each in record_http_api(unknown=True).resources} == names


def test_an_origin_that_is_not_exact_is_refused() -> None:
    with pytest.raises(ValueError, match="CORS origins"):
        record_http_api(cors_origins=[ORIGIN, "*"])


def test_a_function_slower_than_the_gateway_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout of catalog_api: got 29 s"):
        record_http_api(sizes={"catalog_api": FunctionSize(timeout_s=29, memory_mb=256)})
