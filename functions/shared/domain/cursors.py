"""Cursors for paging through lists. A cursor contains the id of the last row on a page.

The API accepts a cursor only if its row exists and, in a list of orders, belongs to the caller. Cursors need no
signature: with a forged cursor, a client can read only data that it may read anyway.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from shared.errors import ValidationError

_VERSION: Final = "v1:"


def encode(row_id: str) -> str:
    """Return the cursor that continues after the row `row_id`."""
    return base64.urlsafe_b64encode(f"{_VERSION}{row_id}".encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Return the row id in `cursor`. Raises ValidationError for a text that `encode` never returns."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    row_id = text.removeprefix(_VERSION)
    # Base64 decoding ignores invalid characters and unused bits, so several cursors decode to the same id. Only the
    # cursor that `encode` returns is valid.
    if not text.startswith(_VERSION) or encode(row_id) != cursor:
        raise unknown()
    return row_id


def unknown() -> ValidationError:
    """Return the error for a cursor that was not issued to this caller."""
    return ValidationError("cursor: unknown; use next_cursor of the previous page, or omit it for the first page")
