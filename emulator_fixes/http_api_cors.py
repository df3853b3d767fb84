"""A preflight request from an origin that is not allowed gets 204 without CORS headers.

Emulator: The emulator responds 403 to a preflight request from an origin that is not allowed.
AWS: An HTTP API responds 204 and omits the CORS headers, so the browser blocks the request that follows.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any

from emulator_fixes import internal, replaces

_http: Any = internal("services.apigateway")


@replaces("services.apigateway._cors_preflight_response", "48dec7964484")
def preflight(original: Any, rules: Any, origin: str) -> Any:
    """Respond 204 without CORS headers if the API does not allow the origin."""
    if rules and not _http._cors_response_headers(rules, origin):
        return 204, {"Content-Length": "0"}, b""
    return original(rules, origin)
