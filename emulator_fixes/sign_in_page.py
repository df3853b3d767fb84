"""`GET /login` opens the sign-in page, and `GET /logout` can redirect to `/login`.

Emulator: The emulator accepts only POST at `/login`, and requires the parameter `logout_uri` at `/logout`.
AWS: `GET /login` opens the sign-in page and accepts all parameters of `/oauth2/authorize`. `GET /logout` with
    `redirect_uri` and `response_type`, instead of `logout_uri`, signs the user out and redirects to `/login` with the
    same parameters.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/login-endpoint.html
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
Upstream: report as a bug.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from emulator_fixes import internal, replaces

_cognito: Any = internal("services.cognito")


@replaces("app._handle_cognito_get_request", "56da82526242")
async def respond(original: Any, method: str, path: str, headers: Any, query: Any) -> Any:
    """Respond to a GET request of the sign-in page, or to a sign-out that continues with the sign-in page."""
    if (method, path) == ("GET", "/login"):
        return _cognito.handle_oauth2_authorize(method, path, headers, query)
    if (method, path) == ("GET", "/logout") and "logout_uri" not in query and "redirect_uri" in query:
        location = f"/login?{urlencode(query, doseq=True)}"
        return HTTPStatus.FOUND, {"Location": location, "Cache-Control": "no-store"}, b""
    return await original(method, path, headers, query)
