"""Helpers that read and change the OpenAPI documents in a resource graph."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final

from operations.api_document import Route, routes
from tests.support.graph import Graph

REST: Final = ("aws:apigateway/restApi:RestApi", "rest-api")
HTTP: Final = ("aws:apigatewayv2/api:Api", "http-api")


def document(graph: Graph, api: tuple[str, str]) -> dict[str, Any]:
    """Return the OpenAPI document of `api`, which is `REST` or `HTTP`."""
    return json.loads(graph.one(*api).inputs["body"])


def routes_of(graph: Graph, api: tuple[str, str]) -> dict[str, Route]:
    """Return {method and path: route} of `api`. A key is, for example, `GET /orders`."""
    return {route.name: route for route in routes(document(graph, api))}


def altered(graph: Graph, api: tuple[str, str], alter: Callable[[Any], object]) -> Graph:
    """Return a copy of the graph in which `alter` has changed the OpenAPI document of an API."""
    made, body = graph.one(*api), copy.deepcopy(document(graph, api))
    alter(body)
    assert body != document(graph, api), "the change has no effect on the document"
    other = dataclasses.replace(made, inputs={**made.inputs, "body": json.dumps(body)})
    return dataclasses.replace(graph, resources=[other if each is made else each for each in graph.resources])
