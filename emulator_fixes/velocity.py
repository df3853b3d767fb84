"""A renderer of API Gateway's mapping templates: Velocity with $input, $util, $context and $stageVariables."""

from __future__ import annotations

import base64
import functools
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import airspeed  # pyright: ignore[reportMissingTypeStubs]

_ESCAPES: Final = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}
_ASCII: Final = 0x7F
_airspeed: Any = airspeed
# These lines correct two differences between the library airspeed and Velocity. In Velocity, string literals have no
# escape sequences, so every backslash in a literal is part of the string. In Velocity, #set can also set names with
# hyphens, such as $context.responseOverride.header.Access-Control-Allow-Origin.
for _literal in (_airspeed.StringLiteral, _airspeed.InterpolatedStringLiteral):
    _literal.ESCAPED_CHAR = re.compile(r"(?!)")
_airspeed.SetDirective.PLACE = re.compile(r"\s*\$([a-z_][a-z0-9_-]*(?:\.[a-z_][a-z0-9_-]*)*)", re.IGNORECASE)


class Text(str):
    """A string with the methods of Java's String, which Velocity templates call."""

    __slots__ = ()

    def replaceAll(self, pattern: str, replacement: str) -> Text:  # noqa: N802 - Java prescribes the names
        """Replace each match of the regular expression `pattern` with the text `replacement`."""
        return Text(re.sub(pattern, lambda _match: replacement, self))

    def matches(self, pattern: str) -> bool:
        """Return whether the whole string matches the regular expression `pattern`."""
        return re.fullmatch(pattern, self) is not None

    def contains(self, part: str) -> bool:
        """Return whether the string contains `part`."""
        return part in self

    def startsWith(self, start: str) -> bool:  # noqa: N802
        """Return whether the string starts with `start`."""
        return self.startswith(start)

    def endsWith(self, end: str) -> bool:  # noqa: N802
        """Return whether the string ends with `end`."""
        return self.endswith(end)

    def equals(self, other: Any) -> bool:
        """Return whether both strings are equal."""
        return self == other

    def isEmpty(self) -> bool:  # noqa: N802
        """Return whether the string is empty."""
        return not self

    def length(self) -> int:
        """Return the number of characters."""
        return len(self)

    def substring(self, start: int, end: int | None = None) -> Text:
        """Return the characters from index `start` up to, but not including, index `end` (default: to the end)."""
        return Text(self[start:end])

    def toLowerCase(self) -> Text:  # noqa: N802
        """Return the string in lowercase."""
        return Text(self.lower())

    def toString(self) -> Text:  # noqa: N802
        """Return the string itself."""
        return self


@dataclass
class Request:
    """The request, or the integration's response, as a mapping template sees it."""

    body: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    stage_variables: Mapping[str, str]


@dataclass
class Rendered:
    """The result of a mapping template."""

    text: str
    status: int | None = None
    """Value of $context.responseOverride.status, or None."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Values of $context.responseOverride.header."""


def render(template: str, request: Request) -> Rendered:
    """Render `template` for `request`. Raises ValueError if the body is not JSON or the template is invalid."""
    override = _Override(header=_Override())
    context = {**_textual(request.context), "responseOverride": override}
    names = {
        "input": _Input(request),
        "util": _Util(),
        "context": context,
        "stageVariables": _textual(request.stage_variables),
    }
    try:
        text: str = _compiled(template).merge(names)
    except _airspeed.TemplateError as error:
        raise ValueError(f"mapping template: {error}") from None
    status = override.get("status")
    headers = {str(name): str(value) for name, value in override["header"].items()}
    return Rendered(text.strip(), None if status is None else int(status), headers)


@functools.lru_cache(maxsize=256)
def _compiled(template: str) -> Any:
    """Return the parsed template. Parsing takes longer than rendering, so the result is cached."""
    parsed = _airspeed.Template(template)
    parsed.ensure_compiled()
    return parsed


class _Override(dict[str, Any]):
    """Parameters that a template sets in $context.responseOverride.

    Setting a parameter twice raises ValueError, because API Gateway responds 5xx in this case.
    """

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            raise ValueError(f"mapping template: {name} is overridden twice; allowed: once")
        super().__setitem__(name, value)


class _Input:
    def __init__(self, request: Request) -> None:
        self._request = request
        self.body = Text(request.body)

    def json(self, path: str) -> Text:
        """Return the value at the JSONPath `path` in the body, as JSON text."""
        return Text(json.dumps(_at(self._parsed(), path), separators=(",", ":"), ensure_ascii=False))

    def path(self, path: str) -> Any:
        """Return the value at the JSONPath `path` in the body, with each string in it converted to Text."""
        return _textual(_at(self._parsed(), path))

    def params(self, name: str | None = None) -> Any:
        """Return the parameter `name` (path, query string or headers), or all parameters if `name` is None."""
        request = self._request
        groups = {"path": request.path, "querystring": request.query, "header": request.headers}
        if name is None:
            return _textual(groups)
        found = (group[name] for group in groups.values() if name in group)
        return Text(next(found, ""))

    def _parsed(self) -> Any:
        return json.loads(self._request.body or "{}")


class _Util:
    def escapeJavaScript(self, value: Any) -> Text:  # noqa: N802 - AWS prescribes the names
        """Escape `value` for JavaScript as Apache Commons Lang 2 does, because API Gateway uses that library."""
        return Text("".join(_escaped(character) for character in str(value)))

    def parseJson(self, value: str) -> Any:  # noqa: N802
        """Parse the JSON text `value`, and return the parsed value."""
        return _textual(json.loads(value))

    def urlEncode(self, value: str) -> Text:  # noqa: N802
        """Return `value` with percent-encoding."""
        return Text(urllib.parse.quote_plus(str(value)))

    def urlDecode(self, value: str) -> Text:  # noqa: N802
        """Return `value` without percent-encoding."""
        return Text(urllib.parse.unquote_plus(str(value)))

    def base64Encode(self, value: str) -> Text:  # noqa: N802
        """Return `value` encoded as base64."""
        return Text(base64.b64encode(str(value).encode()).decode())

    def base64Decode(self, value: str) -> Text:  # noqa: N802
        """Return the text that is encoded as base64 in `value`."""
        return Text(base64.b64decode(str(value)).decode())


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character in "'\"\\/":
        return f"\\{character}"
    if " " <= character <= chr(_ASCII):
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index : index + 2].hex().upper()}" for index in range(0, len(units), 2))


def _textual(value: Any) -> Any:
    """Return `value` with every string in it converted to Text, including the keys of mappings."""
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, Mapping):
        # Convert the keys too, so that a template can call Java's string methods on them, for example on the names of
        # headers.
        return {_textual(key): _textual(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [_textual(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _at(value: Any, path: str) -> Any:
    """Return the part of `value` at a simple JSONPath such as $.a.b[0], or None if `value` has no such part."""
    for name, index in re.findall(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]", path.removeprefix("$")):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        else:
            value = value.get(name) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return value  # pyright: ignore[reportUnknownVariableType]
