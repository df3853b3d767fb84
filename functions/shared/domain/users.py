"""The fields of user profiles, and the format of user ids."""

from __future__ import annotations

import re
from typing import Final, TypedDict

# contracts/rest-api.yaml repeats this pattern in UserId, and a test compares the two.
_USER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class UserContent(TypedDict):
    """The fields of a profile that a caller sets. The schema is `NewUser` in contracts/rest-api.yaml."""

    name: str
    email: str


class User(UserContent):
    """A profile as the API returns it."""

    user_id: str
    created_at: str


def is_user_id(text: str) -> bool:
    """Return whether `text` has the format of a user id."""
    return _USER_ID.fullmatch(text) is not None
