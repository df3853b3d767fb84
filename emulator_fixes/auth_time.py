"""Refreshed tokens keep the time of the sign-in in their claim `auth_time`.

The refresh token also contains this time, so refreshed tokens keep the time even after a restart of the emulator.

Emulator: After a refresh, the claim `auth_time` of the new tokens contains the time of the refresh. OpenID Connect
    clients such as oidc-client-ts refuse these tokens.
AWS: `auth_time` is always the time when the user signed in, also after a refresh.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
Source: https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from emulator_fixes import internal, replaces

_cognito: Any = internal("services.cognito")
_signed_in_at: contextvars.ContextVar[int | None] = contextvars.ContextVar("signed_in_at", default=None)


@replaces("services.cognito._build_auth_result", "ff9c8d0d9f5a")
def create_tokens(original: Any, *arguments: Any, **named: Any) -> Any:
    """Write the time of the sign-in into new tokens: the current time, or, during a refresh, the original time."""
    with _at(_signed_in_at.get() or int(time.time())):
        return original(*arguments, **named)


@replaces("services.cognito._refresh_auth_result", "7cb88db405d8")
def refresh_by_api(original: Any, pool: Any, pool_id: str, client_id: str, refresh_token: str) -> Any:
    """Copy the `auth_time` of the refresh token to the tokens that an API call refreshes."""
    with _at(_time_in(refresh_token)):
        return original(pool, pool_id, client_id, refresh_token)


@replaces("services.cognito._oauth2_token", "e0739e03b5e3")
def refresh_by_endpoint(original: Any, data: Any, query: Any, body: bytes = b"", headers: Any = None) -> Any:
    """Copy the `auth_time` of the refresh token to the tokens that the token endpoint refreshes."""
    refresh_token = parse_qs(body.decode(errors="replace")).get("refresh_token", [""])[0]
    with _at(_time_in(refresh_token)):
        return original(data, query, body, headers)


@replaces("services.cognito._signed_jwt", "b9dfceb8b439")
def sign(original: Any, claims: Any, pool_id: str = "", use: str = "") -> Any:
    """Write the time of the sign-in into every token of a session, including the refresh token."""
    signed_in_at = _signed_in_at.get()
    if signed_in_at and "origin_jti" in claims:
        claims = {**claims, "auth_time": signed_in_at}
    return original(claims, pool_id, use)


def _time_in(refresh_token: str) -> int | None:
    return _cognito._token_claims(refresh_token).get("auth_time")


@contextmanager
def _at(signed_in_at: int | None) -> Generator[None]:
    token = _signed_in_at.set(signed_in_at)
    try:
        yield
    finally:
        _signed_in_at.reset(token)
