"""Reads the OpenAPI document that defines an API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from aws_rules.model import Resource

Document = Mapping[str, Any]
BESIDE: Final = "is not in the OpenAPI document of its API, so the next import of the document deletes it"
_EXTENSION: Final = "x-amazon-apigateway"
_METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options", f"{_EXTENSION}-any-method")


@dataclass(frozen=True)
class Route:
    """One route of an OpenAPI document: an HTTP method of a path, and the operation for requests to this route."""

    document: Document
    method: str
    path: str
    operation: Document

    @property
    def name(self) -> str:
        """Method and path, for example `GET /orders`."""
        return f"{self.method.removeprefix(f'{_EXTENSION}-').upper()} {self.path}"

    @property
    def integration_type(self) -> str:
        """Type of the integration in upper case, for example MOCK or AWS_PROXY. "" if there is no integration."""
        return str(self.operation.get(f"{_EXTENSION}-integration", {}).get("type", "")).upper()

    @property
    def validator(self) -> str:
        """Name of the request validator that checks requests to the route, or ""."""
        key = f"{_EXTENSION}-request-validator"
        return str(self.operation.get(key, self.document.get(key, "")))

    @property
    def authorizers(self) -> list[Document]:
        """The definitions of the security schemes that the operation requires.

        The definition is {} if the document does not define the scheme. Security requirements of the whole document are
        left out, because API Gateway ignores them.
        """
        schemes: Document = self.document.get("components", {}).get("securitySchemes", {})
        requirements: list[Document] = self.operation.get("security") or []
        return [schemes.get(name, {}) for requirement in requirements for name in requirement]


def document(api: Resource) -> Document:
    """Return the OpenAPI document of `api`, or {}. Raises UnknownValueError if the document is not known yet."""
    body = api.at("body")
    return cast("Document", json.loads(body)) if body else {}


def routes(api: Resource) -> list[Route]:
    """Return every route of the OpenAPI document of `api`.

    Raises UnknownValueError if the document is not known yet.
    """
    read = document(api)
    return [
        Route(read, method, path, operation)
        for path, item in cast("Document", read.get("paths", {})).items()
        for method, operation in item.items()
        if method in _METHODS
    ]


def validators(document: Document) -> Document:
    """Return the request validators of the OpenAPI document `document` as {name: settings}."""
    return document.get(f"{_EXTENSION}-request-validators", {})


def is_of_user_pool(scheme: Document) -> bool:
    """Return whether the security scheme `scheme` accepts tokens of a Cognito user pool."""
    kind = scheme.get(f"{_EXTENSION}-authorizer", {}).get("type")
    return kind == "cognito_user_pools" == scheme.get(f"{_EXTENSION}-authtype")


def is_jwt(scheme: Document) -> bool:
    """Return whether the security scheme `scheme` accepts the JSON web tokens of an OpenID Connect issuer."""
    return scheme.get(f"{_EXTENSION}-authorizer", {}).get("type") == "jwt"
