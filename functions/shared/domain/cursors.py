"""Cursors of the lists: the id of the page's last row.

The row itself gives the key to go on from, so there is no secret in a cursor and nothing to forge: it counts only if
its row exists and is the caller's.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from shared.errors import ValidationError

_VERSION: Final = "v1:"


def encode(row_id: str) -> str:
    """Return the cursor behind the row `row_id`."""
    return base64.urlsafe_b64encode(f"{_VERSION}{row_id}".encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Return the row id in `cursor`; raise ValidationError unless `encode` could have made it."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    row_id = text.removeprefix(_VERSION)
    # Base64 ignores foreign characters and spare bits, so the way back must give the same text.
    if not text.startswith(_VERSION) or encode(row_id) != cursor:
        raise unknown()
    return row_id


def unknown() -> ValidationError:
    """Return the error for a cursor that no page of this caller has given out."""
    return ValidationError(
        "cursor: got an unknown one; allowed is next_cursor of the page before; leave it out to start"
    )
