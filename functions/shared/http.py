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

from shared.contracts import Check
from shared.domain.orders import LONGEST_IDEMPOTENCY_KEY
from shared.errors import (
    HTTP_STATUS,
    InternalError,
    NotFound,
    OrdersError,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationError,
)
from shared.identity import Caller, caller_of
from shared.telemetry import logger

Api = APIGatewayRestResolver | APIGatewayHttpResolver
_Api = TypeVar("_Api", APIGatewayRestResolver, APIGatewayHttpResolver)

LARGEST_BODY_BYTES: Final = 16 * 1024
"""Five times the largest order."""
_DEFAULT_LIMIT: Final = 20
_LIMIT: Final = re.compile(r"[1-9][0-9]?|100")
_NO_CLAIMS: Final[Mapping[str, Any]] = {}
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def rest_api(cors_origins: str) -> APIGatewayRestResolver:
    """Return the resolver of a REST API whose answers may be read by pages of `cors_origins`, comma separated.

    Behind a Lambda proxy integration the function sets these headers itself (AWS rule).
    """
    first, *others = [origin.strip() for origin in cors_origins.split(",")]
    cors = CORSConfig(
        allow_origin=first, extra_origins=others, allow_headers=["Idempotency-Key"], expose_headers=["Location"]
    )
    return _with_errors(APIGatewayRestResolver(cors=cors if first else None))


def http_api() -> APIGatewayHttpResolver:
    """Return the resolver of an HTTP API. CORS is the gateway's: it replaces what the function says (AWS rule)."""
    return _with_errors(APIGatewayHttpResolver())


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
    media_type = api.current_event.headers.get("content-type")
    if media_type is not None and not _is_json(media_type):
        raise UnsupportedMediaType("Content-Type: got another one; allowed: application/json")
    value = _parse(_text(api))
    check(value)
    return value


def idempotency_key(api: Api) -> str | None:
    """Return the header `Idempotency-Key`, or None; raise ValidationError unless it has 1-255 characters."""
    key = api.current_event.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise ValidationError(
            f"Idempotency-Key: got {len(key)} characters; allowed: 1 to {LONGEST_IDEMPOTENCY_KEY}, or no such header"
        )
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
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        headers=headers,
    )


def _with_errors(api: _Api) -> _Api:
    """Give every answer of `api` that is not its own code's the common body."""

    def follow_request(_: Any, next_middleware: NextMiddleware) -> Response[Any]:
        logger.append_keys(request_id=request_id(api))
        logger.set_correlation_id(request_id(api))
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


def _is_json(media_type: str) -> bool:
    kind, _, parameters = media_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in {"", "charset=utf-8"}


def _text(api: Api) -> str:
    """Return the body as text; raise ValidationError if it is none."""
    body = api.current_event.body
    if not body:
        raise ValidationError("body: got none; allowed: a JSON object")
    try:
        data = base64.b64decode(body, validate=True) if api.current_event.is_base64_encoded else body.encode()
        text = data.decode()
    except ValueError as error:
        raise _not_utf8() from error
    if len(data) > LARGEST_BODY_BYTES:
        raise PayloadTooLarge(f"body: got {len(data)} bytes; allowed: {LARGEST_BODY_BYTES}")
    # What a gateway could not decode it has replaced already.
    if _REPLACED in text:
        raise _not_utf8()
    return text


def _parse(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # A lone surrogate (an escape such as \ud800) is a string for Python that no service takes.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _not_utf8() from error
    except (ValueError, RecursionError) as error:
        raise ValidationError("body: is not JSON; allowed: a JSON object") from error
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _not_utf8() -> ValidationError:
    return ValidationError("body: is not text in UTF-8")
