from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from components.apis.rest_routes import kebab
from components.aws import openapi
from components.aws.openapi import Operation
from components.functions.function import FunctionSize
from tests.components.api_programs import (
    MACHINE,
    ORIGIN,
    ORIGINS,
    POOL,
    STAGE_ARN,
    record_http_api,
    record_rest_api,
    serve_document,
)
from tests.support.graph import ACCOUNT, REGION, Graph, Resource

pytestmark = pytest.mark.usefixtures("no_archives")

OPERATIONS = {each.operation_id: each for each in openapi.operations(openapi.load("rest-api.yaml"))}
PATHS = sorted({each.path for each in OPERATIONS.values()})


@pytest.fixture
def api(rest_api_graph: Graph) -> Graph:
    return rest_api_graph


def method_of(graph: Graph, operation_id: str) -> Resource:
    return graph.one("Method", f"rest-api-{kebab(operation_id)}")


def test_the_api_is_regional_and_takes_no_tls_below_1_2(api: Graph) -> None:
    inputs = api.one("aws:apigateway/restApi:RestApi", "rest-api").inputs
    assert inputs["endpointConfiguration"] == {"types": "REGIONAL"}
    assert inputs["securityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
    assert inputs["endpointAccessMode"] == "STRICT"
    assert inputs["name"] == "orders-dev-rest-api"


def test_every_operation_of_the_document_has_its_method_on_its_path(api: Graph) -> None:
    routes = {
        (each.inputs["operationName"], each.inputs["httpMethod"], path_of(api, each))
        for each in api.of("Method")
        if "operationName" in each.inputs
    }
    assert routes == {(each.operation_id, each.method, each.path) for each in OPERATIONS.values()}


def path_of(graph: Graph, method: Resource) -> str:
    """Follow a method's resource up to the root."""
    by_id = {f"{each.name}-id": each for each in graph.of("aws:apigateway/resource:Resource")}
    segments: list[str] = []
    identity = method.inputs["resourceId"]
    while identity != "root":
        segments.insert(0, by_id[identity].inputs["pathPart"])
        identity = by_id[identity].inputs["parentId"]
    return "/" + "/".join(segments)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_asks_for_an_id_token_of_the_user_pool(api: Graph, operation: Operation) -> None:
    inputs = method_of(api, operation.operation_id).inputs
    assert operation.secured
    assert inputs["authorization"] == "COGNITO_USER_POOLS"
    assert inputs["authorizerId"] == "rest-api-authorizer-id"
    assert "authorizationScopes" not in inputs, "with scopes the authorizer takes access tokens instead"
    authorizer = api.one("aws:apigateway/authorizer:Authorizer", "rest-api-authorizer").inputs
    assert authorizer["type"] == "COGNITO_USER_POOLS"
    assert authorizer["providerArns"] == [POOL]
    assert authorizer["identitySource"] == "method.request.header.Authorization"
    assert authorizer["identityValidationExpression"] == "^client$", "else every app client of the pool is let in"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_validated_by_what_the_document_says(api: Graph, operation: Operation) -> None:
    inputs = method_of(api, operation.operation_id).inputs
    assert inputs["requestValidatorId"] == "rest-api-validator-id"
    parameters = {f"method.request.path.{name}": True for name in operation.path_parameters}
    assert inputs.get("requestParameters", {}) == parameters
    if operation.request_schema is None:
        assert "requestModels" not in inputs
        return
    model = api.one("aws:apigateway/model:Model", f"rest-api-{kebab(operation.operation_id)}-body").inputs
    assert inputs["requestModels"] == {"application/json": model["name"]}
    assert re.fullmatch("[A-Za-z0-9]+", model["name"])
    schema = json.loads(model["schema"])
    assert schema.pop("$schema") == "http://json-schema.org/draft-04/schema#"
    assert schema == operation.request_schema


def test_the_validator_checks_bodies_and_parameters(api: Graph) -> None:
    inputs = api.one("RequestValidator", "rest-api-validator").inputs
    assert inputs["validateRequestBody"]
    assert inputs["validateRequestParameters"]


def test_required_headers_and_queries_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    document = openapi.load("rest-api.yaml")
    document["paths"]["/orders"]["get"]["parameters"] = [
        {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": "since", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
    ]
    serve_document(monkeypatch, document)
    assert method_of(record_rest_api(), "listOrders").inputs["requestParameters"] == {
        "method.request.header.X-Tenant": True,
        "method.request.querystring.since": True,
    }


@pytest.mark.parametrize("model", ["create-user", "create-order", "process-order"])
def test_models_are_valid_json_schemas_of_draft_4(api: Graph, model: str) -> None:
    schema = json.loads(api.one("aws:apigateway/model:Model", f"rest-api-{model}-body").inputs["schema"])
    jsonschema.Draft4Validator.check_schema(schema)
    assert "$ref" not in json.dumps(schema), "a model stands alone"


SOURCES = {
    "users-api": ["createUser", "getUser"],
    "orders-api": ["createOrder", "listOrders", "getOrder", "cancelOrder"],
}


@pytest.mark.parametrize(("function", "operation_id"), [(f, o) for f, ids in SOURCES.items() for o in ids])
def test_a_function_answers_by_its_alias_and_may_be_invoked_for_its_own_operations_alone(
    api: Graph, function: str, operation_id: str
) -> None:
    operation = OPERATIONS[operation_id]
    integration = api.one("aws:apigateway/integration:Integration", f"rest-api-{kebab(operation_id)}-integration")
    assert integration.inputs["type"] == "AWS_PROXY"
    assert integration.inputs["integrationHttpMethod"] == "POST"
    assert integration.inputs["uri"].endswith(f"function:orders-dev-{function}:live/invocations")
    assert integration.inputs["timeoutMilliseconds"] == 29_000
    permission = api.one("Permission", f"{function}-rest-api-{kebab(operation_id)}").inputs
    assert permission["function"] == f"orders-dev-{function}"
    assert permission["qualifier"] == "live"
    assert permission["principal"] == "apigateway.amazonaws.com"
    path = re.sub(r"\{\w+\}", "*", operation.path)
    assert permission["sourceArn"] == f"{STAGE_ARN}/{operation.method}{path}"


def test_there_are_no_other_permissions(api: Graph) -> None:
    assert len(api.of("Permission")) == sum(len(ids) for ids in SOURCES.values())


def statements_of(graph: Graph, function: str) -> list[tuple[set[str], set[str]]]:
    statements = graph.policy("RolePolicy", f"{function}-policy")
    pairs = [(set(each["Action"]), set(each["Resource"])) for each in statements]
    return [(actions, on) for actions, on in pairs if all(action.startswith("dynamodb:") for action in actions)]


def table_arn(role: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev-{role}"


def test_functions_may_do_to_the_tables_what_their_operations_need_and_nothing_else(api: Graph) -> None:
    assert statements_of(api, "users-api") == [({"dynamodb:PutItem", "dynamodb:GetItem"}, {table_arn("users")})]
    assert statements_of(api, "orders-api") == [
        ({"dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}, {table_arn("orders")}),
        ({"dynamodb:Query"}, {f"{table_arn('orders')}/index/by-user"}),
        ({"dynamodb:UpdateItem"}, {table_arn("inventory")}),
    ]


def test_functions_are_told_their_tables_and_origins() -> None:
    graph = record_rest_api(cors_origins=list(ORIGINS))

    def environment(name: str) -> dict[str, Any]:
        variables = graph.one("aws:lambda/function:Function", name).inputs["environment"]["variables"]
        return {key: value for key, value in variables.items() if not key.startswith(("POWERTOOLS", "LOG"))}

    assert environment("users-api") == {"USERS_TABLE": "orders-dev-users", "CORS_ORIGINS": ",".join(ORIGINS)}
    assert environment("orders-api") == {
        "ORDERS_TABLE": "orders-dev-orders",
        "ORDERS_BY_USER_INDEX": "by-user",
        "INVENTORY_TABLE": "orders-dev-inventory",
        "CORS_ORIGINS": ",".join(ORIGINS),
    }


def test_process_starts_the_express_machine_by_a_role_of_its_own(api: Graph) -> None:
    integration = api.one("aws:apigateway/integration:Integration", "rest-api-process-order-integration").inputs
    assert integration["type"] == "AWS"
    assert integration["uri"] == f"arn:aws:apigateway:{REGION}:states:action/StartSyncExecution"
    assert integration["integrationHttpMethod"] == "POST"
    assert integration["passthroughBehavior"] == "NEVER"
    assert integration["timeoutMilliseconds"] == 29_000
    role = api.one("aws:iam/role:Role", "rest-api-process-order-role")
    assert integration["credentials"] == role.state["arn"]
    assert api.policy("RolePolicy", "rest-api-process-order-policy") == [
        {"Effect": "Allow", "Action": ["states:StartSyncExecution"], "Resource": [MACHINE]}
    ]


@pytest.mark.parametrize("role", ["rest-api-process-order-role", "rest-api-log-role"])
def test_api_gateway_takes_a_role_for_this_account_alone_if_it_says_for_which(role: str) -> None:
    graph = record_rest_api(owns_account_log_role=True)
    assert graph.policy("aws:iam/role:Role", role, "assumeRolePolicy") == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
        }
    ]


def test_the_answers_of_step_functions_are_told_apart_by_its_status(api: Graph) -> None:
    patterns = {
        each.inputs["statusCode"]: each.inputs.get("selectionPattern")
        for each in api.of("IntegrationResponse")
        if each.name.startswith("rest-api-process-order")
    }
    assert patterns == {"200": "200", "429": "4\\d{2}", "504": "504", "500": None}
    responses = {each.inputs["statusCode"] for each in api.of("MethodResponse") if "process-order" in each.name}
    assert responses == set(patterns), "each needs its method response"


def test_an_integration_response_waits_for_its_integration_and_its_method_response(api: Graph) -> None:
    urns = {each.urn: each for each in api.resources}
    for response in api.of("IntegrationResponse"):
        waits = {urns[urn].type.rsplit(":", 1)[-1] for urn in response.dependencies}
        assert {"Integration", "MethodResponse"} <= waits, response.name


def unauthenticated(graph: Graph) -> Iterator[Resource]:
    return (each for each in graph.of("Method") if each.inputs["authorization"] == "NONE")


def test_nothing_but_preflight_and_unknown_routes_is_open_and_no_backend_is_behind_them(api: Graph) -> None:
    assert {each.inputs["httpMethod"] for each in unauthenticated(api)} == {"OPTIONS", "ANY"}
    for method in unauthenticated(api):
        integration = api.one("aws:apigateway/integration:Integration", f"{method.name}-integration").inputs
        assert integration["type"] == "MOCK"
        assert "uri" not in integration


def test_what_is_not_in_the_document_is_answered_404_at_the_root_and_below(api: Graph) -> None:
    answers = {path_of(api, each): each for each in unauthenticated(api) if each.inputs["httpMethod"] == "ANY"}
    assert set(answers) == {"/", "/{proxy+}"}
    for method in answers.values():
        integration = api.one("aws:apigateway/integration:Integration", f"{method.name}-integration").inputs
        for kind in ("application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
            assert json.loads(integration["requestTemplates"][kind]) == {"statusCode": 404}, "else it is 415"
        # What is passed through is the request's body, which would then choose the answer, or be a 500.
        assert integration["passthroughBehavior"] == "NEVER"
        answer = api.one("IntegrationResponse", f"{method.name}-404-integration").inputs
        assert answer["statusCode"] == "404"
        assert json.loads(answer["responseTemplates"]["application/json"])["code"] == "NotFound"


@pytest.mark.parametrize("path", PATHS)
def test_preflight_names_the_methods_of_its_path(api: Graph, path: str) -> None:
    name = f"rest-api-preflight-{kebab(path)}"
    assert path_of(api, api.one("Method", name)) == path
    answer = api.one("IntegrationResponse", f"{name}-200-integration").inputs
    methods = sorted(each.method for each in OPERATIONS.values() if each.path == path)
    assert answer["responseParameters"] == {
        "method.response.header.Access-Control-Allow-Origin": f"'{ORIGIN}'",
        "method.response.header.Access-Control-Allow-Methods": f"'{','.join([*methods, 'OPTIONS'])}'",
        "method.response.header.Access-Control-Allow-Headers": "'Authorization,Content-Type,Idempotency-Key'",
        "method.response.header.Access-Control-Max-Age": "'3600'",
        "method.response.header.Vary": "'Origin'",
    }
    declared = api.one("MethodResponse", f"{name}-200").inputs["responseParameters"]
    assert set(declared) == set(answer["responseParameters"])


def test_every_header_that_is_set_or_overridden_is_declared() -> None:
    graph = record_rest_api(cors_origins=list(ORIGINS))
    for answer in graph.of("IntegrationResponse"):
        declared = graph.one("MethodResponse", answer.name.removesuffix("-integration")).inputs["responseParameters"]
        allow_origin = "method.response.header.Access-Control-Allow-Origin"
        assert set(declared) == {*answer.inputs["responseParameters"], allow_origin}, answer.name
        assert allow_origin not in answer.inputs["responseParameters"], "with a choice of origins none is fixed"


def test_outputs_are_what_the_stack_hands_on(api: Graph) -> None:
    assert api.outputs == {
        "url": f"https://rest-api-id.execute-api.{REGION}.amazonaws.com/dev",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:rest-api-id",
        "accessLogGroupName": "/aws/apigateway/orders-dev-rest-api",
        "restApiId": "rest-api-id",
        "stageName": "dev",
        "functions": {"users_api": "orders-dev-users-api", "orders_api": "orders-dev-orders-api"},
    }


@pytest.mark.parametrize("record", [record_rest_api, record_http_api])
def test_everything_that_takes_tags_has_them_and_every_component_registers_its_outputs(record: Any) -> None:
    graph = record()
    for kind in ("RestApi", "Api", "Stage", "LogGroup", "Role", "WebAcl"):
        for resource in graph.of(kind):
            if resource.custom:
                assert {"Project", "Stack", "Component"} <= set(resource.inputs["tags"]), resource.name
    components = {each.urn for each in graph.resources if not each.custom}
    assert components <= graph.components_with_outputs


def test_a_first_preview_registers_the_same_resources(api: Graph) -> None:
    names = {(each.type, each.name) for each in api.resources}
    assert {(each.type, each.name) for each in record_rest_api(unknown=True).resources} == names


@pytest.mark.parametrize("origin", ["*", "https://a.example.com/", "https://a.example.com'", "", "https://$x"])
def test_an_origin_that_is_not_exact_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="CORS origins"):
        record_rest_api(cors_origins=[ORIGIN, origin])


def test_a_function_that_may_outlive_the_gateways_patience_is_refused() -> None:
    fine, long = FunctionSize(timeout_s=10, memory_mb=256), FunctionSize(timeout_s=29, memory_mb=256)
    with pytest.raises(ValueError, match="timeout of orders_api: got 29 s"):
        record_rest_api(sizes={"users_api": fine, "orders_api": long})


def test_an_operation_that_nobody_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    document = openapi.load("rest-api.yaml")
    document["paths"]["/orders"]["get"]["operationId"] = "findOrders"
    serve_document(monkeypatch, document)
    with pytest.raises(ValueError, match=r"\['findOrders'\] are answered by nobody, \['listOrders'\]"):
        record_rest_api()
