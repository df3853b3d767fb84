"""Calls on the loopback interface count as encrypted.

This correction evaluates policies as if such calls used TLS. In the emulator, the policies that require TLS therefore
deny nothing. If one of them were missing, no call to the emulator would show it. Tests of the resource graph therefore
check that these policies exist.

Emulator: Clients call the emulator over plain HTTP, and the emulator enforces the platform's policies that deny
    requests without TLS. These policies would deny all access to the queues, topics and buckets.
AWS: All requests of the platform use TLS, so these policies deny no request of the platform.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
Upstream: nothing to report, because AWS enforces such policies too.
"""

from __future__ import annotations

import contextvars
from typing import Any

from emulator_fixes import internal, replaces

_HERE = ("127.0.0.1", True)

# The default is the origin of work outside of a request, such as a delivery by EventBridge: an encrypted connection
# from 127.0.0.1.
internal("core.iam_evaluator")._request_origin = contextvars.ContextVar("request_origin", default=_HERE)


@replaces("app.pin_request_origin", "de819c1bd9ac")
def pin_request_origin(original: Any, source_ip: str, secure_transport: bool) -> None:
    """Remember the client's address, and treat its connection as encrypted."""
    del secure_transport
    original(source_ip, True)
