"""The schemas of contracts/ as code: `shared.checks`, which is made of them when the common layer is built."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from shared.errors import ValidationError

Check = Callable[[Any], None]
"""Raises ValidationError unless its argument meets the schema."""

_MOST_NAMED: Final = 20
"""Values that a message names; more are looked up."""


class JsonSchemaValueException(Exception):
    """A value breaks a rule of its schema. The generated checks raise it by this name, with these arguments."""

    def __init__(
        self,
        message: str,
        value: object = None,
        name: str | None = None,
        definition: Mapping[str, Any] | None = None,
        rule: str | None = None,
    ) -> None:
        super().__init__(message)
        self.value, self.name, self.definition, self.rule = value, name, definition or {}, rule

    @property
    def rule_definition(self) -> object:
        """What the rule allows."""
        return self.definition.get(self.rule or "")


def request_check(operation_id: str) -> Check:
    """Return the check of an operation's body. It is imported: call this once, at import."""
    return _check(operation_id, "body")


def event_check(detail_type: str) -> Check:
    """Return the check of an event's detail. It is imported: call this once, at import."""
    return _check(detail_type, "detail")


def _check(schema: str, name: str) -> Check:
    run = cast("Callable[[Any], Any]", importlib.import_module(f"shared.checks.{schema}").validate)

    def check(value: Any) -> None:
        try:
            run(value)
        except JsonSchemaValueException as broken:
            raise ValidationError(_explain(broken, name)) from broken

    return check


def _explain(broken: JsonSchemaValueException, name: str) -> str:
    """Return where, got and allowed. `broken.message` would do neither, and repeats names that the client chose."""
    where = name + (broken.name or "data").removeprefix("data")
    definition = broken.definition
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
