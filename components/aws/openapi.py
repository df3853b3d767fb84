"""Reads the OpenAPI documents in contracts/, which define both APIs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

CONTRACTS: Final = Path(__file__).resolve().parents[2] / "contracts"
# CSafeLoader uses libyaml, which needs a tenth of the time of PyYAML's own parser. If PyYAML was built without libyaml,
# there is only SafeLoader, which uses the slower parser.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_PATH_PARAMETER: Final = re.compile(r"\{([^}]+)\}")
# `resolve` removes these OpenAPI keywords. API Gateway refuses a model with them, because JSON Schema draft 4 does not
# define them.
_NOT_JSON_SCHEMA: Final = frozenset(
    {"example", "examples", "deprecated", "readOnly", "writeOnly", "xml", "externalDocs"}
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of an OpenAPI document."""

    operation_id: str
    method: str
    """HTTP method in upper case."""
    path: str
    required_headers: tuple[str, ...]
    required_queries: tuple[str, ...]
    request_schema: Mapping[str, Any] | None
    """Schema of the JSON request body, with every reference resolved. None if the operation has no body."""
    model_name: str
    """Name of the body's schema. If the schema has no name, a name derived from the operation id.

    "" if the operation has no body.
    """
    scheme: str
    """Name of the security scheme that the operation requires. "" if the operation is public."""
    scopes: tuple[str, ...]

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Return the names of the path parameters, which are in braces in the path."""
        return tuple(_PATH_PARAMETER.findall(self.path))


def load(name: str) -> dict[str, Any]:
    """Return the parsed OpenAPI document `contracts/{name}`."""
    return parse((CONTRACTS / name).read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, Any]:
    """Return the parsed content of `text`, which is an OpenAPI document in YAML or a schema in JSON."""
    return cast("dict[str, Any]", yaml.load(text, _LOADER))  # noqa: S506 - both loaders are safe


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of `document`, in the order of its paths."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(document, path, method, item)


def _operation(document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> Operation:
    body = item[method]
    parameters = [
        resolve(document, parameter) for parameter in [*item.get("parameters", []), *body.get("parameters", [])]
    ]
    content = _named(document, body.get("requestBody", {})).get("content")
    schema = content["application/json"]["schema"] if content else None
    scheme, scopes = _security(body["operationId"], body.get("security", document.get("security", [])))
    return Operation(
        operation_id=body["operationId"],
        method=method.upper(),
        path=path,
        required_headers=tuple(p["name"] for p in parameters if p["in"] == "header" and p.get("required")),
        required_queries=tuple(p["name"] for p in parameters if p["in"] == "query" and p.get("required")),
        request_schema=resolve(document, schema) if schema else None,
        model_name=_model_name(body["operationId"], schema) if schema else "",
        scheme=scheme,
        scopes=scopes,
    )


def _security(operation_id: str, requirements: list[dict[str, list[str]]]) -> tuple[str, tuple[str, ...]]:
    """Return the name of the security scheme and the required scopes. Return "" and no scopes for a public operation.

    Raises ValueError for more than one scheme, because API Gateway supports one authorizer per operation.
    """
    schemes = [each for requirement in requirements for each in requirement.items()]
    if len(schemes) > 1:
        raise ValueError(f"{operation_id}: got {len(schemes)} security schemes; allowed: at most one (API Gateway)")
    return (schemes[0][0], tuple(schemes[0][1])) if schemes else ("", ())


def _model_name(operation_id: str, schema: Mapping[str, Any]) -> str:
    reference = cast("str", schema.get("$ref", ""))
    return reference.rpartition("/")[2] or f"{operation_id[0].upper()}{operation_id[1:]}Body"


def _named(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `node`, or the target of `node` if `node` is a reference. Nested references stay unresolved."""
    target: Any = node
    while "$ref" in target:
        path, target = cast("str", target["$ref"]), document
        for part in path.removeprefix("#/").split("/"):
            target = target[part]
    return target


def without_prose(schema: Any) -> Any:
    """Return `schema` without descriptions, because API Gateway does not need them in models."""
    if isinstance(schema, list):
        return [without_prose(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    kept = {key: without_prose(value) for key, value in fields.items() if key not in ("description", "properties")}
    # In a schema, the key `description` is prose. In `properties`, each key is the name of a field, and a field can
    # also be named `description`. Keep all keys of `properties`.
    properties = {name: without_prose(value) for name, value in fields.get("properties", {}).items()}
    return {**kept, "properties": properties} if "properties" in fields else kept


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """Return `node` as plain JSON Schema (draft 4), with every `$ref` replaced by its target in `document`."""
    if isinstance(node, list):
        return [resolve(document, item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    if "$ref" in fields:
        return resolve(document, _named(document, fields))
    return {key: resolve(document, value) for key, value in fields.items() if key not in _NOT_JSON_SCHEMA}
