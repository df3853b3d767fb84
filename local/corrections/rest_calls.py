"""The request that a REST API is working on, for the corrections that need more of it than the emulator hands them."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.corrections import nested
from local.corrections.velocity import Request


@dataclass
class RestCall:
    """One request to a REST API."""

    method: str
    path: str
    headers: Mapping[str, Any]
    query: Mapping[str, list[str]]
    body: bytes
    source: Any = None
    """The emulator's own notes: path parameters, resource, stage, request id."""
    authorizer: Any = None
    error: tuple[str, str] | None = None
    """Type and message of the gateway's own error."""
    throttled: bool = False
    """Whether Lambda throttled the function behind the method."""
    integration: dict[str, str] = field(default_factory=dict[str, str])
    """Status and latency of what stands behind the method."""
    began: float = field(default_factory=time.time)

    def context(self) -> dict[str, Any]:
        """Return API Gateway's $context."""
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
        """Return what a mapping template sees, with the request's body or the integration's."""
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
