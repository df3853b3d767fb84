"""Handles requests and responses for both APIs: caller, body, paging, errors and headers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from botocore.exceptions import ClientError

from contracts.orders import EXPOSED_HEADERS, HTTP_STATUS, LARGEST_ID_LIST
from shared import request_body
from shared.aws import error_code, is_throttled
from shared.contracts import Check
from shared.domain import orders
from shared.errors import InternalError, NotFound, OrdersError, TooManyRequests, ValidationError
from shared.identity import Caller, caller_of
from shared.telemetry import logger

Api = APIGatewayRestResolver | APIGatewayHttpResolver

_DEFAULT_LIMIT: Final = 20
_LIMIT: Final = re.compile(r"[1-9][0-9]?|100")
_NO_CLAIMS: Final[Mapping[str, Any]] = {}
_INTERNAL_ERROR: Final = "The request failed because of an internal error; retry the request."
_BUSY: Final = "The service is too busy; wait, then retry the request."
_RETRY_AFTER_S: Final = 1
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PARAMETER: Final = re.compile(r"<(\w+)>")


class _RestResolver(APIGatewayRestResolver):
    """Accepts any text as a path parameter. Each operation then checks its ids and returns its own error.

    Powertools' default pattern excludes `"` and control characters. For an id with such a character, clients would get
    the error of an unknown route. The default pattern also ignores a line feed at the end of the path. The operation
    would receive an id that differs from the id in the request.
    """

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "") -> re.Pattern[str]:  # noqa: ARG004 - Powertools prescribes the signature
        # API Gateway treats `/orders/` like `/orders`, but passes the path to the function unchanged. The pattern
        # therefore accepts trailing slashes.
        return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", rule) + r"/*\Z")


class _HttpResolver(APIGatewayHttpResolver):
    """Accepts any text as a path parameter, but no trailing slash.

    In an HTTP API, unlike in a REST API, `/products` and `/products/` are different paths.
    """

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "") -> re.Pattern[str]:  # noqa: ARG004 - Powertools prescribes the signature
        return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", rule) + r"\Z")


def rest_api(cors_origins: str) -> APIGatewayRestResolver:
    """Return the resolver of a REST API that web pages from `cors_origins` (comma-separated) may call.

    With a Lambda proxy integration, the function must return the CORS headers itself:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
    """
    first, *others = [origin.strip() for origin in cors_origins.split(",")]
    cors = CORSConfig(
        allow_origin=first,
        extra_origins=others,
        allow_headers=["Idempotency-Key"],
        expose_headers=list(EXPOSED_HEADERS),
    )
    return _with_errors(_RestResolver(cors=cors if first else None))


def http_api() -> APIGatewayHttpResolver:
    """Return the resolver of an HTTP API. API Gateway sets the CORS headers and ignores those of the function."""
    return _with_errors(_HttpResolver())


def caller(api: Api) -> Caller:
    """Return the caller. Raises Unauthorized if the token has no valid subject or is of the wrong kind."""
    authorizer: dict[str, Any] = api.current_event.raw_event["requestContext"].get("authorizer") or {}
    if isinstance(api, APIGatewayRestResolver):
        return caller_of(authorizer.get("claims") or _NO_CLAIMS, "id")
    return caller_of(authorizer.get("jwt", {}).get("claims") or _NO_CLAIMS, "access")


def request_id(api: Api) -> str:
    """Return API Gateway's request id. API Gateway's access log and its own error responses contain the same id.

    Clients can override this id, so two requests can have the same one. Use it for logs only. To recognize a write that
    the SDK repeats, use Lambda's request id.
    """
    return api.current_event.request_context.request_id or ""


def json_body(api: Api, check: Check) -> Any:
    """Parse the request body and check it with `check`.

    Raises UnsupportedMediaType, PayloadTooLarge and ValidationError. The check is necessary: a REST API validates a
    body only if it has a model for the body's content type, and an HTTP API never validates bodies.
    """
    request_body.check_media_type(api.current_event.headers.get("content-type"))
    value = request_body.parse(_bytes(api))
    check(value)
    return value


def idempotency_key(api: Api) -> str | None:
    """Return the `Idempotency-Key` header, or None. Raises ValidationError unless the key has 1 to 255 characters."""
    key = api.current_event.headers.get("idempotency-key")
    if key is not None:
        orders.check_idempotency_key(key)
    return key


def page_limit(api: Api) -> int:
    """Return the query parameter `limit`, or its default. Raises ValidationError unless the limit is 1 to 100."""
    text = api.current_event.query_string_parameters.get("limit")
    if text is None:
        return _DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text):
        raise ValidationError(f"limit: must be an integer from 1 to 100; omit it for the default of {_DEFAULT_LIMIT}")
    return int(text)


def page_cursor(api: Api) -> str | None:
    """Return the query parameter `cursor` without validation, or None."""
    return api.current_event.query_string_parameters.get("cursor")


def id_list(api: Api) -> list[str] | None:
    """Return the distinct ids in the query parameter `ids`, or None if the request has no such parameter.

    Raises ValidationError if the parameter has no id or more than 100 different ids, or if the request also has a
    limit or a cursor.
    """
    parameters = api.current_event.query_string_parameters
    text = parameters.get("ids")
    if text is None:
        return None
    if "limit" in parameters or "cursor" in parameters:
        raise ValidationError("ids: cannot be combined with limit or cursor; omit them")
    ids = list(dict.fromkeys(text.split(",")))
    if not text or len(ids) > LARGEST_ID_LIST:
        raise ValidationError(f"ids: must be 1 to {LARGEST_ID_LIST} ids, separated by commas")
    return ids


def location_of(api: APIGatewayRestResolver, row_id: str) -> str:
    """Return the Location header for a resource that a POST created: its path, including the API's stage."""
    return f"{api.current_event.request_context.path.rstrip('/')}/{row_id}"


