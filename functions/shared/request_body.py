"""A request's body as both ways of ordering and the catalogue read it: kind, size, text, JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from shared.errors import PayloadTooLarge, UnsupportedMediaType, ValidationError

LARGEST_BODY_BYTES: Final = 16 * 1024
"""Five times the largest order."""
_LONGEST_NUMBER: Final = 400
"""Characters. Python reads integers of up to 4,300 digits; of doubles none needs more than these."""
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def check_media_type(content_type: str | None) -> None:
    """Raise UnsupportedMediaType for a header `Content-Type` that is not JSON in UTF-8; None is no header."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    is_json = kind.strip().lower() == "application/json" and charset in {"", "charset=utf-8"}
    if content_type is not None and not is_json:
        raise UnsupportedMediaType("Content-Type: got another one; allowed: application/json")


def too_large() -> PayloadTooLarge:
    """Return the error for a body of more bytes than are allowed."""
    return PayloadTooLarge(f"body: got more than any valid one has; allowed: {LARGEST_BODY_BYTES} bytes")


def parse(data: bytes) -> Any:
    """Return the value of a body; raise PayloadTooLarge, and ValidationError for what is not JSON in UTF-8."""
    if len(data) > LARGEST_BODY_BYTES:
        raise too_large()
    try:
        text = data.decode()
    except ValueError as error:
        raise ValidationError("body: is not text in UTF-8; allowed: JSON in UTF-8") from error
    # A gateway puts it in the place of what it cannot decode, so that this may have been any bytes.
    if _REPLACED in text:
        raise ValidationError(
            "body: got U+FFFD, which stands for bytes that are not UTF-8; allowed: JSON in UTF-8; write it as \\ufffd"
        )
    try:
        value = _DECODER.decode(text)
        # A lone surrogate is a string for Python that no service takes. UTF-8 has none, so it was written as \ud800.
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValidationError("body: got half of a surrogate pair; allowed: Unicode text") from error
    except RecursionError as error:
        raise ValidationError("body: is nested too deeply; allowed: what the OpenAPI document says") from error
    except ValueError as error:
        raise ValidationError("body: is not JSON; allowed: a JSON object") from error
    return value


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValidationError(f"body: got a number of {len(digits)} characters; allowed: {_LONGEST_NUMBER}")
    return int(digits)


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_not_json, parse_int=_integer)
