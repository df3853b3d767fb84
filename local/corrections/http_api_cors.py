"""An HTTP API answers a preflight request from a foreign origin without CORS headers; the emulator answers 403."""

from __future__ import annotations

from typing import Any

from local.corrections import internal, replaces

_http: Any = internal("services.apigateway")


@replaces("services.apigateway._cors_preflight_response", "48dec7964484")
def preflight(original: Any, rules: Any, origin: str) -> Any:
    """Answer 204; a browser of a foreign origin finds nothing in it that would let it go on."""
    if rules and not _http._cors_response_headers(rules, origin):
        return 204, {"Content-Length": "0"}, b""
    return original(rules, origin)
