"""Checks and parses request bodies: media type, size, encoding and JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.orders import LARGEST_BODY_BYTES, TOO_LARGE, WRONG_MEDIA_TYPE
from shared.errors import PayloadTooLarge, UnsupportedMediaType, ValidationError

_LONGEST_NUMBER: Final = 400
"""Maximum length of an integer. Python parses up to 4,300 digits, but no double has more than 400 digits."""
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def check_media_type(content_type: str | None) -> None:
    """Raise UnsupportedMediaType unless the Content-Type header is JSON in UTF-8 or missing (None)."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    is_json = kind.strip().lower() == "application/json" and charset in {"", "charset=utf-8"}
    if content_type is not None and not is_json:
        raise UnsupportedMediaType(WRONG_MEDIA_TYPE)


def too_large() -> PayloadTooLarge:
    """Return the error for a body that exceeds the maximum size."""
    return PayloadTooLarge(TOO_LARGE)


def parse(data: bytes) -> Any:
    """Return the parsed body. Raises PayloadTooLarge, and ValidationError if the body is not JSON in UTF-8."""
    if len(data) > LARGEST_BODY_BYTES:
        raise too_large()
    try:
        text = data.decode()
    except ValueError as error:
        raise ValidationError("body: not valid UTF-8; send JSON in UTF-8") from error
    # Reject a body that contains U+FFFD. API Gateway replaces bytes that are not valid UTF-8 with this character, so
    # the client's original text may be lost.
    if _REPLACED in text:
        raise ValidationError(
            "body: contains U+FFFD, which replaces invalid UTF-8; to send this character, escape it as \\ufffd"
        )
    try:
        value = _DECODER.decode(text)
        # Python's JSON parser accepts an unpaired surrogate, but AWS services do not. `encode` raises an error for an
        # unpaired surrogate. Only an escape such as \ud800 can produce one, so a text without escapes needs no check.
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValidationError("body: contains an unpaired surrogate; send valid Unicode text") from error
    except RecursionError as error:
        raise ValidationError("body: nested too deeply; see the schema in the OpenAPI document") from error
    except ValueError as error:
        raise ValidationError("body: not valid JSON; send a JSON object") from error
    return value


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValidationError(
            f"body: contains a number of {len(digits)} characters; allowed: at most {_LONGEST_NUMBER}"
        )
    return int(digits)


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_not_json, parse_int=_integer)
