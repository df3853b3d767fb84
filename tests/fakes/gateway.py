"""The events with which the REST API and the HTTP API invoke Lambda functions, and the functions' responses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

USER = "5a9d3c1e-0000-4000-8000-00000000000a"
OTHER_USER = "5a9d3c1e-0000-4000-8000-00000000000b"
ADDRESS = "ada@example.com"
"""The verified email address in every token, unless a test sets another address."""
ORIGIN = "https://shop.example.com"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A client's request to the REST API or the HTTP API."""

    method: str
    path: str
    body: Any = None
    """A string is sent unchanged, and any other value is sent as JSON. None means that the request has no body."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    user_id: str | None = USER
    """The claim `sub`. None means that API Gateway checked no token, so the request has no claims."""
    groups: Sequence[str] = ()
    token_use: str | None = None
    """The claim `token_use`: `id` or `access`. None means the kind of token that the API requires."""
    email: str | None = ADDRESS
    """The claim `email` of an ID token. None means that the token has no such claim."""
    email_verified: Any = "true"
    """The claim `email_verified` of an ID token. API Gateway passes this claim as text."""
    base64: bool = False
    """Whether `body` is Base64-encoded."""

    def text(self) -> str | None:
        """Return the body in the form in which API Gateway passes it to the function."""
        return self.body if self.body is None or isinstance(self.body, str) else json.dumps(self.body)

    def all_headers(self) -> dict[str, str]:
        """Return the headers of the request together with the headers that every client sends."""
        kind = {"Content-Type": "application/json"} if self.body is not None else {}
        return {**kind, "Origin": ORIGIN, **self.headers}


def rest_event(request: Request) -> dict[str, Any]:
    """Return the event with which the REST API invokes a Lambda function.

    The claim `cognito:groups` has the form `a,b`, and missing values are null.
    """
    claims: dict[str, Any] = {"sub": request.user_id, "token_use": request.token_use or "id"}
    if request.email is not None:
        claims |= {"email": request.email, "email_verified": request.email_verified}
    if request.groups:
        claims["cognito:groups"] = ",".join(request.groups)
    headers = request.all_headers()
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in request.query.items()} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "gateway-request",
            "stage": "prod",
            "path": f"/prod{request.path}",
            "httpMethod": request.method,
            "authorizer": {"claims": claims} if request.user_id else None,
        },
        "body": request.text(),
        "isBase64Encoded": request.base64,
    }


def http_event(request: Request) -> dict[str, Any]:
    """Return the event with which the HTTP API invokes a Lambda function, in the payload format 2.0.

    Header names are in lower case, the claim `cognito:groups` has the form `[a b]`, and no value is null.
    """
    claims = {"sub": request.user_id, "token_use": request.token_use or "access", "scope": "openid email"}
    if request.groups:
        claims["cognito:groups"] = f"[{' '.join(request.groups)}]"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in request.query.items()),
        "headers": {name.lower(): value for name, value in request.all_headers().items()},
        "requestContext": {
            "requestId": "gateway-request",
            "stage": "$default",
            "http": {"method": request.method, "path": request.path},
            "authorizer": {"jwt": {"claims": claims, "scopes": ["email"]}},
        },
        "isBase64Encoded": request.base64,
    }
    if request.query:
        event["queryStringParameters"] = dict(request.query)
    if request.body is not None:
        event["body"] = request.text()
    return event


class Answer:
    """The response of an API function, in the format of the REST API or of the HTTP API."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        many: dict[str, list[str]] = event.get("multiValueHeaders") or {}
        one: dict[str, str] = event.get("headers") or {}
        self.status: int = event["statusCode"]
        self.headers = {name: values[0] for name, values in many.items()} | one
        self.body: Any = json.loads(event["body"])
