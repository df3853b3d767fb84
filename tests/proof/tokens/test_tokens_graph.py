"""The settings in the resource graph let no caller in without the right token.

These tests also cover settings that have no effect on the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proof.plugin import Proof
from tests.proof.tokens.graph import changed, open_doors, with_another
from tests.proof.tokens.routes import routes
from tests.support.bodies import HTTP, REST, altered
from tests.support.graph import Graph

pytestmark = pytest.mark.attack("wrong-tokens")

METHOD, ROUTE = "aws:apigateway/method:Method", "aws:apigatewayv2/route:Route"
CLIENT, PERMISSION = "aws:cognito/userPoolClient:UserPoolClient", "aws:lambda/permission:Permission"
ANOTHER_POOL = "arn:aws:cognito-idp:ap-northeast-1:123456789012:userpool/another"
TOKEN_UNITS = {"accessToken": "days", "idToken": "minutes", "refreshToken": "days"}


def test_no_stack_lets_callers_in_without_the_right_token(graph: Graph, proof: Proof) -> None:
    """Checks the authorizer of every method and route, its audience, issuer and scopes, and the lifetime of tokens."""
    found = open_doors(graph)
    proof.tried(routes_in_graphs=len(routes()))
    proof.found(open_doors=len(found))
    assert found == []


def asks(route: str, security: Any) -> Callable[[Any], None]:
    """Return a function that sets a route's security requirements in an OpenAPI document."""
    method, path = route.split()

    def alter(document: Any) -> None:
        document["paths"][path][method.lower()]["security"] = security

    return alter


def authorizer(**fields: Any) -> Callable[[Any], None]:
    """Return a function that changes `fields` of the authorizers in an OpenAPI document. None removes a field."""

    def alter(document: Any) -> None:
        for scheme in document["components"]["securitySchemes"].values():
            changed = {**scheme["x-amazon-apigateway-authorizer"], **fields}
            kept = {key: value for key, value in changed.items() if value is not None}
            scheme["x-amazon-apigateway-authorizer"] = kept

    return alter


def scheme(**fields: Any) -> Callable[[Any], None]:
    """Return a function that changes `fields` of the security schemes in an OpenAPI document."""

    def alter(document: Any) -> None:
        for each in document["components"]["securitySchemes"].values():
            each.update(fields)

    return alter


def answered(route: str) -> Callable[[Any], None]:
    """Return a function that changes an OpenAPI document so that `route` no longer returns a fixed response."""
    method, path = route.split()

    def alter(document: Any) -> None:
        document["paths"][path][method]["x-amazon-apigateway-integration"]["type"] = "aws_proxy"

    return alter


ANY = "x-amazon-apigateway-any-method"
ALTERED: dict[str, tuple[tuple[str, str], Callable[[Any], None]]] = {
    "a REST method without its authorizer": (REST, asks("GET /orders/{order_id}", [])),
    "a REST method without its own security requirement": (REST, asks("GET /orders/{order_id}", None)),
    "a REST method with another authorizer": (REST, asks("POST /users", [{"other": []}])),
    "a REST method with scopes": (REST, asks("POST /process", [{"userPoolIdToken": ["email"]}])),
    "a function that receives preflight requests": (REST, answered("options /orders")),
    "a function that receives requests to unknown routes": (REST, answered(f"{ANY} /{{proxy+}}")),
    "a REST API that accepts all app clients of the pool": (REST, authorizer(identityValidationExpression=None)),
    "a REST API that accepts the tokens of another pool": (REST, authorizer(providerARNs=[ANOTHER_POOL])),
    "a REST API that reads the token from the query": (
        REST,
        authorizer(identitySource="method.request.querystring.token"),
    ),
    "a REST API that reads the token from another header": (REST, scheme(name="X-Token")),
    "a route without its authorizer": (HTTP, asks("PUT /products/{product_id}", [])),
    "a route without its scope": (HTTP, asks("GET /products/{product_id}", [{"userPoolAccessToken": []}])),
    "a route with an additional scope": (HTTP, asks("GET /products", [{"userPoolAccessToken": ["email", "openid"]}])),
    "an HTTP API that accepts all app clients": (HTTP, authorizer(jwtConfiguration={"issuer": "x", "audience": []})),
    "an HTTP API that reads the token from the query": (HTTP, authorizer(identitySource="$request.querystring.token")),
}
MUTATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "access tokens that are valid for a day": (CLIENT, "identity-client", {"tokenValidityUnits": TOKEN_UNITS}),
    "no revocation": (CLIENT, "identity-client", {"enableTokenRevocation": False}),
    "the implicit flow": (CLIENT, "identity-client", {"allowedOauthFlows": ["code", "implicit"]}),
    "a function that anybody may invoke": (PERMISSION, "orders-api-rest-api-orders", {"principal": "*"}),
    "a function that every API may invoke": (PERMISSION, "orders-api-rest-api-orders", {"sourceArn": None}),
    "a function that every path of the API may invoke": (
        PERMISSION,
        "orders-api-rest-api-orders",
        {"sourceArn": "arn:aws:execute-api:ap-northeast-1:123456789012:rest-api-id/prod/*"},
    ),
}


@pytest.mark.parametrize(("api", "alter"), ALTERED.values(), ids=ALTERED)
def test_check_detects_an_insecure_openapi_document(
    graph_of: Callable[[str], Graph], api: tuple[str, str], alter: Callable[[Any], None], proof: Proof
) -> None:
    assert open_doors(altered(graph_of("prod"), api, alter))
    proof.tried(doors_opened_on_purpose=1)


@pytest.mark.parametrize(("kind", "name", "inputs"), MUTATIONS.values(), ids=MUTATIONS)
def test_check_detects_an_insecure_resource(
    graph_of: Callable[[str], Graph], kind: str, name: str, inputs: dict[str, Any], proof: Proof
) -> None:
    assert open_doors(changed(graph_of("prod"), kind, name, **inputs))
    proof.tried(doors_opened_on_purpose=1)


def test_check_detects_undocumented_routes_and_function_urls(graph_of: Callable[[str], Graph]) -> None:
    prod = graph_of("prod")
    assert open_doors(with_another(prod, ROUTE, "default", routeKey="$default", authorizationType="NONE"))
    assert open_doors(with_another(prod, METHOD, "get", httpMethod="GET", authorization="NONE"))
    assert open_doors(with_another(prod, "aws:lambda/functionUrl:FunctionUrl", "url", authorizationType="NONE"))

    def another(document: Any) -> None:
        document["paths"]["/internal"] = {"get": {**document["paths"]["/products"]["get"], "security": []}}

    assert open_doors(altered(prod, HTTP, another))
