"""Checks a response against the OpenAPI document of its API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, cast

from jsonschema import Draft4Validator, ValidationError, validators

from components.aws import openapi
from tests.fakes.gateway import Answer


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Yield an error if `value` does not match `pattern`, a regular expression of JSON Schema.

    In JSON Schema, `$` matches only at the end of the text. In Python, `$` also matches before a line feed at the end.
    """
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: Final = cast("Any", validators).extend(Draft4Validator, {"pattern": _pattern})


def breaches(schema: Mapping[str, Any], value: Any) -> list[str]:
    """Return "PATH: MESSAGE" for every violation of `schema` (JSON Schema draft 4) in `value`."""
    return [f"{error.json_path}: {error.message}" for error in _Validator(dict(schema)).iter_errors(value)]


@cache
def document(name: str) -> dict[str, Any]:
    """Return the OpenAPI document `contracts/{name}`, in which each reference is replaced by its target."""
    loaded = openapi.load(name)
    return cast("dict[str, Any]", openapi.resolve(loaded, loaded))


def closed(schema: Any) -> Any:
    """Return a copy of the response schema `schema`, in which every object has `additionalProperties: false`.

    The OpenAPI documents allow additional fields, because a later version may add fields. In these tests, an additional
    field is an error, because the platform must document every field that it sends.

    A schema with `allOf` becomes one object, because each part would refuse the fields of the other parts.
    """
    if isinstance(schema, list):
        return [closed(each) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    if "allOf" in fields:
        fields = merged(fields["allOf"])
    inner = {key: closed(value) for key, value in fields.items()}
    return {**inner, "additionalProperties": False} if fields.get("type") == "object" else inner


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one object schema with the properties of all schemas in `parts`.

    If several parts define a property, the last definition applies.
    """
    properties = {name: schema for part in parts for name, schema in part.get("properties", {}).items()}
    required = sorted({name for part in parts for name in part.get("required", ())})
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def codes_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the error codes that the response schema `schema` allows."""
    found: list[str] = []
    for each in schema.get("anyOf", schema.get("oneOf", [schema])):
        found += closed(each)["properties"].get("code", {}).get("enum", [])
    return found


def operation_of(name: str, method: str, path: str) -> dict[str, Any] | None:
    """Return the operation of the OpenAPI document `name` for a request, or None if there is no such operation.

    Paths of the REST API may end with a slash.
    """
    if name == "rest-api.yaml":
        path = path.rstrip("/")
    for template, item in document(name)["paths"].items():
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return cast("dict[str, Any]", item[method.lower()])
    return None


def faults(name: str, method: str, path: str, answer: Answer) -> list[str]:
    """Return the differences between `answer`, the response to a request, and the OpenAPI document `name`."""
    status, headers, body = answer.status, answer.headers, answer.body
    operation = operation_of(name, method, path)
    if operation is None:
        # contracts/rest-api.yaml promises status 404 and the common error format for unknown paths and methods.
        expected: Any = {
            "content": {"application/json": {"schema": document(name)["components"]["schemas"]["ApiError"]}}
        }
        found = [] if (status, body.get("code")) == (404, "NotFound") else [f"{method} {path} is not an operation"]
    else:
        responses = operation["responses"]
        expected = responses.get(str(status), responses.get(f"{status // 100}XX"))
        found = [] if expected else [f"{operation['operationId']} does not document {status}"]
    if not expected:
        return found
    if headers.get("Content-Type") != "application/json":
        found.append("Content-Type is not application/json")
    schema = closed(expected["content"]["application/json"]["schema"])
    found += breaches(schema, body)
    for header, described in expected.get("headers", {}).items():
        if header not in headers:
            found += [f"lacks {header}"] if described.get("required") else []
        else:
            found += [f"{header} {breach}" for breach in breaches(described["schema"], headers[header])]
    return found
