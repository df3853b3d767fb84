"""Renders mapping templates as API Gateway does, using airspeed with fixes where airspeed differs from Velocity."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final
from unittest import mock

REQUEST_ID: Final = "0d9d2a5c-1f7e-4d1c-9a57-6f8d3a0c2b11"
# The package has no type annotations.
airspeed: Any = import_module("airspeed")
_NEVER: Final = re.compile(r"(?!)")
# Names in Velocity may contain hyphens, unlike the names that airspeed accepts.
_PLACE: Final = re.compile(r"\s*\$([a-z_][a-z0-9_-]*(?:\.[a-z_][a-z0-9_-]*)*)", re.DOTALL | re.IGNORECASE)


@dataclass
class Rendered:
    """A template's output, with the response status and headers that the template overrode."""

    text: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def body(self) -> Any:
        """Parse the template's output as JSON."""
        return json.loads(self.text)


def render(
    template: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    claims: Mapping[str, str] | None = None,
) -> Rendered:
    """Render `template` for the payload `body`, which is the body of the request or of the integration's response."""
    overrides = _Overrides()
    namespace: dict[str, Any] = {
        "input": _Input(body, headers or {}),
        "util": _Util(),
        "context": {
            "requestId": REQUEST_ID,
            "authorizer": {"claims": dict(claims or {})},
            "responseOverride": overrides,
        },
    }
    with _velocity():
        text = airspeed.Template(template).merge(namespace)
    return Rendered(text, overrides.status, overrides.headers)


class _Overrides(dict[str, Any]):
    """Fails if a template overrides one parameter twice, because API Gateway returns a 5xx error in that case."""

    def __init__(self) -> None:
        self.headers = _OnceOnly()
        self.status: int | None = None
        super().__init__(header=self.headers)

    def __setitem__(self, key: str, value: Any) -> None:
        assert key == "status", key
        assert self.status is None, "status overridden twice"
        self.status = value


class _OnceOnly(dict[str, str]):
    def __setitem__(self, key: str, value: str) -> None:
        assert key not in self, f"{key} overridden twice"
        super().__setitem__(key, value)


class _Input:
    def __init__(self, body: Any, headers: Mapping[str, str]) -> None:
        self._body = body
        self._headers = dict(headers)

    @property
    def body(self) -> str:
        """Return the payload as text, exactly as it was sent."""
        return self._body if isinstance(self._body, str) else json.dumps(self._body, ensure_ascii=False)

    def path(self, path: str) -> Any:
        """Return the value at `path`, which is `$` or `$.key`; longer paths are not supported."""
        key = path.removeprefix("$").removeprefix(".")
        given = json.loads(self._body) if isinstance(self._body, str) else self._body
        return given.get(key) if key else given

    def json(self, path: str) -> str:
        return json.dumps(self.path(path), ensure_ascii=False)

    def params(self) -> dict[str, dict[str, str]]:
        return {"path": {}, "querystring": {}, "header": self._headers}


class _Util:
    def base64Encode(self, text: str) -> str:  # noqa: N802 - Velocity prescribes the name
        return base64.b64encode(text.encode()).decode()

    def escapeJavaScript(self, text: str) -> str:  # noqa: N802 - Velocity prescribes the name
        """Escape text as Apache Commons Lang does, which also escapes ' and /, although JSON does not require it."""
        return "".join(_escaped_unit(unit) for unit in _utf16_units(text))


def _utf16_units(text: str) -> Iterator[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def _escaped_unit(unit: int) -> str:
    short = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r"}
    if unit in short:
        return short[unit]
    if unit < 0x20 or unit > 0x7F:
        return f"\\u{unit:04X}"
    return f"\\{chr(unit)}" if chr(unit) in "'\"\\/" else chr(unit)


@contextmanager
def _velocity() -> Generator[None]:
    def matches(text: str, pattern: str) -> bool:
        return re.fullmatch(pattern, text) is not None

    with ExitStack() as stack:
        for literal in (airspeed.StringLiteral, airspeed.InterpolatedStringLiteral):
            # String literals in Velocity have no escape sequences, so the method receives all backslashes of "\\'".
            stack.enter_context(mock.patch.object(literal, "ESCAPED_CHAR", _NEVER))
        stack.enter_context(mock.patch.object(airspeed.SetDirective, "PLACE", _PLACE))
        stack.enter_context(mock.patch.dict(airspeed.__additional_methods__[str], matches=matches))
        yield