def answer(
    status: HTTPStatus, body: Mapping[str, Any], *, location: str | None = None, retry_after_s: int | None = None
) -> Response[str]:
    """Return a JSON response that no cache may store. A response can depend on the caller and on the Origin header.

    `location` and `retry_after_s` become the headers Location and Retry-After.
    """
    headers = {"Cache-Control": "no-store", "Vary": "Origin"}
    if location:
        headers["Location"] = location
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return Response(
        status_code=status,
        content_type="application/json",
        body=_ENCODER.encode(body),
        headers=headers,
    )


def _rejection(error: Exception) -> OrdersError:
    """Return the error that the client receives for `error`, any exception of a handler."""
    if isinstance(error, OrdersError):
        return error
    if isinstance(error, ClientError) and is_throttled(error):
        return TooManyRequests(_BUSY)
    return InternalError(_INTERNAL_ERROR)


def _cause(error: Exception) -> dict[str, str]:
    """Return {"cause": AWS's error code} for the log line if AWS refused a call, otherwise {}."""
    return {"cause": error_code(error)} if isinstance(error, ClientError) else {}


def _with_errors[Api: (APIGatewayRestResolver, APIGatewayHttpResolver)](api: Api) -> Api:
    """Make `api` respond to exceptions and unknown routes with the common error body, and return `api`."""

    def log_request_id(_: Any, next_middleware: NextMiddleware) -> Response[Any]:
        gateway_id = request_id(api)
        logger.append_keys(request_id=gateway_id, correlation_id=gateway_id)
        return cast("Response[Any]", next_middleware(api))

    def error_response(error: Exception) -> Response[str]:
        rejected = _rejection(error)
        status = HTTPStatus(HTTP_STATUS.get(rejected.code, HTTPStatus.INTERNAL_SERVER_ERROR))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("request failed", exc_info=error, status=int(status))
            rejected = InternalError(_INTERNAL_ERROR)
        else:
            logger.info("request rejected", code=rejected.code, status=int(status), extra=_cause(error))
        body: dict[str, Any] = {"code": rejected.code, "message": str(rejected), "request_id": request_id(api)}
        if rejected.details:
            body["details"] = rejected.details
        return answer(status, body, retry_after_s=_RETRY_AFTER_S if isinstance(rejected, TooManyRequests) else None)

    def no_route(_: Exception) -> Response[str]:
        return error_response(NotFound("path or method: not found; see the OpenAPI document"))

    untyped = cast("Any", api)
    untyped.use([log_request_id])
    untyped.not_found(no_route)
    untyped.exception_handler(Exception)(error_response)
    return api


def _bytes(api: Api) -> bytes:
    """Return the bytes of the body. Raises ValidationError if the request has no body or invalid base64."""
    body = api.current_event.body
    if not body:
        raise ValidationError("body: missing; send a JSON object")
    if not api.current_event.is_base64_encoded:
        # With `surrogatepass`, an unpaired surrogate becomes bytes that are not valid UTF-8. The parser rejects these
        # bytes later with a ValidationError.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise ValidationError("body: not valid base64, although API Gateway marked it as base64") from error
