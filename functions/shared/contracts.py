"""Checks data against the schemas in contracts/.

The build of the Lambda layer `common` generates the checks from the schemas, as Python modules in `shared.checks`.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, cast

from contracts.orders import MOST_DETAILS
from shared.errors import ValidationError

Check = Callable[[Any], None]
"""A function that raises ValidationError unless its argument matches a schema."""

_PLACE: Final = re.compile(r"[.\[]")
_LONGEST_LIST: Final = 20
"""Error messages list up to this many allowed values. For more values, they refer to the OpenAPI document."""
_ALLOWED: Final[Mapping[str, str]] = {
    "maxItems": "at most {} entries",
    "minItems": "at least {} entries",
    "maxLength": "at most {} characters",
    "minLength": "at least {} characters",
    "maximum": "at most {}",
    "minimum": "at least {}",
    "pattern": "text that matches {}",
    "enum": "one of {}",
}
"""Maps rules of JSON Schema to texts for error messages. For a rule without a text, a message contains its name."""


class JsonSchemaValueException(Exception):
    """A value violates a rule of its schema. The generated validators raise this exception."""

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
        """The value of the violated rule in the schema, for example the maximum."""
        return self.definition.get(self.rule or "")


class JsonSchemaValuesException(Exception):
    """A value violates rules of its schema. The generated validators of request bodies raise this exception."""

    def __init__(self, errors: Sequence[JsonSchemaValueException]) -> None:
        super().__init__(f"{len(errors)} violations")
        self.errors = errors


def request_check(operation_id: str) -> Check:
    """Return the function that checks the request body of the operation `operation_id`.

    Call `request_check` at module level, not in a handler, because `request_check` imports a generated module. An
    import in a handler would make the first request slower.
    """
    return _check(operation_id, "body")


def event_check(detail_type: str) -> Check:
    """Return the function that checks the detail of an event of type `detail_type`.

    Call `event_check` at module level, not in a handler, because `event_check` imports a generated module. An import in
    a handler would make the first request slower.
    """
    return _check(detail_type, "detail")


def _check(schema: str, name: str) -> Check:
    run = cast("Callable[[Any], Any]", importlib.import_module(f"shared.checks.{schema}").validate)

    def check(value: Any) -> None:
        try:
            run(value)
        except JsonSchemaValueException as broken:
            raise ValidationError(_explain(broken, name)) from broken
        except JsonSchemaValuesException as broken:
            details = islice(chain.from_iterable(map(_details, broken.errors)), MOST_DETAILS)
            raise ValidationError(_explain(broken.errors[0], name), list(details)) from broken

    return check


def _details(broken: JsonSchemaValueException) -> Iterator[dict[str, str]]:
    """Yield a detail for each field that violates the rule: its JSON pointer (RFC 6901), the rule and a message.

    For a missing field, the pointer contains the name of that field. For an unknown field, the pointer is that of the
    surrounding object. The client chose the name of the unknown field, and errors must not repeat text from the
    request.
    """
    where = _PLACE.sub("/", (broken.name or "data").removeprefix("data")).replace("]", "")
    fields: list[str] = [""]
    given = cast("dict[str, Any]", broken.value) if isinstance(broken.value, dict) else {}
    if broken.rule == "required":
        fields = [f"/{name}" for name in broken.definition["required"] if name not in given]
    for field in fields:
        yield {"pointer": where + field, "rule": broken.rule or "", "message": _problem(broken)}


def _explain(broken: JsonSchemaValueException, name: str) -> str:
    """Return a message with the location, the received value and the allowed values.

    `name` is the first part of the location, for example `body` in `body.items[0].quantity`.
    """
    return f"{name}{(broken.name or 'data').removeprefix('data')}: {_problem(broken)}"


def _problem(broken: JsonSchemaValueException) -> str:
    """Return a message with the received value and the allowed values.

    The message does not use `broken.message`, which contains property names that the client chose.
    """
    definition = broken.definition
    if broken.rule == "additionalProperties":
        return f"unknown properties; allowed: {', '.join(definition['properties'])}"
    if broken.rule == "required":
        return f"missing properties; required: {', '.join(definition['required'])}"
    limit: object = broken.rule_definition
    if isinstance(limit, list):
        values = cast("list[str]", limit)
        limit = (
            ", ".join(values) if len(values) <= _LONGEST_LIST else f"the {len(values)} values in the OpenAPI document"
        )
    allowed = _ALLOWED.get(broken.rule or "", f"{broken.rule} {{}}").format(limit)
    return f"got {_echo(broken.value)}; allowed: {allowed}"


def _echo(value: object) -> str:
    """Describe the received value without quoting the client's text, because error messages reach the log."""
    if isinstance(value, str):
        return f"{len(value)} characters"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"{len(cast('list[object]', value))} entries"
    # The message does not quote a number with more than ten digits, because the number could fill the whole message. No
    # limit in a schema has more than ten digits, so such a number is always outside of the limits.
    return json.dumps(value) if not isinstance(value, int) or abs(value) < 10**10 else "a larger number"
