"""Who is let in, read from the resource graph: what the emulator does not enforce as AWS does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.apis.rest_routes import kebab
from components.aws import openapi
from tests.support.graph import Graph, Resource

LONGEST_TOKEN_MIN: Final = 60
"""A token of somebody who was deleted, disabled, signed out or put out of group `admin` is taken until it expires."""
_REST: Final = "aws:apigateway/"
_HTTP: Final = "aws:apigatewayv2/"


def open_doors(graph: Graph) -> list[str]:
    """Return what lets somebody in who should not be."""
    return [*_rest(graph), *_http(graph), *_pool(graph), *_side_doors(graph)]


def changed(graph: Graph, kind: str, name: str, **inputs: Any) -> Graph:
    """Return the graph with some inputs of one resource replaced; None removes one."""
    resource = graph.one(kind, name)
    changed = {key: value for key, value in {**resource.inputs, **inputs}.items() if value is not None}
    resources = [dataclasses.replace(r, inputs=changed) if r is resource else r for r in graph.resources]
    return dataclasses.replace(graph, resources=resources)


def with_another(graph: Graph, kind: str, name: str, **inputs: Any) -> Graph:
    """Return the graph with one more resource: a copy of a resource of this type, with other inputs."""
    first = next(r for r in graph.resources if r.custom)
    return dataclasses.replace(
        graph, resources=[*graph.resources, dataclasses.replace(first, type=kind, name=name, inputs=inputs)]
    )


def _rest(graph: Graph) -> Iterator[str]:
    methods = {each.name: each.inputs for each in graph.of(f"{_REST}method:Method")}
    for operation in openapi.operations(openapi.load("rest-api.yaml")):
        inputs = methods.get(f"rest-api-{kebab(operation.operation_id)}", {})
        if (inputs.get("authorization"), inputs.get("authorizerId")) != (
            "COGNITO_USER_POOLS",
            "rest-api-authorizer-id",
        ):
            yield f"{operation.operation_id} asks for no token"
        if inputs.get("authorizationScopes"):
            yield f"{operation.operation_id} takes access tokens"
    backends = {
        (each.inputs["resourceId"], each.inputs["httpMethod"]): each.inputs["type"]
        for each in graph.of(f"{_REST}integration:Integration")
    }
    for name, inputs in methods.items():
        if inputs["authorization"] == "NONE" and backends[inputs["resourceId"], inputs["httpMethod"]] != "MOCK":
            yield f"{name} has a backend and asks for no token"
    auth = graph.outputs["frontend"]["auth"]
    for each in graph.of(f"{_REST}authorizer:Authorizer"):
        if (each.inputs["type"], each.inputs["identitySource"]) != (
            "COGNITO_USER_POOLS",
            "method.request.header.Authorization",
        ):
            yield f"{each.name} looks elsewhere for something else"
        if [arn.rpartition("/")[2] for arn in each.inputs["providerArns"]] != [auth["userPoolId"]]:
            yield f"{each.name} takes tokens of another user pool"
        if each.inputs.get("identityValidationExpression") != f"^{auth['userPoolClientId']}$":
            yield f"{each.name} takes tokens of another app client"


def _http(graph: Graph) -> Iterator[str]:
    known = {
        f"{operation.method} {operation.path}": operation
        for operation in openapi.operations(openapi.load("http-api.yaml"))
    }
    routes = {each.inputs["routeKey"]: each.inputs for each in graph.of(f"{_HTTP}route:Route")}
    yield from (f"{key} is not in the document" for key in routes.keys() - known.keys())
    for key, operation in known.items():
        inputs = routes.get(key, {})
        if (inputs.get("authorizationType"), inputs.get("authorizerId")) != ("JWT", "http-api-authorizer-id"):
            yield f"{operation.operation_id} asks for no token"
        if not operation.scopes or inputs.get("authorizationScopes") != list(operation.scopes):
            yield f"{operation.operation_id} takes tokens without its scope"
    auth = graph.outputs["frontend"]["auth"]
    for each in graph.of(f"{_HTTP}authorizer:Authorizer"):
        wanted = {"issuer": auth["issuer"], "audiences": [auth["userPoolClientId"]]}
        if each.inputs["authorizerType"] != "JWT" or each.inputs.get("jwtConfiguration") != wanted:
            yield f"{each.name} takes tokens of another issuer or app client"
        if each.inputs["identitySources"] != ["$request.header.Authorization"]:
            yield f"{each.name} looks elsewhere for tokens"


def _pool(graph: Graph) -> Iterator[str]:
    minutes: Mapping[str, float] = {"seconds": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}
    for client in _custom(graph, "aws:cognito/userPoolClient:UserPoolClient"):
        inputs = client.inputs
        for kind in ("access", "id"):
            valid = inputs[f"{kind}TokenValidity"] * minutes[inputs["tokenValidityUnits"][f"{kind}Token"]]
            if valid > LONGEST_TOKEN_MIN:
                yield f"{client.name}: {kind} tokens are valid for {valid:.0f} minutes"
        if not inputs["enableTokenRevocation"]:
            yield f"{client.name}: who signed out can go on with the refresh token"
        if inputs["allowedOauthFlows"] != ["code"]:
            yield f"{client.name}: tokens in URLs"
        if others := [flow for flow in inputs["explicitAuthFlows"] if "ADMIN" in flow or "CUSTOM" in flow]:
            yield f"{client.name}: {others}"


def _side_doors(graph: Graph) -> Iterator[str]:
    """Yield ways to a function that are no route of an API."""
    yield from (f"{each.name} is a URL of a function" for each in graph.of("FunctionUrl"))
    for each in graph.of("Permission"):
        service, source = each.inputs["principal"], each.inputs.get("sourceArn", "")
        if service not in ("apigateway.amazonaws.com", "events.amazonaws.com") or not source or source.endswith("/*/*"):
            yield f"{each.name} lets {service} call for {source or 'anybody'}"


def _custom(graph: Graph, kind: str) -> list[Resource]:
    return [each for each in graph.of(kind) if each.custom]
