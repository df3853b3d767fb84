"""The errors that API Gateway itself generates for the REST API, with JSON bodies of the same form as all other errors.

API Gateway replaces `$context` variables in the body of a gateway response, but runs no other template code. The bodies
use the variable `$context.error.messageString`, because AWS replaces this variable with a quoted JSON text. The bodies
do not use `$context.error.validationErrorString`, because AWS inserts its text without quotes, and quotes inside that
text would break the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.apis.cors import CorsRules
from components.apis.mapping_templates import JSON, error_body, error_body_quoting
from contracts.orders import HTTP_STATUS, RETRY_AFTER_S, TOO_LARGE, WRONG_MEDIA_TYPE

NO_SUCH_ROUTE: Final = "The API has no such path, or the path does not support this method."
_TOKEN: Final = "Authorization: must contain a valid ID token of this user pool"  # noqa: S105
_INTERNAL: Final = "The request failed because of an internal error; retry it with the same Idempotency-Key."
_BODY: Final = "body: must be JSON that matches the schema of this operation in the OpenAPI document"


@dataclass(frozen=True)
class _GatewayResponse:
    code: str
    message: str
    """Message for the client. If empty, the response contains API Gateway's own message."""
    status: int | None = None
    """HTTP status of the response. None for the status that HTTP_STATUS contains for the error code `code`."""


# DEFAULT_4XX and DEFAULT_5XX apply to all response types that _RESPONSES does not list (API Gateway Developer Guide,
# "Gateway response types"). All unlisted 4xx types have the status 403, so the error code of DEFAULT_4XX is Forbidden.
_DEFAULTS: Final = ("DEFAULT_4XX", "DEFAULT_5XX")
_RESPONSES: Final = {
    "DEFAULT_4XX": _GatewayResponse("Forbidden", "The API refused the request."),
    "DEFAULT_5XX": _GatewayResponse("InternalError", _INTERNAL),
    "BAD_REQUEST_BODY": _GatewayResponse("ValidationError", _BODY),
    "BAD_REQUEST_PARAMETERS": _GatewayResponse("ValidationError", ""),
    "UNAUTHORIZED": _GatewayResponse("Unauthorized", _TOKEN),
    # By default, API Gateway returns 403 for an expired token. This API returns 401, because a client that receives 401
    # knows that it must sign in again.
    "EXPIRED_TOKEN": _GatewayResponse("Unauthorized", _TOKEN),
    "ACCESS_DENIED": _GatewayResponse("Forbidden", "The token does not allow this operation."),
    "WAF_FILTERED": _GatewayResponse("Forbidden", "The request was refused by the firewall."),
    # Despite its name, this response type is for a path or method that the API does not have. The error code NotFound
    # changes the status of the response from 403 to 404.
    "MISSING_AUTHENTICATION_TOKEN": _GatewayResponse("NotFound", NO_SUCH_ROUTE),
    "RESOURCE_NOT_FOUND": _GatewayResponse("NotFound", NO_SUCH_ROUTE),
    "REQUEST_TOO_LARGE": _GatewayResponse("PayloadTooLarge", TOO_LARGE),
    "UNSUPPORTED_MEDIA_TYPE": _GatewayResponse("UnsupportedMediaType", WRONG_MEDIA_TYPE),
    "THROTTLED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then retry the request."),
    "QUOTA_EXCEEDED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then retry the request."),
    "API_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL),
    "AUTHORIZER_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL),
    "AUTHORIZER_FAILURE": _GatewayResponse("InternalError", _INTERNAL),
    # For a failed integration, API Gateway's default status is 504. This API returns 502, because it uses 504 only for
    # timeouts.
    "INTEGRATION_FAILURE": _GatewayResponse("InternalError", _INTERNAL, 502),
    "INTEGRATION_TIMEOUT": _GatewayResponse(
        "Timeout", "The response took too long; the request may have been processed."
    ),
}


def gateway_responses(cors: CorsRules) -> dict[str, Any]:
    """Return all gateway responses by type, in the form of the extension `x-amazon-apigateway-gateway-responses`.

    Every response has the headers `cors.gateway_response_headers`, which allow only the main origin.
    """
    headers = {f"gatewayresponse.header.{key}": f"'{value}'" for key, value in cors.gateway_response_headers.items()}
    return {kind: _response(kind, response, headers) for kind, response in _RESPONSES.items()}


def _response(kind: str, response: _GatewayResponse, headers: Mapping[str, str]) -> dict[str, Any]:
    body = (
        error_body(response.code, response.message)
        if response.message
        else error_body_quoting(response.code, "$context.error.messageString")
    )
    # A status in DEFAULT_4XX or DEFAULT_5XX would replace the status of every other 4xx or 5xx response, so these two
    # responses set no status.
    status = {} if kind in _DEFAULTS else {"statusCode": str(response.status or HTTP_STATUS[response.code])}
    if response.code == "Timeout":
        headers = {**headers, "gatewayresponse.header.Retry-After": f"'{RETRY_AFTER_S}'"}
    return {**status, "responseParameters": headers, "responseTemplates": {JSON: body}}
