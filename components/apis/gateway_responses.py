"""The errors that the REST API generates itself, with the same JSON body as all other errors.

API Gateway replaces `$context` variables in the body of a gateway response, but runs no other template code. The
bodies use the variable `$context.error.messageString`, because AWS puts its value in quotes. They do not use
`$context.error.validationErrorString`: AWS leaves its value unquoted, and quotes inside the value would break the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.apis.cors import CorsRules
from components.apis.mapping_templates import JSON, error_body, error_body_quoting

NO_SUCH_ROUTE: Final = "The API has no such path, or the path does not support this method."
_TOKEN: Final = "Authorization: must contain a valid ID token of this user pool"  # noqa: S105
_INTERNAL: Final = "The request failed because of an internal error; retry it with the same Idempotency-Key."
# The next two messages repeat the messages of the functions, so clients get one text for one error.
_LARGE: Final = "body: too large; allowed: at most 16384 bytes"
_KIND: Final = "Content-Type: must be application/json"
_BODY: Final = "body: must be JSON that matches the schema of this operation in the OpenAPI document"


@dataclass(frozen=True)
class _GatewayResponse:
    code: str
    message: str
    """Message for the client. If empty, the response contains API Gateway's own message."""
    status: int | None = None
    """HTTP status. None keeps API Gateway's status, because DEFAULT_4XX and DEFAULT_5XX cover several statuses."""


# The response types and their default statuses are listed under "Gateway response types" in the API Gateway Developer
# Guide. DEFAULT_4XX applies to every 4xx type that is missing here, and all of these default to 403. DEFAULT_5XX
# applies to every missing 5xx type.
_RESPONSES: Final = {
    "DEFAULT_4XX": _GatewayResponse("Forbidden", "The API refused the request."),
    "DEFAULT_5XX": _GatewayResponse("InternalError", _INTERNAL),
    "BAD_REQUEST_BODY": _GatewayResponse("ValidationError", _BODY, 400),
    "BAD_REQUEST_PARAMETERS": _GatewayResponse("ValidationError", "", 400),
    "UNAUTHORIZED": _GatewayResponse("Unauthorized", _TOKEN, 401),
    # API Gateway's default status is 403, but a client that receives 401 knows that it must sign in again.
    "EXPIRED_TOKEN": _GatewayResponse("Unauthorized", _TOKEN, 401),
    "ACCESS_DENIED": _GatewayResponse("Forbidden", "The token does not allow this request.", 403),
    "WAF_FILTERED": _GatewayResponse("Forbidden", "The firewall refused the request.", 403),
    # API Gateway returns this response, with 403 by default, for a path or method that the API does not have.
    "MISSING_AUTHENTICATION_TOKEN": _GatewayResponse("NotFound", NO_SUCH_ROUTE, 404),
    "RESOURCE_NOT_FOUND": _GatewayResponse("NotFound", NO_SUCH_ROUTE, 404),
    "REQUEST_TOO_LARGE": _GatewayResponse("PayloadTooLarge", _LARGE, 413),
    "UNSUPPORTED_MEDIA_TYPE": _GatewayResponse("UnsupportedMediaType", _KIND, 415),
    "THROTTLED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then retry the request.", 429),
    "QUOTA_EXCEEDED": _GatewayResponse("TooManyRequests", "Too many requests; wait, then retry the request.", 429),
    "API_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL, 500),
    "AUTHORIZER_CONFIGURATION_ERROR": _GatewayResponse("InternalError", _INTERNAL, 500),
    "AUTHORIZER_FAILURE": _GatewayResponse("InternalError", _INTERNAL, 500),
    # API Gateway's default status is 504, but this API uses 504 only for timeouts.
    "INTEGRATION_FAILURE": _GatewayResponse("InternalError", _INTERNAL, 502),
    "INTEGRATION_TIMEOUT": _GatewayResponse(
        "Timeout", "The response took too long; the request may still take effect.", 504
    ),
}


def gateway_responses(cors: CorsRules) -> dict[str, Any]:
    """Return all gateway responses by type, in the form of the extension `x-amazon-apigateway-gateway-responses`.

    Every response has the headers `cors.gateway_response_headers`, which allow only the main origin.
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
