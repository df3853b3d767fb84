"""Reads the OpenAPI documents in contracts/, from which both APIs are made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

CONTRACTS: Final = Path(__file__).resolve().parents[2] / "contracts"
# libyaml, where PyYAML was built with it: a tenth of the time.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_PATH_PARAMETER: Final = re.compile(r"\{([^}]+)\}")
# What JSON Schema draft 4 does not know, and API Gateway refuses in a model.
_NOT_JSON_SCHEMA: Final = frozenset(
    {"example", "examples", "deprecated", "readOnly", "writeOnly", "xml", "externalDocs"}
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a document."""

    operation_id: str
    method: str
    """Upper case."""
    path: str
    required_headers: tuple[str, ...]
    required_queries: tuple[str, ...]
    request_schema: Mapping[str, Any] | None
    """The JSON body's schema with every reference resolved, or None without a body."""
    secured: bool
    scopes: tuple[str, ...]

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Return the names between braces in the path."""
        return tuple(_PATH_PARAMETER.findall(self.path))


def load(name: str) -> dict[str, Any]:
    """Return the document `contracts/{name}`."""
    text = (CONTRACTS / name).read_text(encoding="utf-8")
    return cast("dict[str, Any]", yaml.load(text, _LOADER))  # noqa: S506 - both are safe loaders


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of `document`, in its order."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(document, path, method, item)


def _operation(document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> Operation:
    body = item[method]
    parameters = [
        resolve(document, parameter) for parameter in [*item.get("parameters", []), *body.get("parameters", [])]
    ]
    content = resolve(document, body.get("requestBody", {})).get("content", {})
    security = cast("list[dict[str, list[str]]]", body.get("security", document.get("security", [])))
    return Operation(
        operation_id=body["operationId"],
        method=method.upper(),
        path=path,
        required_headers=tuple(p["name"] for p in parameters if p["in"] == "header" and p.get("required")),
        required_queries=tuple(p["name"] for p in parameters if p["in"] == "query" and p.get("required")),
        request_schema=resolve(document, content["application/json"]["schema"]) if content else None,
        secured=bool(security),
        scopes=tuple(scope for requirement in security for scopes in requirement.values() for scope in scopes),
    )


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """Return `node` with every `$ref` into `document` replaced by what it names, as plain JSON Schema (draft 4)."""
    if isinstance(node, list):
        return [resolve(document, item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    if "$ref" in fields:
        target: Any = document
        for part in cast("str", fields["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        return resolve(document, target)
    return {key: resolve(document, value) for key, value in fields.items() if key not in _NOT_JSON_SCHEMA}
