"""S3 on the graph: what the emulator lets through and AWS does not, or would and may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proof.plugin import Proof
from tests.proof.tokens_graph import changed, open_doors, with_another
from tests.proof.tokens_routes import routes
from tests.support.graph import Graph

pytestmark = pytest.mark.attack("S3")

METHOD, ROUTE = "aws:apigateway/method:Method", "aws:apigatewayv2/route:Route"
REST_AUTHORIZER, JWT = "aws:apigateway/authorizer:Authorizer", "aws:apigatewayv2/authorizer:Authorizer"
CLIENT, PERMISSION = "aws:cognito/userPoolClient:UserPoolClient", "aws:lambda/permission:Permission"
ANOTHER_POOL = "arn:aws:cognito-idp:ap-northeast-1:123456789012:userpool/another"
TOKEN_UNITS = {"accessToken": "days", "idToken": "minutes", "refreshToken": "days"}


def test_no_stack_has_an_open_door(graph: Graph, proof: Proof) -> None:
    """The authorizer of every method and route, its audience, issuer and scopes, and how long tokens are valid."""
    found = open_doors(graph)
    proof.tried(routes_in_graphs=len(routes()))
    proof.found(open_doors=len(found))
    assert found == []


MUTATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a REST method without its authorizer": (METHOD, "rest-api-get-order", {"authorization": "NONE"}),
    "a REST method with another authorizer": (METHOD, "rest-api-create-user", {"authorizerId": "other"}),
    "a REST method with scopes": (METHOD, "rest-api-process-order", {"authorizationScopes": ["email"]}),
    "a REST API for the whole pool": (REST_AUTHORIZER, "rest-api-authorizer", {"identityValidationExpression": None}),
    "a REST API for another pool": (REST_AUTHORIZER, "rest-api-authorizer", {"providerArns": [ANOTHER_POOL]}),
    "a token in the query": (
        REST_AUTHORIZER,
        "rest-api-authorizer",
        {"identitySource": "method.request.querystring.token"},
    ),
    "a route without its authorizer": (ROUTE, "http-api-put-product", {"authorizationType": "NONE"}),
    "a route without its scope": (ROUTE, "http-api-get-product", {"authorizationScopes": None}),
    "a route with one scope more": (ROUTE, "http-api-list-products", {"authorizationScopes": ["email", "openid"]}),
    "an API for all clients": (JWT, "http-api-authorizer", {"jwtConfiguration": {"issuer": "x", "audiences": []}}),
    "access tokens for a day": (CLIENT, "identity-client", {"tokenValidityUnits": TOKEN_UNITS}),
    "no revocation": (CLIENT, "identity-client", {"enableTokenRevocation": False}),
    "the implicit flow": (CLIENT, "identity-client", {"allowedOauthFlows": ["code", "implicit"]}),
    "a function for anybody": (PERMISSION, "orders-api-rest-api-get-order", {"principal": "*"}),
    "a function for every API": (PERMISSION, "orders-api-rest-api-get-order", {"sourceArn": None}),
}


@pytest.mark.parametrize(("kind", "name", "inputs"), MUTATIONS.values(), ids=MUTATIONS)
def test_each_open_door_is_seen(
    graph_of: Callable[[str], Graph], kind: str, name: str, inputs: dict[str, Any], proof: Proof
) -> None:
    assert open_doors(changed(graph_of("prod"), kind, name, **inputs))
    proof.tried(doors_opened_on_purpose=1)


def test_a_route_and_a_url_that_nobody_documented_are_seen(graph_of: Callable[[str], Graph]) -> None:
    prod = graph_of("prod")
    assert open_doors(with_another(prod, ROUTE, "default", routeKey="$default", authorizationType="NONE"))
    assert open_doors(with_another(prod, "aws:lambda/functionUrl:FunctionUrl", "url", authorizationType="NONE"))
