"""The schemas of contracts/, compiled. contracts.json is made of them when the common layer is built."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import fastjsonschema

from shared.errors import ValidationError

Check = Callable[[Any], None]
"""Raises ValidationError unless its argument meets the schema."""

_DRAFT: Final = "http://json-schema.org/draft-04/schema#"
_MOST_NAMED: Final = 20
"""Values that a message names; more are looked up."""


def request_check(operation_id: str) -> Check:
    """Return the check of an operation's body. Compiling takes milliseconds: call it once, at import."""
    return _check(_contracts()["operations"][operation_id]["request"], "body")


def event_check(detail_type: str) -> Check:
    """Return the check of an event's detail. Compiling takes milliseconds: call it once, at import."""
    return _check(_contracts()["events"][detail_type], "detail")


@cache
def _contracts() -> Mapping[str, Any]:
    return json.loads(Path(__file__).with_name("contracts.json").read_text(encoding="utf-8"))


def _check(schema: Mapping[str, Any], name: str) -> Check:
    # Draft 4, as API Gateway reads the same schemas: later ones take 1.0 for an integer.
    run = cast("Callable[[Any], Any]", fastjsonschema.compile({"$schema": _DRAFT, **schema}))

    def check(value: Any) -> None:
        try:
            run(value)
        except fastjsonschema.JsonSchemaValueException as broken:
            raise ValidationError(_explain(broken, name)) from broken

    return check


def _explain(broken: fastjsonschema.JsonSchemaValueException, name: str) -> str:
    """Return where, got and allowed. `broken.message` would do neither, and repeats names that the client chose."""
    where = name + (broken.name or "data").removeprefix("data")
    definition = cast("Mapping[str, Any]", broken.definition)
    if broken.rule == "additionalProperties":
        return f"{where}: got unknown properties; allowed: {', '.join(definition['properties'])}"
    if broken.rule == "required":
        return f"{where}: lacks properties; required: {', '.join(definition['required'])}"
    limit: object = broken.rule_definition
    if isinstance(limit, list):
        values = cast("list[str]", limit)
        limit = ", ".join(values) if len(values) <= _MOST_NAMED else f"of {len(values)} values in the OpenAPI document"
    return f"{where}: got {_echo(broken.value)}; allowed: {broken.rule} {limit}"


def _echo(value: object) -> str:
    """Return what was got, but no text of the client's: messages of errors reach logs."""
    if isinstance(value, str):
        return f"{len(value)} characters"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"{len(cast('list[object]', value))} entries"
    # Ten digits are enough to see what is wrong with a number.
    return json.dumps(value) if not isinstance(value, int) or abs(value) < 10**10 else "a larger number"
