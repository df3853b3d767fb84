"""The OpenAPI document that an API is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from aws_rules.model import Resource

Document = Mapping[str, Any]
BESIDE: Final = "it is not in the document of its API, and the next import of that deletes it"
_EXTENSION: Final = "x-amazon-apigateway"
_METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options", f"{_EXTENSION}-any-method")


@dataclass(frozen=True)
class Route:
    """A method of a path in a document."""

    document: Document
    method: str
    path: str
    operation: Document

    @property
    def name(self) -> str:
        """Method and path, as people write them."""
        return f"{self.method.removeprefix(f'{_EXTENSION}-').upper()} {self.path}"

    @property
    def integration_type(self) -> str:
        """`MOCK`, `AWS_PROXY` and so on; "" without an integration."""
        return str(self.operation.get(f"{_EXTENSION}-integration", {}).get("type", "")).upper()

    @property
    def validator(self) -> str:
        """Name of what is checked before the integration, or ""."""
        key = f"{_EXTENSION}-request-validator"
        return str(self.operation.get(key, self.document.get(key, "")))

    @property
    def authorizers(self) -> list[Document]:
        """The security schemes that it asks for; one that the document lacks is empty.

        API Gateway ignores the security of the whole document.
        """
        schemes: Document = self.document.get("components", {}).get("securitySchemes", {})
        requirements: list[Document] = self.operation.get("security") or []
        return [schemes.get(name, {}) for requirement in requirements for name in requirement]


def document(api: Resource) -> Document:
    """Return the document of an API, empty without one. Raises UnknownValueError."""
    body = api.at("body")
    return cast("Document", json.loads(body)) if body else {}


def routes(api: Resource) -> list[Route]:
    """Return every route of an API's document. Raises UnknownValueError."""
    read = document(api)
    return [
        Route(read, method, path, operation)
        for path, item in cast("Document", read.get("paths", {})).items()
        for method, operation in item.items()
        if method in _METHODS
    ]


def validators(document: Document) -> Document:
    """Return the request validators of a document, by name."""
    return document.get(f"{_EXTENSION}-request-validators", {})


def is_of_user_pool(scheme: Document) -> bool:
    """Whether a security scheme takes tokens of a user pool."""
    kind = scheme.get(f"{_EXTENSION}-authorizer", {}).get("type")
    return kind == "cognito_user_pools" == scheme.get(f"{_EXTENSION}-authtype")


def is_jwt(scheme: Document) -> bool:
    """Whether a security scheme takes tokens of an issuer."""
    return scheme.get(f"{_EXTENSION}-authorizer", {}).get("type") == "jwt"
