"""An API client that checks every response against the OpenAPI document of its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from local.client import Answer, Client
from tests.contracts import answers
from tests.fakes import gateway

REST: Final = "rest-api.yaml"
HTTP: Final = "http-api.yaml"
_ALL_HEADERS: Final = {name.lower(): name for name in ("Content-Type", "Location", "Retry-After")}


class CheckedClient(Client):
    """Sends requests as a web page does: the header `Origin` contains the stack's first CORS origin.

    Fails if a response violates the OpenAPI document of its API.
    """

    def rest(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = super().rest(method, path, token, body, {"Origin": self.origin, **(headers or {})})
        return self._checked(REST, method, path, answer)

    def http(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = super().http(method, path, token, body, {"Origin": self.origin, **(headers or {})})
        return self._checked(HTTP, method, path, answer)

    @property
    def origin(self) -> str:
        """The value of the header `Origin` in the requests of this client."""
        return self.frontend["corsOrigins"][0]

    def _checked(self, document: str, method: str, path: str, answer: Answer) -> Answer:
        found = breaches(document, method, path.partition("?")[0], answer)
        # Don't require CORS headers in errors that the HTTP API itself returns. An HTTP API adds CORS headers only to
        # responses of its integrations.
        promised = document == REST or not answer.text.startswith('{"message"')
        if promised and answer.headers.get("access-control-allow-origin") != self.origin:
            found.append("CORS prevents a web page of an allowed origin from reading the response")
        assert not found, f"{method} {path}: {answer.status} {answer.text[:1000]}\n" + "\n".join(found)
        return answer


def breaches(document: str, method: str, path: str, answer: Answer) -> list[str]:
    """Return one line for each way in which `answer` violates the OpenAPI document `document`.

    `answer` is the response to the request `method` `path`.
    """
    try:
        body: Any = json.loads(answer.text)
    except ValueError:
        return ["the body is not JSON"]
    if document == HTTP and answers.operation_of(document, method, path) is None:
        return [] if answer.status == 404 and set(body) == {"message"} else [f"{method} {path} is not an operation"]
    # API Gateway can decode `%2F` to a slash. The path then matches no operation, and API Gateway returns the response
    # for unknown paths. With an empty path, `answers.faults` expects this response.
    if "%2f" in path.lower() and answer.status == 404 and body.get("code") == "NotFound":
        path = ""
    headers = {_ALL_HEADERS.get(name, name): value for name, value in answer.headers.items()}
    given = gateway.Answer({"statusCode": answer.status, "headers": headers, "body": answer.text})
    return answers.faults(document, method, path, given)
