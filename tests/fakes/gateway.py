"""Events as both API Gateways send them to a Lambda function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

USER = "5a9d3c1e-0000-4000-8000-00000000000a"
OTHER_USER = "5a9d3c1e-0000-4000-8000-00000000000b"
ORIGIN = "https://shop.example.com"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client asks for, whatever the API."""

    method: str
    path: str
    body: Any = None
    """Text as it is, anything else as JSON; None is no body."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    user_id: str | None = USER
    """None is a request without an authorizer's claims."""
    groups: Sequence[str] = ()
    token_use: str | None = None
    """None is the kind that the API takes."""
    base64: bool = False
    """Whether `body` is base64 text."""

    def text(self) -> str | None:
        """Return the body as the gateway passes it on."""
        return self.body if self.body is None or isinstance(self.body, str) else json.dumps(self.body)

    def all_headers(self) -> dict[str, str]:
        """Return the headers with what every client sends."""
        kind = {"Content-Type": "application/json"} if self.body is not None else {}
        return {**kind, "Origin": ORIGIN, **self.headers}


def rest_event(request: Request) -> dict[str, Any]:
    """Return the event of the REST API: claims as they are, groups as `a,b`, absent things as null."""
    claims = {"sub": request.user_id, "token_use": request.token_use or "id"}
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
    """Return the event of the HTTP API, format 2.0: lower-case headers, groups as `[a b]`, absent things left out."""
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
    """What an API's function answered, whichever format."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        many: dict[str, list[str]] = event.get("multiValueHeaders") or {}
        one: dict[str, str] = event.get("headers") or {}
        self.status: int = event["statusCode"]
        self.headers = {name: values[0] for name, values in many.items()} | one
        self.body: Any = json.loads(event["body"])
