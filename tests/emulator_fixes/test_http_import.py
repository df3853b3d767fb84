import json
from typing import Any

import pytest

from local.aws import CallError
from local.client import Answer, Client
from tests.local.cloud import Cloud, unique

ORIGIN = "https://shop.example.com"
ECHO = "def handle(event, _):\n return {'statusCode': 200, 'body': event['routeKey']}"


class HttpApi:
    """An HTTP API with a stage. The API's Lambda function returns the route key of each request."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.function = cloud, cloud.function(ECHO)
        self.id: str = cloud("apigatewayv2", "create_api", Name=unique("http"), ProtocolType="HTTP")["ApiId"]
        cloud("apigatewayv2", "create_stage", ApiId=self.id, StageName="$default", AutoDeploy=True)
        name, _, qualifier = self.function.partition(":function:")[2].partition(":")
        cloud(
            "lambda",
            "add_permission",
            FunctionName=name,
            Qualifier=qualifier,
            StatementId="http",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=cloud.arn("execute-api", f"{self.id}/*"),
        )

    def operation(self, **more: Any) -> dict[str, Any]:
        uri = f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/{self.function}/invocations"
        integration = {
            "type": "AWS_PROXY",
            "httpMethod": "POST",
            "uri": uri,
            "payloadFormatVersion": "2.0",
            "timeoutInMillis": 5000,
        }
        return {"responses": {}, "x-amazon-apigateway-integration": integration, **more}

    def put(self, paths: dict[str, Any], **more: Any) -> None:
        document = {"openapi": "3.0.3", "info": {"title": "imported", "version": "7"}, "paths": paths, **more}
        self.cloud("apigatewayv2", "reimport_api", ApiId=self.id, Body=json.dumps(document))

    def send(self, method: str, path: str, **headers: str) -> Answer:
        url = f"{self.cloud.instance.url}/_aws/execute-api/{self.id}{path}"
        return Client({}, "").send(method, url, headers=headers)


@pytest.fixture
def api(cloud: Cloud) -> HttpApi:
    return HttpApi(cloud)


def test_import_creates_an_http_api_from_an_openapi_document(api: HttpApi) -> None:
    api.put(
        {"/things/{id}": {"get": api.operation(), "put": api.operation()}},
        tags=[{"name": "Stack", "x-amazon-apigateway-tag-value": "test"}],
        **{"x-amazon-apigateway-cors": {"allowOrigins": [ORIGIN], "allowMethods": ["GET"]}},
    )

    answer = api.send("GET", "/things/7", Origin=ORIGIN)
    assert (answer.status, answer.text) == (200, "GET /things/{id}")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert api.send("DELETE", "/things/7").status == 404
    made = api.cloud("apigatewayv2", "get_api", ApiId=api.id)
    assert (made["Name"], made["Version"], made["Tags"]) == ("imported", "7", {"Stack": "test"})


def test_protected_route_refuses_requests_without_a_token(api: HttpApi) -> None:
    scheme = {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": "https://issuer.example.com", "audience": ["client"]},
        },
    }
    api.put(
        {"/in": {"get": api.operation(security=[{"token": ["email"]}])}, "/out": {"get": api.operation()}},
        components={"securitySchemes": {"token": scheme}},
    )

    assert (api.send("GET", "/in").status, api.send("GET", "/out").status) == (401, 200)
    (secured,) = [
        each
        for each in api.cloud("apigatewayv2", "get_routes", ApiId=api.id)["Items"]
        if each["AuthorizationType"] == "JWT"
    ]
    assert secured["AuthorizationScopes"] == ["email"]


def test_import_deletes_parts_of_the_http_api_that_the_openapi_document_lacks(api: HttpApi) -> None:
    cors = {"x-amazon-apigateway-cors": {"allowOrigins": [ORIGIN], "allowMethods": ["GET"]}}
    api.put({"/old": {"get": api.operation()}}, **cors)
    api.put({"/new": {"get": api.operation()}})

    assert (api.send("GET", "/old").status, api.send("GET", "/new").status) == (404, 200)
    assert "access-control-allow-origin" not in api.send("GET", "/new", Origin=ORIGIN).headers
    assert len(api.cloud("apigatewayv2", "get_integrations", ApiId=api.id)["Items"]) == 1


def test_import_of_a_refused_openapi_document_does_not_change_the_http_api(api: HttpApi) -> None:
    api.put({"/old": {"get": api.operation()}})

    with pytest.raises(CallError, match="token"):
        api.put({"/new": {"get": api.operation(security=[{"token": []}])}})
    with pytest.raises(CallError, match="get /new has requestBody, which API Gateway ignores"):
        api.put({"/new": {"get": api.operation(requestBody={})}})
    assert (api.send("GET", "/old").status, api.send("GET", "/new").status) == (200, 404)
