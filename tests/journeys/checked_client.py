"""The platform's client, with every answer held to the OpenAPI document of its API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from local.client import Answer, Client
from tests.contracts import answers
from tests.fakes import gateway

REST: Final = "rest-api.yaml"
HTTP: Final = "http-api.yaml"
_CODE: Final = re.compile(r"`([A-Z][A-Za-z]+)`")
_ALL_HEADERS: Final = {"content-type": "Content-Type", "location": "Location"}


class CheckedClient(Client):
    """A page of the stack's first origin. An answer that the contract does not have fails the test that got it."""

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
        """Where the page comes from."""
        return self.frontend["corsOrigins"][0]

    def _checked(self, document: str, method: str, path: str, answer: Answer) -> Answer:
        found = breaches(document, method, path.partition("?")[0], answer)
        # An HTTP API adds CORS headers only "to the response from an integration", not to its own error responses.
        promised = document == REST or not answer.text.startswith('{"message"')
        if promised and answer.headers.get("access-control-allow-origin") != self.origin:
            found.append("a page of the stack's own origin may not read it")
        assert not found, f"{method} {path}: {answer.status} {answer.text[:1000]}\n" + "\n".join(found)
        return answer


def breaches(document: str, method: str, path: str, answer: Answer) -> list[str]:
    """Return what in an answer is not as its API's document says."""
    try:
        body: Any = json.loads(answer.text)
    except ValueError:
        return ["the body is not JSON"]
    if document == HTTP and answers.operation_of(document, method, path) is None:
        return [] if answer.status == 404 and set(body) == {"message"} else [f"{method} {path} is no operation"]
    # An encoded slash separates path segments, so the path may not be in the document.
    if "%2f" in path.lower() and answer.status == 404 and body.get("code") == "NotFound":
        path = ""
    headers = {_ALL_HEADERS.get(name, name): value for name, value in answer.headers.items()}
    given = gateway.Answer({"statusCode": answer.status, "headers": headers, "body": answer.text})
    return answers.faults(document, method, path, given) + _wrong_code(document, method, path, answer.status, body)


def _wrong_code(document: str, method: str, path: str, status: int, body: Any) -> list[str]:
    """Return the error code that the status does not stand for: each description names its codes."""
    operation = answers.operation_of(document, method, path)
    if not operation or "code" not in body:
        return []
    responses = operation["responses"]
    described = responses.get(str(status), responses.get(f"{status // 100}XX", {})).get("description", "")
    codes = set(_CODE.findall(described)) & set(_codes(document))
    return [] if body["code"] in codes else [f"{status} stands for {codes}, got {body['code']}"]


def _codes(document: str) -> list[str]:
    return answers.document(document)["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
