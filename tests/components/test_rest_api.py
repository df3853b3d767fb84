from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from components.apis import routes
from components.aws import openapi
from components.aws.openapi import Operation
from components.functions.function import FunctionOverride, TimeLimitError
from operations.api_document import Route
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
from tests.components.order_programs import context
from tests.support.bodies import REST, document, routes_of
from tests.support.graph import ACCOUNT, REGION, Graph

pytestmark = pytest.mark.usefixtures("no_archives")

OPERATIONS = {each.operation_id: each for each in openapi.operations(openapi.load("rest-api.yaml"))}
PATHS = sorted({each.path for each in OPERATIONS.values()})
VALIDATOR = "x-amazon-apigateway-request-validator"


@pytest.fixture
def api(rest_api_graph: Graph) -> Graph:
    return rest_api_graph


def route_of(graph: Graph, operation_id: str) -> Route:
    (found,) = [each for each in routes_of(graph, REST).values() if each.operation.get("operationId") == operation_id]
    return found


def test_api_is_regional_and_refuses_tls_versions_below_1_2(api: Graph) -> None:
    inputs = api.one(*REST).inputs
    assert inputs["endpointConfiguration"] == {"types": "REGIONAL"}
    policy, mode = "SecurityPolicy_TLS13_1_2_2021_06", "STRICT"
    assert (inputs["securityPolicy"], inputs["endpointAccessMode"]) == (policy, mode)
    body = document(api, REST)
    assert body["x-amazon-apigateway-security-policy"] == policy, (
        "an import resets every setting that its document omits"
    )
    assert body["x-amazon-apigateway-endpoint-access-mode"] == mode


def test_import_overwrites_the_api_and_keeps_its_name(api: Graph) -> None:
    inputs = api.one(*REST).inputs
    assert inputs["putRestApiMode"] == "overwrite"
    # The title of the imported document becomes the name of the API, and this name is a dimension of the API's metrics.
    # With another title, each import would change the dimension, and the alarms would receive no data for a while.
    assert inputs["name"] == document(api, REST)["info"]["title"] == "orders-dev-rest-api"


def test_every_operation_of_the_contract_is_a_route(api: Graph) -> None:
    found = {
        (each.operation["operationId"], each.method, each.path)
        for each in routes_of(api, REST).values()
        if "operationId" in each.operation
    }
    assert found == {(each.operation_id, each.method, each.path) for each in OPERATIONS.values()}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_operation_requires_an_id_token_of_the_user_pool(api: Graph, operation: Operation) -> None:
    assert operation.scheme
    (requirement,) = route_of(api, operation.operation_id).operation["security"]
    assert requirement == {operation.scheme: []}, (
        "with a scope, the authorizer would expect access tokens and refuse ID tokens"
    )
    scheme = document(api, REST)["components"]["securitySchemes"][operation.scheme]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert scheme["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "cognito_user_pools",
        "providerARNs": [POOL],
        "identityValidationExpression": "^client$",
    }, "without the validation expression, the authorizer accepts tokens of every app client of the pool"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_gateway_validates_requests_against_the_contract(api: Graph, operation: Operation) -> None:
    said = route_of(api, operation.operation_id).operation
    validators = document(api, REST)["x-amazon-apigateway-request-validators"]
    assert validators[said[VALIDATOR]] == {"validateRequestBody": True, "validateRequestParameters": True}
    assert required(said) == {("path", name) for name in operation.path_parameters}
    if operation.request_schema is None:
        assert "requestBody" not in said
        return
    assert said["requestBody"]["content"].keys() == {"application/json"}
    name = said["requestBody"]["content"]["application/json"]["schema"]["$ref"].removeprefix("#/components/schemas/")
    assert name == operation.model_name
    assert name.isalnum()
    assert document(api, REST)["components"]["schemas"][name] == openapi.without_prose(operation.request_schema)


def required(operation: Any) -> set[tuple[str, str]]:
    """Return (location, name) of each parameter that the request validator requires for `operation`."""
    return {(each["in"], each["name"]) for each in operation.get("parameters", []) if each["required"]}


