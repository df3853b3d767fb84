import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.aws import CallError
from tests.local.cloud import Cloud
from tests.local.rest import RestApi

JSON = "application/json"
ANY = "x-amazon-apigateway-any-method"
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def mock(status: int, text: str, **more: Any) -> dict[str, Any]:
    """Return an operation whose mock integration always responds with `status` and `text`."""
    answer = {
        "statusCode": str(status),
        "responseParameters": {"method.response.header.X-From": "'the gateway'"},
        "responseTemplates": {JSON: text},
    }
    return {
        "responses": {str(status): {"description": "", "headers": {"X-From": {"schema": {"type": "string"}}}}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "never",
            "requestTemplates": {JSON: json.dumps({"statusCode": status})},
            "responses": {"default": answer},
        },
        **more,
    }


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "imported", "version": "1"}, "paths": paths, **more}


def put(api: RestApi, imported: dict[str, Any], **more: str) -> dict[str, Any]:
    return api.call("put_rest_api", **{"mode": "overwrite", "body": json.dumps(imported).encode(), **more})


@pytest.fixture
def api(cloud: Cloud) -> RestApi:
    return RestApi.make(cloud)


def test_import_creates_a_rest_api_from_an_openapi_document(api: RestApi) -> None:
    put(api, document({"/things/{id}": {"get": mock(200, "$input.params('id')")}, "/": {ANY: mock(404, "no")}}))
    api.deploy()

    answer = api.send("GET", "things/7")
    assert (answer.status, answer.text, answer.headers["x-from"]) == (200, "7", "the gateway")
    assert (api.send("POST", "").status, api.send("GET", "others").status) == (404, 403)
    assert api.call("get_rest_api")["name"] == "imported"


def test_imported_api_validates_requests_and_customizes_error_responses(api: RestApi) -> None:
    checked: dict[str, Any] = {
        "x-amazon-apigateway-request-validator": "all",
        "parameters": [{"name": "since", "in": "query", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Named"}}}},
    }
    checks = {"validateRequestBody": True, "validateRequestParameters": True}
    refused = {"statusCode": "422", "responseTemplates": {JSON: "refused"}}
    put(
        api,
        document(
            {"/things": {"post": mock(200, "fine", **checked)}},
            components={"schemas": {"Named": NAME}},
            **{
                "x-amazon-apigateway-request-validators": {"all": checks},
                "x-amazon-apigateway-gateway-responses": {"BAD_REQUEST_BODY": refused},
            },
        ),
    )
    api.deploy()

    wrong = api.send("POST", "things?since=1", {"name": 1})
    assert (wrong.status, wrong.text) == (422, "refused")
    assert api.send("POST", "things", {"name": "x"}).status == 400
    assert api.send("POST", "things?since=1", {"name": "x"}).text == "fine"


def test_protected_method_refuses_requests_without_a_token(api: RestApi) -> None:
    pool = api.cloud.arn("cognito-idp", "userpool/ap-northeast-1_none")
    scheme = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [pool]},
    }
    secured = mock(200, "in", security=[{"token": []}])
    put(
        api,
        document(
            {"/in": {"get": secured}, "/out": {"get": mock(200, "out")}},
            components={"securitySchemes": {"token": scheme}},
        ),
    )
    api.deploy()

    assert (api.send("GET", "in").status, api.send("GET", "out").text) == (401, "out")
    (authorizer,) = api.call("get_authorizers")["items"]
    assert (authorizer["name"], authorizer["providerARNs"]) == ("token", [pool])


def test_a_function_answers(api: RestApi) -> None:
    function = api.cloud.function("def handle(event, _):\n return {'statusCode': 200, 'body': event['resource']}")
    api.proxy("things", "GET", function)
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:{api.cloud.region}:lambda:path/2015-03-31/functions/{function}/invocations",
    }
    put(api, document({"/things": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}}))
    api.deploy()

    assert api.send("GET", "things").text == "/things"


