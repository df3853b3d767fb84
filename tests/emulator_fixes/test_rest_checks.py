import json
from typing import Any

import pytest

from local.client import Client
from tests.local.cloud import Cloud, log_group, unique
from tests.local.rest import RestApi

ECHO = """
    import json
    def handle(event, context):
        claims = (event["requestContext"].get("authorizer") or {}).get("claims")
        return {"statusCode": 200, "body": json.dumps({"id": event["requestContext"]["requestId"], "claims": claims})}
"""
SCHEMA = json.dumps({"type": "object", "required": ["name"]})


@pytest.fixture
def validated(cloud: Cloud) -> RestApi:
    """A REST API with customized gateway responses. POST /things requires a JSON body with the field `name`."""
    api = RestApi.make(cloud)
    api.call("create_model", name="Thing", contentType="application/json", schema=SCHEMA)
    validator = api.call("create_request_validator", name="v", validateRequestBody=True, validateRequestParameters=True)
    api.proxy(
        "things",
        "POST",
        cloud.function(ECHO),
        requestModels={"application/json": "Thing"},
        requestValidatorId=validator["id"],
    )
    for kind, status in (("DEFAULT_4XX", None), ("DEFAULT_5XX", None), ("REQUEST_TOO_LARGE", "413")):
        body = f'{{"code": "{kind}", "message": $context.error.messageString}}'
        api.call(
            "put_gateway_response",
            responseType=kind,
            statusCode=status,
            responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'https://a.example.com'"},
            responseTemplates={"application/json": body},
        )
    api.deploy()
    return api


def test_invalid_body_gets_400_with_the_customized_gateway_response(validated: RestApi) -> None:
    answer = validated.send("POST", "things", {"other": 1})

    assert answer.status == 400
    assert answer.json() == {"code": "DEFAULT_4XX", "message": "Invalid request body"}
    assert answer.headers["access-control-allow-origin"] == "https://a.example.com"


def test_body_without_a_model_for_its_content_type_is_not_validated(validated: RestApi) -> None:
    assert validated.send("POST", "things", "other", Content_Type="text/plain").status == 200


def test_body_above_the_size_limit_gets_413(validated: RestApi) -> None:
    answer = validated.send("POST", "things", {"name": "x" * 10 * 1024 * 1024})

    assert (answer.status, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE")


def test_failed_function_gets_502_with_the_customized_gateway_response(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    api.proxy("broken", "GET", cloud.function("def handle(event, context): raise ValueError('secret')"))
    template = {"application/json": '{"code": "InternalError"}'}
    api.call("put_gateway_response", responseType="DEFAULT_5XX", responseTemplates=template)
    api.deploy()

    answer = api.send("GET", "broken")
    assert (answer.status, answer.json()) == (502, {"code": "InternalError"})


def test_function_and_client_get_the_same_request_id(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    function = cloud.function(
        "def handle(event, context): print('id', event['requestContext']['requestId']); raise ValueError"
    )
    api.proxy("broken", "GET", function)
    api.deploy()

    answer = api.send("GET", "broken")
    assert cloud.log(log_group(function), f"id {answer.headers['x-amzn-requestid']}")


@pytest.fixture
def secured(cloud: Cloud) -> tuple[RestApi, Client]:
    """A REST API with three protected methods, and a client for a user who can sign in.

    GET /mine requires an ID token, GET /ours requires an ID token of another app client, and GET /scoped requires an
    access token.
    """
    pool = cloud("cognito-idp", "create_user_pool", PoolName=unique("pool"))["UserPool"]
    made = cloud(
        "cognito-idp",
        "create_user_pool_client",
        UserPoolId=pool["Id"],
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    cloud("cognito-idp", "admin_create_user", UserPoolId=pool["Id"], Username="somebody")
    cloud(
        "cognito-idp",
        "admin_set_user_password",
        UserPoolId=pool["Id"],
        Username="somebody",
        Password="Aa1-aaaaaaaa",
        Permanent=True,
    )
    for group in ("staff", "admin"):
        place = {"UserPoolId": pool["Id"], "GroupName": group}
        cloud("cognito-idp", "create_group", **place)
        cloud("cognito-idp", "admin_add_user_to_group", **place, Username="somebody")
    api = RestApi.make(cloud)

    def with_token(client_id: str) -> dict[str, Any]:
        authorizer = api.call(
            "create_authorizer",
            name=client_id,
            type="COGNITO_USER_POOLS",
            providerARNs=[pool["Arn"]],
            identitySource="method.request.header.Authorization",
            **({"identityValidationExpression": f"^{client_id}$"} if client_id else {}),
        )["id"]
        return {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer}

    function = cloud.function(ECHO)
    api.proxy("mine", "GET", function, **with_token(made["ClientId"]))
    api.proxy("ours", "GET", function, **with_token("another"))
    api.proxy("scoped", "GET", function, **with_token(""), authorizationScopes=["aws.cognito.signin.user.admin"])
    api.deploy()
    return api, Client({"auth": {"userPoolClientId": made["ClientId"]}}, cloud.instance.url)


def test_method_without_scopes_accepts_only_id_tokens(secured: tuple[RestApi, Client]) -> None:
    api, client = secured
    tokens = client.sign_in("somebody", "Aa1-aaaaaaaa")

    assert api.send("GET", "mine", Authorization=tokens.id_token).status == 200
    assert api.send("GET", "mine", Authorization=f"Bearer {tokens.id_token}").status == 200
    assert api.send("GET", "mine", Authorization=tokens.access_token).status == 401


def test_list_in_a_claim_is_joined_with_commas(secured: tuple[RestApi, Client]) -> None:
    api, client = secured
    answer = api.send("GET", "mine", Authorization=client.sign_in("somebody", "Aa1-aaaaaaaa").id_token)

    assert set(answer.json()["claims"]["cognito:groups"].split(",")) == {"staff", "admin"}


def test_method_refuses_tokens_of_another_app_client(secured: tuple[RestApi, Client]) -> None:
    api, client = secured
    assert api.send("GET", "ours", Authorization=client.sign_in("somebody", "Aa1-aaaaaaaa").id_token).status == 401


def test_method_with_scopes_accepts_only_access_tokens(secured: tuple[RestApi, Client]) -> None:
    api, client = secured
    tokens = client.sign_in("somebody", "Aa1-aaaaaaaa")

    assert api.send("GET", "scoped", Authorization=tokens.access_token).status == 200
    assert api.send("GET", "scoped", Authorization=tokens.id_token).status == 401


def test_token_with_a_wrong_signature_gets_401(secured: tuple[RestApi, Client]) -> None:
    api, client = secured
    head, body, signature = client.sign_in("somebody", "Aa1-aaaaaaaa").id_token.split(".")

    assert api.send("GET", "mine", Authorization=f"{head}.{body}.{signature[::-1]}").status == 401
