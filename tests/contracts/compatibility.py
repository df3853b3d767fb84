"""Finds changes that break the clients of an OpenAPI document, of an event schema or of the schema of the outputs.

Two kinds of changes break no client: an API accepts requests that it refused before, or a response promises more than
before, for example a new field. Every other change can break a client. Each finding is one line, which says where and
what the change is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from components.aws import openapi
from tests.contracts.answers import merged

Json = Mapping[str, Any]
OPEN: Final = "Later versions can add values"
"""A response may gain values of an enum whose description contains this text."""

_CODE: Final = re.compile(r"`([A-Z]\w+)`")
_UPPER: Final = ("maximum", "maxLength", "maxItems")
_LOWER: Final = ("minimum", "minLength", "minItems")


def document_breaks(old: Json, new: Json) -> list[str]:
    """Return the breaking changes from `old` to `new`, two OpenAPI documents.

    Returns [] if the version in `info` has changed.
    """
    if old["info"]["version"] != new["info"]["version"]:
        return []
    before, after = (cast("Json", openapi.resolve(document, document)) for document in (old, new))
    found: list[str] = []
    operations = dict(_operations(after))
    for name, operation in _operations(before):
        found += _operation(name, operation, operations[name]) if name in operations else [f"{name}: route removed"]
    return found


def schema_breaks(old: Json, new: Json, *, version: Callable[[Json], object] = lambda _: None) -> list[str]:
    """Return the breaking changes from `old` to `new`, two schemas of data that clients read.

    `version` returns the version of a schema. Returns [] if this version has changed.
    """
    has_moved = version(new) is not None and version(new) != version(old)
    return [] if has_moved else [*_lost("", old, new), *_read("", old, new)]


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                security = operation.get("security", document.get("security", []))
                yield f"{method.upper()} {path}", {**operation, "parameters": parameters, "security": security}


def _operation(name: str, old: Json, new: Json) -> Iterator[str]:
    for key in ("operationId", "security"):
        if old[key] != new[key]:
            yield f"{name}: {key} changed from {old[key]} to {new[key]}"
    yield from _parameters(name, old, new)
    yield from _body(name, old.get("requestBody", {}), new.get("requestBody", {}))
    for status, response in old["responses"].items():
        if status in new["responses"]:
            yield from _response(f"{name} {status}", response, new["responses"][status])
        elif status.startswith("2"):
            yield f"{name}: status {status} removed"
        # A response such as 5XX covers many statuses. An error code is not removed if the new document lists it in a
        # response for one of these statuses, for example 503.
        covered = [each for key, each in new["responses"].items() if re.fullmatch(status.replace("X", "[0-9X]"), key)]
        codes = {code for each in covered for code in _CODE.findall(each["description"])}
        removed = [code for code in _CODE.findall(response["description"]) if code not in codes]
        yield from (f"{name} {status}: code {code} removed" for code in removed)
    for status in new["responses"].keys() - old["responses"].keys():
        # A new status with 4 or 5 as its first digit breaks no client: clients treat an unknown error status like other
        # errors with this digit.
        if status.startswith(("2", "3")):
            yield f"{name}: status {status} added"


def _parameters(name: str, old: Json, new: Json) -> Iterator[str]:
    before, after = ({(each["in"], each["name"]): each for each in side["parameters"]} for side in (old, new))
    for key, parameter in before.items():
        where = f"{name} {key[0]} {key[1]}"
        if key not in after:
            yield f"{where}: parameter removed"
        else:
            yield from _written(where, parameter["schema"], after[key]["schema"])
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{name} {key[0]} {key[1]}: parameter is required now"


def _body(name: str, old: Json, new: Json) -> Iterator[str]:
    if new.get("required") and not old.get("required"):
        yield f"{name}: the body is required now"
    if old and new:
        yield from _written(f"{name} body", _schema(old), _schema(new))


def _response(where: str, old: Json, new: Json) -> Iterator[str]:
    for header, described in old.get("headers", {}).items():
        given = new.get("headers", {}).get(header)
        if given is None or (described.get("required") and not given.get("required")):
            yield f"{where} header {header}: removed or optional now"
        else:
            yield from _read(f"{where} header {header}", described["schema"], given["schema"])
    yield from _lost(where, _schema(old), _schema(new))
    yield from _read(where, _schema(old), _schema(new))


def _schema(content: Json) -> Json:
    return content["content"]["application/json"]["schema"]


def _written(where: str, old: Json, new: Json) -> Iterator[str]:
    """Yield the changes from `old` to `new` after which an API refuses data that clients may send today."""
    yield from _limits(where, new, old, "narrowed")
    if "enum" in new and not ("enum" in old and set(old["enum"]) <= set(new["enum"])):
        yield f"{where}: enum narrowed"
    if new.get("pattern", old.get("pattern")) != old.get("pattern"):
        yield f"{where}: pattern changed"
    before, after = old.get("properties", {}), new.get("properties", {})
    for field in before.keys() - after.keys():
        yield f"{where}.{field}: field removed"
    for field in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{where}.{field}: required field added"
    for field in before.keys() & after.keys():
        yield from _written(f"{where}.{field}", before[field], after[field])
    if "items" in old and "items" in new:
        yield from _written(f"{where}[]", old["items"], new["items"])


def _read(where: str, old: Json, new: Json) -> Iterator[str]:
    """Yield the changes from `old` to `new` after which clients may receive data that they do not expect."""
    before, after = list(_choices(old)), list(_choices(new))
    # Data of the new schema can match any of its alternatives (`oneOf`, `anyOf`). A client can read the data only if it
    # knows the matching alternative. Each new alternative must therefore be compatible with an alternative of the old
    # schema.
    found = [line for each in after for line in min((list(_read_one(where, one, each)) for one in before), key=len)]
    yield from dict.fromkeys(found)


def _lost(where: str, old: Json, new: Json) -> Iterator[str]:
    """Yield a finding for each field of the schema `old` that the schema `new` does not contain."""
    left = set(_fields(where, new))
    yield from (f"{field}: field removed" for field in dict.fromkeys(_fields(where, old)) if field not in left)


def _fields(where: str, schema: Json) -> Iterator[str]:
    for each in _choices(schema):
        for field, inner in each.get("properties", {}).items():
            yield f"{where}.{field}"
            yield from _fields(f"{where}.{field}", inner)
        if "items" in each:
            yield from _fields(f"{where}[]", each["items"])


def _choices(schema: Json) -> Iterator[Json]:
    """Yield each alternative of `schema` if it has `oneOf` or `anyOf`, otherwise `schema` itself."""
    for each in schema.get("oneOf", schema.get("anyOf", [schema])):
        if "oneOf" in each or "anyOf" in each:
            yield from _choices(each)
        else:
            yield merged(each["allOf"]) if "allOf" in each else each


def _read_one(where: str, old: Json, new: Json) -> Iterator[str]:
    yield from _limits(where, old, new, "widened")
    is_open = OPEN in old.get("description", "")
    if "enum" in old and not is_open and not set(new.get("enum", (None,))) <= set(old["enum"]):
        yield f"{where}: enum widened"
    if old.get("pattern", new.get("pattern")) != new.get("pattern"):
        yield f"{where}: pattern changed"
    before, after = old.get("properties", {}), new.get("properties", {})
    for field in old.get("required", ()):
        if field in after and field not in new.get("required", ()):
            yield f"{where}.{field}: optional now"
    for field in before.keys() & after.keys():
        yield from _read(f"{where}.{field}", before[field], after[field])
    if "items" in old and "items" in new:
        yield from _read(f"{where}[]", old["items"], new["items"])


def _limits(where: str, wide: Json, narrow: Json, change: str) -> Iterator[str]:
    """Yield a line for each type or limit by which the schema `wide` refuses data that the schema `narrow` allows.

    For a response, `wide` is the old schema and `narrow` the new one. For a request, `wide` is the new schema and
    `narrow` the old one. The line about a limit ends with `change`, which is `widened` or `narrowed`.
    """
    if wide.get("type", narrow.get("type")) != narrow.get("type"):
        yield f"{where}: type changed"
    for key in (*_UPPER, *_LOWER):
        if key not in wide:
            continue
        sign = 1 if key in _UPPER else -1
        if key not in narrow or sign * narrow[key] > sign * wide[key]:
            yield f"{where}: {key} {change}"
