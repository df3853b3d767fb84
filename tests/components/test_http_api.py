from __future__ import annotations

import json
import re

import pytest

from components.apis.rest_routes import kebab
from components.aws import openapi
from components.aws.openapi import Operation
from components.functions.function import FunctionSize
from tests.components.api_programs import ORIGIN, ORIGINS, record_http_api, serve_document
from tests.support.graph import ACCOUNT, REGION, Graph

pytestmark = pytest.mark.usefixtures("no_archives")

OPERATIONS = {each.operation_id: each for each in openapi.operations(openapi.load("http-api.yaml"))}
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev-inventory"


@pytest.fixture
def api(http_api_graph: Graph) -> Graph:
    return http_api_graph


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_has_its_route_with_the_scopes_of_the_document(api: Graph, operation: Operation) -> None:
    assert api.one("Route", f"http-api-{kebab(operation.operation_id)}").inputs == {
        "apiId": "http-api-id",
        "routeKey": f"{operation.method} {operation.path}",
        "operationName": operation.operation_id,
        "target": "integrations/http-api-catalog-api-id",
        "authorizationType": "JWT",
        "authorizerId": "http-api-authorizer-id",
        "authorizationScopes": ["email"],
    }


def test_there_are_no_other_routes(api: Graph) -> None:
    assert {each.inputs["operationName"] for each in api.of("Route")} == set(OPERATIONS)


def test_another_scope_in_the_document_is_another_scope_of_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    document = openapi.load("http-api.yaml")
    document["paths"]["/products/{product_id}"]["put"]["security"] = [{"userPoolAccessToken": ["email", "profile"]}]
    document["paths"]["/products"]["get"]["security"] = []
    serve_document(monkeypatch, document)
    graph = record_http_api()
    assert graph.one("Route", "http-api-put-product").inputs["authorizationScopes"] == ["email", "profile"]
    opened = graph.one("Route", "http-api-list-products").inputs
    assert opened["authorizationType"] == "NONE"
    assert not {"authorizerId", "authorizationScopes"} & set(opened)
    assert graph.outputs["scopes"] == ["email", "profile"]


def test_tokens_of_the_pool_for_the_client_are_taken(api: Graph) -> None:
    authorizer = api.one("aws:apigatewayv2/authorizer:Authorizer", "http-api-authorizer").inputs
    assert authorizer["authorizerType"] == "JWT"
    assert authorizer["identitySources"] == ["$request.header.Authorization"]
    assert authorizer["jwtConfiguration"] == {
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_POOL",
        "audiences": ["client"],
    }


def test_the_function_answers_by_its_alias_with_the_payload_of_http_apis(api: Graph) -> None:
    integration = api.one("aws:apigatewayv2/integration:Integration", "http-api-catalog-api").inputs
    assert integration["integrationType"] == "AWS_PROXY"
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["integrationUri"].endswith("function:orders-dev-catalog-api:live/invocations")
    assert integration["timeoutMilliseconds"] == 29_000


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_function_may_be_invoked_for_its_operations_alone(api: Graph, operation: Operation) -> None:
    permission = api.one("Permission", f"catalog-api-http-api-{kebab(operation.operation_id)}").inputs
    assert permission["qualifier"] == "live"
    assert permission["principal"] == "apigateway.amazonaws.com"
    path = re.sub(r"\{\w+\}", "*", operation.path)
    assert permission["sourceArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:http-id/*/{operation.method}{path}"
    assert len(api.of("Permission")) == len(OPERATIONS)


def test_the_function_may_read_and_write_products_and_nothing_else(api: Graph) -> None:
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
    assert {each.urn for each in api.of("Route")} <= set(stage.dependencies)


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


def test_a_function_that_may_outlive_the_gateways_patience_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout of catalog_api: got 29 s"):
        record_http_api(sizes={"catalog_api": FunctionSize(timeout_s=29, memory_mb=256)})
