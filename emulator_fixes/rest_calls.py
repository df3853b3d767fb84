"""Stores the current REST API request, because the emulator does not pass all of its details to the corrections."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator_fixes import nested
from emulator_fixes.velocity import Request


@dataclass
class RestCall:
    """One request to a REST API."""

    method: str
    path: str
    headers: Mapping[str, Any]
    query: Mapping[str, list[str]]
    body: bytes
    source: Any = None
    """The emulator's record of the request: path parameters, resource, stage and request id."""
    authorizer: Any = None
    error: tuple[str, str] | None = None
    """Response type and message of the error that API Gateway itself returns, or None."""
    throttled: bool = False
    """Whether Lambda throttled the function that the method invokes."""
    integration: dict[str, str] = field(default_factory=dict[str, str])
    """Status and latency of the method's integration."""
    began: float = field(default_factory=time.time)

    def context(self) -> dict[str, Any]:
        """Return the values of API Gateway's $context variable."""
        source: Any = self.source or {}
        stage, at = source.get("stage_name", ""), datetime.fromtimestamp(self.began, UTC)
        return {
            "accountId": "",
            "apiId": source.get("api_id", ""),
            "authorizer": self.authorizer or {},
            "extendedRequestId": source.get("request_id", ""),
            "httpMethod": self.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": str(self.headers.get("user-agent", ""))},
            "path": f"/{stage}{self.path}",
            "protocol": "HTTP/1.1",
            "requestId": source.get("request_id", ""),
            "requestTime": f"{at:%d/%b/%Y:%H:%M:%S +0000}",
            "requestTimeEpoch": int(self.began * 1000),
            "resourcePath": source.get("resource_path", ""),
            "stage": stage,
        }

    def template_request(self, body: str) -> Request:
        """Return the request as a mapping template sees it. `body` is the request's or the integration's body."""
        source: Any = self.source or {}
        return Request(
            body=body,
            path=source.get("path_params") or {},
            query={name: values[-1] for name, values in self.query.items() if values},
            headers={name: str(value) for name, value in self.headers.items()},
            context=self.context(),
            stage_variables=nested(source, "stage", "variables") or {},
        )


current: contextvars.ContextVar[RestCall | None] = contextvars.ContextVar("rest_call", default=None)
