"""The REST API's own errors, in the body that all errors have.

A gateway response is not processed by Velocity: it takes `$context` variables and nothing else. So no part of a
request is put into its message, except by `$context.error.messageString`, which AWS delivers quoted.
`$context.error.validationErrorString` comes unquoted, with quotes of its own in it, and would break the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.apis.cors import CorsRules
from components.apis.mapping_templates import JSON, error_body, error_body_quoting

NO_SUCH_ROUTE: Final = "There is no such path, or not with this method."
_TOKEN: Final = "A valid ID token of this user pool is needed in the header Authorization."  # noqa: S105
_INTERNAL: Final = "The request could not be handled; it may be repeated with the same Idempotency-Key."
# The next two messages repeat the messages of the functions, so clients get one text for one error.
_LARGE: Final = "body: too large; at most 16384 bytes"
_KIND: Final = "Content-Type: must be application/json"
_BODY: Final = "The body is not JSON that matches this operation's schema in the OpenAPI document."


@dataclass(frozen=True)
class _GatewayResponse:
    code: str
    message: str
    """What to do; empty is the gateway's own message."""
    status: int | None = None
    """HTTP status. None on DEFAULT_*: a status there would be the status of every error of that class."""


# The response types and their default statuses are listed under "Gateway response types" in the API Gateway Developer
# Guide. DEFAULT_4XX applies to every 4xx type that is missing here, and all of these default to 403. DEFAULT_5XX
# applies to every missing 5xx type.
_RESPONSES: Final = {
    "DEFAULT_4XX": _GatewayResponse("Forbidden", "The request was refused."),
    "DEFAULT_5XX": _GatewayResponse("InternalError", _INTERNAL),
    "BAD_REQUEST_BODY": _GatewayResponse("ValidationError", _BODY, 400),
    "BAD_REQUEST_PARAMETERS": _GatewayResponse("ValidationError", "", 400),
    "UNAUTHORIZED": _GatewayResponse("Unauthorized", _TOKEN, 401),
    # API Gateway's default status is 403, but a client that receives 401 knows that it must sign in again.
    "EXPIRED_TOKEN": _GatewayResponse("Unauthorized", _TOKEN, 401),
    "ACCESS_DENIED": _GatewayResponse("Forbidden", "The token does not allow this.", 403),
    "WAF_FILTERED": _GatewayResponse("Forbidden", "The request was refused by the firewall.", 403),
    # API Gateway returns this response, with 403 by default, for a path or method that the API does not have.
    "MISSING_AUTHENTICATION_TOKEN": _GatewayResponse("NotFound", NO_SUCH_ROUTE, 404),
    "RESOURCE_NOT_FOUND": _GatewayResponse("NotFound", NO_SUCH_ROUTE, 404),
    "REQUEST_TOO_LARGE": _GatewayResponse("PayloadTooLarge", _LARGE, 413),
    "UNSUPPORTED_MEDIA_TYPE": _GatewayResponse("UnsupportedMediaType", _KIND, 415),
    "THROTTLED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then repeat it.", 429),
    "QUOTA_EXCEEDED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then repeat it.", 429),
    "API_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL, 500),
    "AUTHORIZER_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL, 500),
    "AUTHORIZER_FAILURE": _GatewayResponse("InternalError", _INTERNAL, 500),
    # API Gateway's default status is 504, but this API uses 504 only for timeouts.
    "INTEGRATION_FAILURE": _GatewayResponse("InternalError", _INTERNAL, 502),
    "INTEGRATION_TIMEOUT": _GatewayResponse("Timeout", "The answer took too long; the request may be done.", 504),
}


def gateway_responses(cors: CorsRules) -> dict[str, Any]:
    """Return every gateway response, by its type, as the OpenAPI extension has it.

    All carry the same origin: the main one of `cors`.
    """
    headers = {f"gatewayresponse.header.{key}": f"'{value}'" for key, value in cors.gateway_response_headers.items()}
    return {kind: _response(response, headers) for kind, response in _RESPONSES.items()}


def _response(response: _GatewayResponse, headers: Mapping[str, str]) -> dict[str, Any]:
    body = (
        error_body(response.code, response.message)
        if response.message
        else error_body_quoting(response.code, "$context.error.messageString")
    )
    status = {} if response.status is None else {"statusCode": str(response.status)}
    return {**status, "responseParameters": headers, "responseTemplates": {JSON: body}}
