"""What both APIs do with a request before and after their own code: caller, body, page, errors, answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from shared import request_body
from shared.contracts import Check
from shared.domain import orders
from shared.errors import HTTP_STATUS, InternalError, NotFound, OrdersError, ValidationError
from shared.identity import Caller, caller_of
from shared.telemetry import logger

Api = APIGatewayRestResolver | APIGatewayHttpResolver
_Api = TypeVar("_Api", APIGatewayRestResolver, APIGatewayHttpResolver)

_DEFAULT_LIMIT: Final = 20
_LIMIT: Final = re.compile(r"[1-9][0-9]?|100")
_NO_CLAIMS: Final[Mapping[str, Any]] = {}
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PARAMETER: Final = re.compile(r"<(\w+)>")


class _RestResolver(APIGatewayRestResolver):
    """Takes a path parameter as it is, for the operation to judge.

    Powertools' own pattern knows no `"` and no control characters, which would answer that there is no such route, and
    ignores a line feed at the end.
    """

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "") -> re.Pattern[str]:  # noqa: ARG004 - Powertools' signature
        # A trailing slash changes nothing: API Gateway hands `/orders/` to the method of `/orders`.
        return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", rule) + r"/*\Z")


class _HttpResolver(APIGatewayHttpResolver):
    """The same for an HTTP API, for which `/products/` is another path."""

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "") -> re.Pattern[str]:  # noqa: ARG004 - Powertools' signature
        return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", rule) + r"\Z")


def rest_api(cors_origins: str) -> APIGatewayRestResolver:
    """Return the resolver of a REST API whose answers may be read by pages of `cors_origins`, comma separated.

    Behind a Lambda proxy integration the function sets these headers itself (AWS rule).
    """
    first, *others = [origin.strip() for origin in cors_origins.split(",")]
    cors = CORSConfig(
        allow_origin=first, extra_origins=others, allow_headers=["Idempotency-Key"], expose_headers=["Location"]
    )
    return _with_errors(_RestResolver(cors=cors if first else None))


def http_api() -> APIGatewayHttpResolver:
    """Return the resolver of an HTTP API. CORS is the gateway's: it replaces what the function says (AWS rule)."""
    return _with_errors(_HttpResolver())


def caller(api: Api) -> Caller:
    """Return who calls; raise Unauthorized."""
    authorizer: dict[str, Any] = api.current_event.raw_event["requestContext"].get("authorizer") or {}
    if isinstance(api, APIGatewayRestResolver):
        return caller_of(authorizer.get("claims") or _NO_CLAIMS, "id")
    return caller_of(authorizer.get("jwt", {}).get("claims") or _NO_CLAIMS, "access")


def request_id(api: Api) -> str:
    """Return the gateway's id of the request: the one in its access log and its own errors.

    A client can choose it, so nothing may be decided by it; Lambda's own id is the one for that.
    """
    return api.current_event.request_context.request_id or ""


def json_body(api: Api, check: Check) -> Any:
    """Return the request's body, checked.

    Raises UnsupportedMediaType, PayloadTooLarge and ValidationError. The gateway has validated only bodies whose
    content type has a model (AWS rule), and an HTTP API validates none.
    """
    request_body.check_media_type(api.current_event.headers.get("content-type"))
    value = request_body.parse(_bytes(api))
    check(value)
    return value


def idempotency_key(api: Api) -> str | None:
    """Return the header `Idempotency-Key`, or None; raise ValidationError unless it has 1-255 characters."""
    key = api.current_event.headers.get("idempotency-key")
    if key is not None:
        orders.check_idempotency_key(key)
    return key


def page_limit(api: Api) -> int:
    """Return the query's `limit`; raise ValidationError unless it is 1-100 or absent."""
    text = api.current_event.query_string_parameters.get("limit")
    if text is None:
        return _DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text):
        raise ValidationError(f"limit: allowed: an integer from 1 to 100; leave it out for {_DEFAULT_LIMIT}")
    return int(text)


def page_cursor(api: Api) -> str | None:
    """Return the query's `cursor`, unchecked, or None."""
    return api.current_event.query_string_parameters.get("cursor")


def created_at(api: APIGatewayRestResolver, row_id: str) -> str:
    """Return the path of what a POST to a collection created: with the stage, as the client must ask for it."""
    return f"{api.current_event.request_context.path.rstrip('/')}/{row_id}"


def answer(status: HTTPStatus, body: Mapping[str, Any], *, location: str | None = None) -> Response[str]:
    """Return the answer: JSON for this caller and this origin alone."""
    headers = {"Cache-Control": "no-store", "Vary": "Origin"}
    if location:
        headers["Location"] = location
    return Response(
        status_code=status,
        content_type="application/json",
        body=_ENCODER.encode(body),
        headers=headers,
    )


def _with_errors(api: _Api) -> _Api:
    """Give every answer of `api` that is not its own code's the common body."""

    def follow_request(_: Any, next_middleware: NextMiddleware) -> Response[Any]:
        known_as = request_id(api)
        logger.append_keys(request_id=known_as, correlation_id=known_as)
        return cast("Response[Any]", next_middleware(api))

    def refuse(error: Exception) -> Response[str]:
        refused = error if isinstance(error, OrdersError) else InternalError("request: could not be handled; repeat it")
        status = HTTPStatus(HTTP_STATUS.get(type(refused), HTTPStatus.INTERNAL_SERVER_ERROR))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("request failed", exc_info=error, status=int(status))
            refused = InternalError("request: could not be handled; repeat it")
        else:
            logger.info("request refused", code=refused.code, status=int(status))
        return answer(status, {"code": refused.code, "message": str(refused), "request_id": request_id(api)})

    def no_route(_: Exception) -> Response[str]:
        return refuse(NotFound("path or method: there is no such operation"))

    untyped = cast("Any", api)
    untyped.use([follow_request])
    untyped.not_found(no_route)
    untyped.exception_handler(Exception)(refuse)
    return api


def _bytes(api: Api) -> bytes:
    """Return the body as it was sent; raise ValidationError if there is none."""
    body = api.current_event.body
    if not body:
        raise ValidationError("body: got none; allowed: a JSON object")
    if not api.current_event.is_base64_encoded:
        # Half of a surrogate pair, which no gateway sends, becomes bytes that are not UTF-8.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise ValidationError("body: is not base64, as which the gateway passed it on") from error