def test_import_deletes_parts_of_the_rest_api_that_the_openapi_document_lacks(api: RestApi) -> None:
    put(api, document({"/old": {"get": mock(200, "old"), "put": mock(200, "old")}, "/kept": {"get": mock(200, "a")}}))
    api.deploy()
    put(api, document({"/kept": {"get": mock(200, "b")}, "/new": {"get": mock(200, "new")}}))

    assert [api.send("GET", path).text for path in ("old", "kept")] == ["old", "a"], "the import is not deployed yet"
    api.deploy()
    assert (api.send("GET", "old").status, api.send("PUT", "old").status) == (403, 403)
    assert [api.send("GET", path).text for path in ("kept", "new")] == ["b", "new"]
    assert {each["path"] for each in api.call("get_resources")["items"]} == {"/", "/kept", "/new"}


def test_import_can_rename_a_path_parameter_of_a_rest_api(api: RestApi) -> None:
    put(api, document({"/things/{thing_id}": {"get": mock(200, "$input.params('thing_id')")}}))
    put(api, document({"/things/{id}": {"get": mock(200, "$input.params('id')")}}))
    api.deploy()

    assert api.send("GET", "things/7").text == "7"


def reference(imported: dict[str, Any]) -> None:
    imported["paths"]["/"]["get"]["responses"] = {"200": {"$ref": "#/components/responses/Fine"}}


def unknown_answer(imported: dict[str, Any]) -> None:
    imported["paths"]["/"]["get"]["responses"] = {}


def siblings(imported: dict[str, Any]) -> None:
    imported["paths"] |= {"/a/{x}": {"get": mock(200, "")}, "/a/{y}/b": {"get": mock(200, "")}}


def security(imported: dict[str, Any]) -> None:
    imported["security"] = [{"token": []}]


def scheme(imported: dict[str, Any]) -> None:
    imported["components"] = {"securitySchemes": {"token": {"type": "http", "in": "header", "scheme": "bearer"}}}


def inline_body(imported: dict[str, Any]) -> None:
    imported["components"] = {"schemas": {}}
    imported["paths"]["/"]["get"]["requestBody"] = {"content": {JSON: {"schema": NAME}}}


def model_name(imported: dict[str, Any]) -> None:
    imported["components"] = {"schemas": {"not-alphanumeric": NAME}}


def validator(imported: dict[str, Any]) -> None:
    imported["paths"]["/"]["get"]["x-amazon-apigateway-request-validator"] = "none"


def no_integration(imported: dict[str, Any]) -> None:
    del imported["paths"]["/"]["get"]["x-amazon-apigateway-integration"]


def without_info(imported: dict[str, Any]) -> None:
    del imported["info"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (reference, r"the response 200 of get / has \$ref"),
        (unknown_answer, "`responses` lacks"),
        (siblings, r"A sibling \(\{x\}\) of this resource already has a variable path part -- only one is allowed"),
        (security, "the document has security, which API Gateway ignores"),
        (scheme, "token has scheme"),
        (inline_body, "must be a reference to a model"),
        (model_name, "letters and digits only"),
        (validator, "the request validator none does not exist"),
        (no_integration, "no integration"),
        (without_info, "the document lacks 'info'"),
    ],
)
def test_import_of_a_refused_openapi_document_does_not_change_the_rest_api(
    api: RestApi, spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    good = document({"/": {"get": mock(200, "good")}})
    put(api, good)
    wrong = copy.deepcopy(good)
    wrong["paths"]["/new"] = {"get": mock(200, "new")}
    spoil(wrong)

    with pytest.raises(CallError, match=message):
        put(api, wrong)
    api.deploy()
    assert (api.send("GET", "").text, api.send("GET", "new").status) == ("good", 403)


def test_import_in_merge_mode_is_refused(api: RestApi) -> None:
    with pytest.raises(CallError, match="supports `overwrite` only"):
        put(api, document({}), mode="merge")
