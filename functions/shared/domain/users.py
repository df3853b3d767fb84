"""Profiles."""

from __future__ import annotations

import re
from typing import Final, TypedDict

# contracts/rest-api.yaml, UserId.
_USER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class UserContent(TypedDict):
    """What a caller says: `NewUser` of the contract."""

    name: str
    email: str


class User(UserContent):
    """A profile as its owner sees it."""

    user_id: str
    created_at: str


def is_user_id(text: str) -> bool:
    """Say whether a user could have this id."""
    return _USER_ID.fullmatch(text) is not None
