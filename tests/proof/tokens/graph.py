"""Finds settings in the resource graph that let callers in without the right token.

Requests to the emulator can't test all of these settings, because the emulator doesn't enforce some of them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.aws import openapi
from operations.api_document import Route
from tests.support import bodies
from tests.support.graph import Graph, Resource

LONGEST_TOKEN_MIN: Final = 60
"""The longest allowed lifetime of a token.

A token stays valid until it expires, even if its user was deleted, disabled, signed out or removed from group `admin`.
"""


def open_doors(graph: Graph) -> list[str]:
    """Return a message for each setting in the graph that lets in callers without the right token."""
    return [*_rest(graph), *_http(graph), *_beside(graph), *_pool(graph), *_side_doors(graph)]


def changed(graph: Graph, kind: str, name: str, **inputs: Any) -> Graph:
    """Return a copy of the graph with new `inputs` of the resource `name` of type `kind`. None removes an input."""
    resource = graph.one(kind, name)
    changed = {key: value for key, value in {**resource.inputs, **inputs}.items() if value is not None}
    resources = [dataclasses.replace(r, inputs=changed) if r is resource else r for r in graph.resources]
    return dataclasses.replace(graph, resources=resources)


def with_another(graph: Graph, kind: str, name: str, **inputs: Any) -> Graph:
    """Return a copy of the graph with an additional resource `name` of type `kind`."""
    first = next(r for r in graph.resources if r.custom)
    return dataclasses.replace(
        graph, resources=[*graph.resources, dataclasses.replace(first, type=kind, name=name, inputs=inputs)]
    )


def _rest(graph: Graph) -> Iterator[str]:
    document, found = bodies.document(graph, bodies.REST), bodies.routes_of(graph, bodies.REST)
    schemes = document["components"]["securitySchemes"]
    for operation in openapi.operations(openapi.load("rest-api.yaml")):
        name = f"{operation.method} {operation.path}"
        asked = [each for requirement in _security(found.get(name)) for each in requirement.items()]
        if not asked or any(scheme not in schemes for scheme, _ in asked):
            yield f"{operation.operation_id} requires no token"
        if any(scopes for _, scopes in asked):
            yield f"{operation.operation_id} accepts access tokens, expected ID tokens only"
    for route in found.values():
        if not _security(route) and not route.is_fixed:
            yield f"{route.name} invokes a backend and requires no token"
    auth = graph.outputs["frontend"]["auth"]
    for name, scheme in schemes.items():
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        kinds = {authorizer["type"], scheme["x-amazon-apigateway-authtype"]}
        place = (scheme["type"], scheme["in"], scheme["name"], authorizer.get("identitySource"))
        if kinds != {"cognito_user_pools"} or place != ("apiKey", "header", "Authorization", None):
            yield f"{name} does not read a token from the header Authorization"
        if [arn.rpartition("/")[2] for arn in authorizer["providerARNs"]] != [auth["userPoolId"]]:
            yield f"{name} accepts tokens of another user pool"
        if authorizer.get("identityValidationExpression") != f"^{auth['userPoolClientId']}$":
            yield f"{name} accepts tokens of another app client"


def _http(graph: Graph) -> Iterator[str]:
    document, found = bodies.document(graph, bodies.HTTP), bodies.routes_of(graph, bodies.HTTP)
    schemes = document["components"]["securitySchemes"]
    known = {
        f"{operation.method} {operation.path}": operation
        for operation in openapi.operations(openapi.load("http-api.yaml"))
    }
    yield from (f"{key} is not in the contract http-api.yaml" for key in found.keys() - known.keys())
    for key, operation in known.items():
        asked = [each for requirement in _security(found.get(key)) for each in requirement.items()]
        if not asked or any(scheme not in schemes for scheme, _ in asked):
            yield f"{operation.operation_id} requires no token"
        if not operation.scopes or any(scopes != list(operation.scopes) for _, scopes in asked):
            yield f"{operation.operation_id} accepts tokens without the scope that the contract requires"
    auth = graph.outputs["frontend"]["auth"]
    for name, scheme in schemes.items():
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        wanted = {"issuer": auth["issuer"], "audience": [auth["userPoolClientId"]]}
        if authorizer["type"] != "jwt" or authorizer.get("jwtConfiguration") != wanted:
            yield f"{name} accepts tokens of another issuer or app client"
        if authorizer["identitySource"] != "$request.header.Authorization":
            yield f"{name} does not read tokens from the header Authorization"


def _security(route: Route | None) -> list[dict[str, list[str]]]:
    """Return the route's own security requirements. Those of the whole document don't count: REST APIs ignore them."""
    return [] if route is None else route.operation.get("security") or []


def _beside(graph: Graph) -> Iterator[str]:
    """Yield a message for each route that is defined outside the OpenAPI document of its API."""
    for kind in ("aws:apigateway/method:Method", "aws:apigatewayv2/route:Route"):
        yield from (f"{each.name} is not in the OpenAPI document of its API" for each in graph.of(kind))


def _pool(graph: Graph) -> Iterator[str]:
    minutes: Mapping[str, float] = {"seconds": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}
    for client in _custom(graph, "aws:cognito/userPoolClient:UserPoolClient"):
        inputs = client.inputs
        for kind in ("access", "id"):
            valid = inputs[f"{kind}TokenValidity"] * minutes[inputs["tokenValidityUnits"][f"{kind}Token"]]
            if valid > LONGEST_TOKEN_MIN:
                yield f"{client.name}: {kind} tokens are valid for {valid:.0f} minutes, maximum {LONGEST_TOKEN_MIN}"
        if not inputs["enableTokenRevocation"]:
            yield f"{client.name}: token revocation is off, so refresh tokens stay valid after sign-out"
        if inputs["allowedOauthFlows"] != ["code"]:
            yield f"{client.name}: only the OAuth flow `code` is allowed; the implicit flow puts tokens into URLs"
        if others := [flow for flow in inputs["explicitAuthFlows"] if "ADMIN" in flow or "CUSTOM" in flow]:
            yield f"{client.name}: sign-in flows that are not allowed: {others}"


def _side_doors(graph: Graph) -> Iterator[str]:
    """Yield a message for each resource through which callers can invoke a function without a route of an API."""
    yield from (f"{each.name} is a function URL, which no API protects" for each in graph.of("FunctionUrl"))
    for each in graph.of("Permission"):
        service, source = each.inputs["principal"], each.inputs.get("sourceArn", "")
        any_path = re.search(r":execute-api:.*/[*]$", source)
        if service not in ("apigateway.amazonaws.com", "events.amazonaws.com") or not source or any_path:
            yield f"{each.name} lets {service} invoke its function from {source or 'any source'}"


def _custom(graph: Graph, kind: str) -> list[Resource]:
    return [each for each in graph.of(kind) if each.custom]
