"""Calls on the loopback interface count as encrypted.

The emulator speaks plain HTTP, and it enforces policies that deny what does not come over TLS: without this, every role
would be locked out of every queue, topic and bucket. That the policies stand there is proven on the resource graph.
"""

from __future__ import annotations

import contextvars
from typing import Any

from local.corrections import internal, replaces

_HERE = ("127.0.0.1", True)

# Work outside of a request, such as a delivery by EventBridge, has no caller address, so it uses this default.
internal("core.iam_evaluator")._request_origin = contextvars.ContextVar("request_origin", default=_HERE)


@replaces("app.pin_request_origin", "de819c1bd9ac")
def pin_request_origin(original: Any, source_ip: str, secure_transport: bool) -> None:
    """Remember the caller's address, and that its connection is as good as encrypted."""
    del secure_transport
    original(source_ip, True)
