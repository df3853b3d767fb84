"""Tests of how the changes between two OpenAPI documents are described."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from operations.api_document import changes, routes

SECURED: dict[str, Any] = {
    "operationId": "x",
    "security": [{"token": []}],
    "x-amazon-apigateway-integration": {"type": "aws_proxy"},
}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}}
PREFLIGHT = {"x-amazon-apigateway-integration": {"type": "mock", "headers": "POST"}}
DOCUMENT: dict[str, Any] = {
    "info": {"title": "orders"},
    "paths": {
        "/orders": {"post": {**SECURED, "requestBody": BODY}, "options": PREFLIGHT},
        "/orders/{order_id}": {"get": {**SECURED, "parameters": [{"name": "order_id"}]}},
        "/": {"x-amazon-apigateway-any-method": PREFLIGHT},
    },
    "components": {"schemas": {"New": {"type": "object"}}, "securitySchemes": {"token": {"type": "apiKey"}}},
    "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": "429"}},
}


def added(new: Any) -> None:
    new["paths"]["/orders/{order_id}/events"] = {"get": SECURED, "options": PREFLIGHT}


def removed(new: Any) -> None:
    del new["paths"]["/orders/{order_id}"]


def renamed(new: Any) -> None:
    new["paths"]["/orders/{id}"] = {"get": {**SECURED, "parameters": [{"name": "id"}]}}
    del new["paths"]["/orders/{order_id}"]


def opened(new: Any) -> None:
    new["paths"]["/orders"]["post"]["security"] = []


def moved(new: Any) -> None:
    new["paths"]["/orders"]["post"]["x-amazon-apigateway-integration"] = {"type": "aws"}


def narrowed(new: Any) -> None:
    new["components"]["schemas"]["New"]["maxItems"] = 1


def preflight(new: Any) -> None:
    new["paths"]["/orders"]["options"] = {"x-amazon-apigateway-integration": {"type": "mock", "headers": "PUT"}}


def around(new: Any) -> None:
    new["info"]["title"] = "other"
    new["components"]["securitySchemes"]["token"]["name"] = "X"
    new["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["statusCode"] = "503"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (added, ["+ GET /orders/{order_id}/events"]),
        (removed, ["- GET /orders/{order_id}"]),
        (renamed, ["~ GET /orders/{id}: path parameter order_id is now id"]),
        (opened, ["~ POST /orders: token"]),
        (moved, ["~ POST /orders: integration"]),
        (narrowed, ["~ POST /orders: body schema", "~ models: New"]),
        (preflight, []),
        (around, ["~ authorizers: token", "~ gateway responses: THROTTLED", "~ info"]),
    ],
)
def test_changes_between_two_documents_are_described(change: Callable[[Any], None], told: list[str]) -> None:
    new = copy.deepcopy(DOCUMENT)
    change(new)
    assert changes(DOCUMENT, new) == told


def test_name_of_a_route_consists_of_its_method_and_path() -> None:
    assert {route.name for route in routes(DOCUMENT)} == {
        "POST /orders",
        "OPTIONS /orders",
        "GET /orders/{order_id}",
        "ANY /",
    }
    assert {route.name for route in routes(DOCUMENT) if route.is_fixed} == {"OPTIONS /orders", "ANY /"}
