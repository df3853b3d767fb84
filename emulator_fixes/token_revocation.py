"""`POST /oauth2/revoke` revokes a refresh token and all tokens that came from it.

Emulator: The emulator has the API call RevokeToken, but not the endpoint `/oauth2/revoke`, and its discovery document
    lists no revocation endpoint.
AWS: `/oauth2/revoke` revokes the refresh token in the form field `token` and responds 200 without a body. It refuses a
    request without a token, and a token that is not a refresh token. The discovery document lists the endpoint.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
Upstream: request as a feature.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from emulator_fixes import internal, replaces

_PATH: Final = "/oauth2/revoke"
_cognito: Any = internal("services.cognito")


@replaces("app._handle_cognito_body_request", "a91f32c793d4")
async def respond(original: Any, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
    """Respond to a request to the revocation endpoint."""
    if (method, path) != ("POST", _PATH):
        return await original(method, path, headers, body, query)
    return _revoke({name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}, headers)


@replaces("services.cognito.well_known_openid_configuration", "d32ec6f91fb1")
def discover(original: Any, *arguments: Any, **named: Any) -> Any:
    """Add the revocation endpoint to the discovery document."""
    status, headers, body = original(*arguments, **named)
    document = json.loads(body)
    base = document["token_endpoint"].removesuffix("/oauth2/token")
    return status, headers, json.dumps({**document, "revocation_endpoint": base + _PATH}).encode()


def _revoke(form: dict[str, str], headers: Any) -> Any:
    client_id, secret = _cognito._authenticate_client(headers, form)
    client = _cognito._find_pool_by_client_id(client_id)[2]
    if not client or (client.get("ClientSecret") or "") != secret:
        return _cognito._oauth2_error("invalid_client", "Client authentication failed.", HTTPStatus.UNAUTHORIZED)
    token = form.get("token")
    if not token or client.get("EnableTokenRevocation") is False:
        return _cognito._oauth2_error("invalid_request", "The token is missing, or revocation is disabled.")
    claims = _cognito._token_claims(token)
    if claims.get("token_use") != "refresh" or claims.get("client_id") != client_id:
        return _cognito._oauth2_error("unsupported_token_type", "The token is not a refresh token of this client.")
    _cognito._revoke_token({"Token": token})
    return HTTPStatus.OK, {}, b""