def test_gateway_requires_the_contracts_required_headers_and_query_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("rest-api.yaml")
    contract["paths"]["/orders"]["get"]["parameters"] = [
        {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": "since", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
    ]
    serve_document(monkeypatch, contract)
    said = route_of(record_rest_api(), "listOrders").operation
    assert required(said) == {("header", "X-Tenant"), ("query", "since")}


def test_models_are_valid_json_schemas_of_draft_4(api: Graph) -> None:
    for name, schema in document(api, REST)["components"]["schemas"].items():
        jsonschema.Draft4Validator.check_schema(schema)
        assert "$ref" not in json.dumps(schema), f"{name} refers to another model"


def test_changed_descriptions_do_not_change_the_api(api: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("rest-api.yaml")
    contract["info"]["description"] = "Other words."
    contract["paths"]["/orders"]["get"]["summary"] = "Other words"
    contract["components"]["schemas"]["NewOrder"]["description"] = "Other words."
    contract["components"]["responses"]["OrderNotFound"]["description"] = "Other words."
    serve_document(monkeypatch, contract)
    assert document(record_rest_api(), REST) == document(api, REST)


def test_schema_property_named_description_is_kept() -> None:
    schema = {"description": "prose", "properties": {"description": {"type": "string", "description": "prose"}}}
    assert openapi.without_prose(schema) == {"properties": {"description": {"type": "string"}}}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_operation_invokes_the_alias_of_its_function(api: Graph, operation: Operation) -> None:
    function = routes.function_of(operation.operation_id)
    if function == routes.WORKFLOW:
        return
    integration = route_of(api, operation.operation_id).integration
    assert integration["type"] == "aws_proxy"
    assert integration["httpMethod"] == "POST"
    assert integration["uri"].endswith(f"function:orders-dev-{function.replace('_', '-')}:live/invocations")
    assert integration["timeoutInMillis"] == 29_000


def test_api_may_invoke_a_function_only_for_its_own_paths(api: Graph) -> None:
    permissions = [each.inputs for each in api.of("Permission")]
    wanted = {
        (f"orders-dev-{function.replace('_', '-')}", f"{STAGE_ARN}/*/{operation.path.split('/')[1]}*")
        for operation in openapi.operations(openapi.load(routes.REST_API))
        if (function := routes.function_of(operation.operation_id)) != routes.WORKFLOW
    }
    assert ("orders-dev-orders-api", f"{STAGE_ARN}/*/orders*") in wanted
    assert sorted((each["function"], each["sourceArn"]) for each in permissions) == sorted(wanted)
    assert {each["qualifier"] for each in permissions} == {"live"}
    assert {each["principal"] for each in permissions} == {"apigateway.amazonaws.com"}


def statements_of(graph: Graph, function: str) -> list[tuple[set[str], set[str]]]:
    statements = graph.policy("RolePolicy", f"{function}-policy")
    pairs = [(set(each["Action"]), set(each["Resource"])) for each in statements]
    return [(actions, on) for actions, on in pairs if all(action.startswith("dynamodb:") for action in actions)]


def table_arn(role: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev-{role}"


def test_functions_have_only_the_table_permissions_that_their_operations_need(api: Graph) -> None:
    assert statements_of(api, "users-api") == [({"dynamodb:PutItem", "dynamodb:GetItem"}, {table_arn("users")})]
    assert statements_of(api, "orders-api") == [
        ({"dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}, {table_arn("orders")}),
        ({"dynamodb:Query"}, {f"{table_arn('orders')}/index/by-user"}),
        ({"dynamodb:UpdateItem"}, {table_arn("inventory")}),
    ]


def test_functions_get_their_tables_and_cors_origins_as_environment_variables() -> None:
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


def test_process_route_starts_the_express_machine_with_its_own_role(api: Graph) -> None:
    integration = route_of(api, "processOrder").integration
    assert integration["type"] == "aws"
    assert integration["uri"] == f"arn:aws:apigateway:{REGION}:states:action/StartSyncExecution"
    assert integration["httpMethod"] == "POST"
    assert integration["passthroughBehavior"] == "never"
    assert integration["timeoutInMillis"] == 29_000
    role = api.one("aws:iam/role:Role", "rest-api-process-order-role")
    assert integration["credentials"] == role.state["arn"]
    assert api.policy("RolePolicy", "rest-api-process-order-policy") == [
        {"Effect": "Allow", "Action": ["states:StartSyncExecution"], "Resource": [MACHINE]}
    ]


@pytest.mark.parametrize("role", ["rest-api-process-order-role", "rest-api-log-role"])
def test_each_role_of_the_rest_api_trusts_api_gateway_only_for_this_account(role: str) -> None:
    graph = record_rest_api(owns_account_log_role=True)
    assert graph.policy("aws:iam/role:Role", role, "assumeRolePolicy") == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
        }
    ]


def test_status_of_the_step_functions_response_selects_the_integration_response(api: Graph) -> None:
    process = route_of(api, "processOrder")
    answers = process.integration["responses"]
    assert {pattern: each["statusCode"] for pattern, each in answers.items()} == {
        "200": "200",
        "4\\d{2}": "429",
        "504": "504",
        "default": "500",
    }
    assert set(process.operation["responses"]) == {"200", "429", "500", "504"}, (
        "the document must declare each status of the integration responses"
    )


def test_only_routes_with_fixed_responses_require_no_token(api: Graph) -> None:
    open_ = [each for each in routes_of(api, REST).values() if not each.operation.get("security")]
    assert {each.method for each in open_} == {"OPTIONS", "ANY"}
    assert all(each.is_fixed and "uri" not in each.integration for each in open_)


@pytest.mark.parametrize("name", ["ANY /", "ANY /{proxy+}"])
def test_unknown_routes_return_404(api: Graph, name: str) -> None:
    integration = routes_of(api, REST)[name].integration
    for kind in ("application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        assert json.loads(integration["requestTemplates"][kind]) == {"statusCode": 404}, (
            "a content type without a template would get 415"
        )
    # With any other `passthroughBehavior`, API Gateway would pass a request body without a matching template to the
    # mock integration. The body could choose the status of the response, or cause a 500.
    assert integration["passthroughBehavior"] == "never"
    answer = integration["responses"]["default"]
    assert answer["statusCode"] == "404"
    assert json.loads(answer["responseTemplates"]["application/json"])["code"] == "NotFound"


@pytest.mark.parametrize("path", PATHS)
def test_preflight_response_lists_the_methods_of_its_path(api: Graph, path: str) -> None:
    preflight = routes_of(api, REST)[f"OPTIONS {path}"]
    answer = preflight.integration["responses"]["default"]
    methods = sorted(each.method for each in OPERATIONS.values() if each.path == path)
    assert answer["statusCode"] == "200"
    assert answer["responseParameters"] == {
        "method.response.header.Access-Control-Allow-Origin": f"'{ORIGIN}'",
        "method.response.header.Access-Control-Allow-Methods": f"'{','.join([*methods, 'OPTIONS'])}'",
        "method.response.header.Access-Control-Allow-Headers": "'Authorization,Content-Type,Idempotency-Key'",
        "method.response.header.Access-Control-Max-Age": "'3600'",
        "method.response.header.Vary": "'Origin'",
    }


def test_every_header_that_a_response_sets_is_declared() -> None:
    graph = record_rest_api(cors_origins=list(ORIGINS))
    allow_origin = "method.response.header.Access-Control-Allow-Origin"
    for route in routes_of(graph, REST).values():
        for answer in route.integration.get("responses", {}).values():
            headers = route.operation["responses"][answer["statusCode"]]["headers"]
            declared = {f"method.response.header.{name}" for name in headers}
            template = answer["responseTemplates"]["application/json"]
            overridden = {
                f"method.response.header.{name}" for name in re.findall(r"Override\.header\.([\w-]+)", template)
            }
            assert allow_origin in overridden, route.name
            assert declared == {*answer["responseParameters"], *overridden}, route.name
            assert allow_origin not in answer["responseParameters"], (
                "with several allowed origins, the header must not have a fixed value"
            )


def test_rest_api_component_has_the_outputs_that_the_stack_uses(api: Graph) -> None:
    assert api.outputs == {
        "url": f"https://rest-api-id.execute-api.{REGION}.amazonaws.com/dev",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:rest-api-id",
        "accessLogGroupName": "/aws/apigateway/orders-dev-rest-api",
        "restApiId": "rest-api-id",
        "stageName": "dev",
        "functions": {source: f"orders-dev-{source.replace('_', '-')}" for source in api.outputs["functions"]},
    }


@pytest.mark.parametrize("record", [record_rest_api, record_http_api])
def test_resources_have_tags_and_components_register_their_outputs(record: Any) -> None:
    graph = record()
    for kind in ("RestApi", "Api", "Stage", "LogGroup", "Role", "WebAcl"):
        for resource in graph.of(kind):
            if resource.custom:
                assert {"Project", "Stack", "Component"} <= set(resource.inputs["tags"]), resource.name
    components = {each.urn for each in graph.resources if not each.custom}
    assert components <= graph.components_with_outputs


def test_first_preview_registers_all_resources_of_the_rest_api(api: Graph) -> None:
    names = {(each.type, each.name) for each in api.resources}
    assert {(each.type, each.name) for each in record_rest_api(unknown=True).resources} == names


@pytest.mark.parametrize("origin", ["*", "https://a.example.com/", "https://a.example.com'", "", "https://$x"])
def test_cors_origin_that_is_not_exact_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="CORS origins"):
        record_rest_api(cors_origins=[ORIGIN, origin])


def test_timeout_above_the_gateways_limit_is_refused() -> None:
    message = "timeout of orders_api: got 29 s; allowed: at most 28 s, because API Gateway stops waiting after 29 s; "
    with pytest.raises(TimeLimitError, match=message):
        record_rest_api(context=context(overrides={"orders_api": FunctionOverride(timeout_s=29)}))


def test_operation_without_a_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("rest-api.yaml")
    contract["paths"]["/orders"]["get"]["operationId"] = "findOrders"
    serve_document(monkeypatch, contract)
    message = (
        r"no function handles the operations \['findOrders'\], and the document lacks the operations \['listOrders'"
    )
    with pytest.raises(ValueError, match=message):
        record_rest_api()


def test_finding_the_function_of_an_unknown_operation_raises_an_error() -> None:
    with pytest.raises(ValueError, match="operation 'findOrders': no function handles it"):
        routes.function_of("findOrders")


def test_two_security_schemes_for_one_operation_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = openapi.load("rest-api.yaml")
    contract["paths"]["/orders"]["get"]["security"] = [{"userPoolIdToken": []}, {"apiKey": []}]
    serve_document(monkeypatch, contract)
    with pytest.raises(ValueError, match="listOrders: got 2 security schemes"):
        record_rest_api()


def test_function_that_the_api_does_not_declare_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {**routes._ANSWERED_BY[routes.REST_API], "listOrders": "send_email"}  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(routes, "_ANSWERED_BY", {routes.REST_API: answers})
    with pytest.raises(ValueError, match=r"operations of rest-api.yaml use \['send_email'\]; the API has only"):
        record_rest_api()
