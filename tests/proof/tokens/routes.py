"""Every route of both APIs from their OpenAPI documents, with a request that is valid except for its token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from hypothesis import find, settings
from hypothesis import strategies as st

from components.aws import openapi
from local.client import Answer, Client
from tests.journeys.checked_client import HTTP, REST
from tests.proof.tokens.forge import Sent

Api = Literal["rest", "http"]
DOCUMENTS: Final[Mapping[Api, str]] = {"rest": REST, "http": HTTP}
_ONCE: Final = settings(database=None)


@dataclass(frozen=True)
class Route:
    """One operation of an OpenAPI document, with methods that send its request and its CORS preflight request."""

    api: Api
    operation: openapi.Operation

    @property
    def name(self) -> str:
        return f"{self.operation.method} {self.operation.path}"

    def path(self, ids: Mapping[str, str]) -> str:
        """Return the path with the values of `ids` in place of its parameters. Raises KeyError for a missing id."""
        return re.sub(r"\{([^}]+)\}", lambda found: ids[found[1]], self.operation.path)

    def body(self, ids: Mapping[str, str]) -> Any:
        """Return the smallest request body that the contract allows, or None if the operation has no body."""
        schema = self.operation.request_schema
        return None if schema is None else _smallest("", schema, ids)

    def send(self, client: Client, sent: Sent, ids: Mapping[str, str]) -> Answer:
        """Send the operation's request with the given token."""
        call = client.rest if self.api == "rest" else client.http
        return call(self.operation.method, self.path(ids) + sent.query, None, self.body(ids), sent.headers)

    def preflight(self, client: Client, sent: Sent, ids: Mapping[str, str]) -> Answer:
        """Send a CORS preflight request like a browser's, but with the given token, which no browser sends."""
        frontend = client.frontend
        origin = {"Origin": frontend["corsOrigins"][0], "Access-Control-Request-Method": self.operation.method}
        url = frontend["restApi" if self.api == "rest" else "httpApi"]["url"]
        return client.send("OPTIONS", url + self.path(ids) + sent.query, headers={**origin, **sent.headers})


def routes() -> list[Route]:
    """Return all operations of both APIs."""
    return [
        Route(api, operation) for api, name in DOCUMENTS.items() for operation in openapi.operations(openapi.load(name))
    ]


def _smallest(name: str, schema: Mapping[str, Any], ids: Mapping[str, str]) -> Any:
    """Return a value for the property `name`: the one in `ids`, or the smallest allowed value if `ids` has none."""
    if name in ids:
        return ids[name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        known = cast("Mapping[str, Any]", schema["properties"])
        return {each: _smallest(each, known[each], ids) for each in schema.get("required", ())}
    if schema["type"] == "array":
        return [_smallest("", schema["items"], ids)] * schema.get("minItems", 0)
    if schema["type"] == "integer":
        return max(1, schema.get("minimum", 1))
    if "pattern" in schema:
        return _text(schema["pattern"])
    return "x" * schema.get("minLength", 1)


@cache
def _text(pattern: str) -> str:
    """Return the shortest text that matches the pattern."""
    ascii_alone = st.characters(min_codepoint=33, max_codepoint=126)
    return find(st.from_regex(pattern, fullmatch=True, alphabet=ascii_alone), lambda _: True, settings=_ONCE)
