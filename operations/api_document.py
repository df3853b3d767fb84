"""Reads deployed OpenAPI documents: lists their routes, and compares two versions of a document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

Document = Mapping[str, Any]
INTEGRATION: Final = "x-amazon-apigateway-integration"
_ANY: Final = "x-amazon-apigateway-any-method"
_METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options", _ANY)
# Names under which `changes` reports a changed key of an operation. For any other key, it reports the key itself.
_PARTS: Final = {
    "operationId": "operation id",
    "parameters": "parameters",
    "requestBody": "body schema",
    "responses": "responses",
    "security": "token",
    INTEGRATION: "integration",
    "x-amazon-apigateway-request-validator": "validator",
}


@dataclass(frozen=True)
class Route:
    """One route of an API: an HTTP method of a path, and its operation."""

    method: str
    """HTTP method in upper case. ANY matches every method that the path does not list."""
    path: str
    operation: Document

    @property
    def name(self) -> str:
        """Method and path, for example `GET /orders`."""
        return f"{self.method} {self.path}"

    @property
    def integration(self) -> Document:
        """The integration: the part of the operation that defines the backend."""
        return self.operation[INTEGRATION]

    @property
    def is_fixed(self) -> bool:
        """Whether API Gateway responds without a backend."""
        return str(self.integration["type"]).lower() == "mock"


def routes(body: str | Document) -> list[Route]:
    """Return every route of an OpenAPI document. `body` is the document or its JSON text."""
    document = cast("Document", json.loads(body)) if isinstance(body, str) else body
    return list(_routes(document))


def _routes(document: Document) -> Iterator[Route]:
    for path, item in document.get("paths", {}).items():
        for key, operation in item.items():
            if key in _METHODS:
                yield Route("ANY" if key == _ANY else key.upper(), path, operation)


def changes(old: Document, new: Document) -> list[str]:
    """Return the differences between two documents as lines of text.

    There is one line per changed route, and one line per other changed part of the document. Routes match if they have
    the same method and the same path apart from parameter names. A route with a renamed parameter therefore gets one
    line, not one for a deleted route and one for a new route. Routes for preflight requests have no lines, because they
    depend only on the other routes of their path.
    """
    before, after = _by_shape(old), _by_shape(new)
    models = _changed(old, new, "components", "schemas")
    lines: dict[tuple[str, str], str] = {}
    for key in before.keys() | after.keys():
        was, will = before.get(key), after.get(key)
        if was and will:
            if parts := dict.fromkeys(_differences(was, will, models)):
                lines[will.path, will.method] = f"~ {will.name}: {', '.join(parts)}"
        elif route := was or will:
            lines[route.path, route.method] = f"{'-' if was else '+'} {route.name}"
    around = [
        f"~ {what}: {', '.join(names)}"
        for what, path in (
            ("models", ("components", "schemas")),
            ("authorizers", ("components", "securitySchemes")),
            ("gateway responses", ("x-amazon-apigateway-gateway-responses",)),
        )
        if (names := _changed(old, new, *path))
    ]
    own = ("paths", "components", "x-amazon-apigateway-gateway-responses")
    around += [f"~ {key}" for key in _changed(old, new) if key not in own]
    return [lines[key] for key in sorted(lines)] + around


def _by_shape(document: Document) -> dict[tuple[str, str], Route]:
    found = (route for route in _routes(document) if route.method != "OPTIONS")
    return {(route.method, re.sub(r"{[^}]+}", "{}", route.path)): route for route in found}


def _differences(was: Route, will: Route, models: list[str]) -> Iterator[str]:
    names = [re.findall(r"{([^}]+)}", route.path) for route in (was, will)]
    yield from (f"path parameter {old} is now {new}" for old, new in zip(*names, strict=True) if old != new)
    for key in sorted(set(was.operation) | set(will.operation)):
        # Leave out `parameters` if the paths differ, because the lines above already report the changed names of path
        # parameters.
        if was.operation.get(key) != will.operation.get(key) and not (key == "parameters" and was.path != will.path):
            yield _PARTS.get(key, key)
    if any(f"#/components/schemas/{model}" in json.dumps(will.operation.get("requestBody")) for model in models):
        yield _PARTS["requestBody"]


def _changed(old: Document, new: Document, *path: str) -> list[str]:
    """Return the keys below `path` whose values differ between the two documents, sorted."""
    for key in path:
        old, new = old.get(key, {}), new.get(key, {})
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
