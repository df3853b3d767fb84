"""The fields of user profiles, and the rules for user ids and names."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, TypedDict

from shared.errors import ValidationError

# This pattern must equal the pattern of UserId in contracts/rest-api.yaml. A test compares the two.
_USER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
# These Unicode categories contain control characters, format characters (bidirectional, zero-width), line separators
# and paragraph separators. The pattern of NewUserName in contracts/rest-api.yaml lists the characters of these
# categories up to U+FFFF. A test compares the list with the categories.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
# Mail programs turn text with these characters into links, for example email addresses, URLs such as `tel:1`, and
# Windows paths.
_LINKING: Final = frozenset("@:\\")
# This pattern matches domain names, because mail programs turn them into links. It does not match a single letter
# before a dot, which is usually an initial, as in `J.Smith`.
_DOMAIN: Final = re.compile(r"\bwww\.|[^\W_][\w-]*[^\W_]\.[^\W\d_]{2}", re.IGNORECASE)
# `plain_text` inserts a space after these characters, so that mail programs find no link. The three characters in
# \u notation are dots of Chinese and Japanese text. Browsers treat them like the dot in a domain name.
_WITHOUT_SPACE: Final = re.compile(r"([.\u3002\uff0e\uff61@:\\])(?=[\w/\\])")


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


def is_name(text: str) -> bool:
    """Return whether a profile may have this name: it has no invisible characters and does not look like a link."""
    return not any(_is_invisible(each) or each in _LINKING for each in text) and _DOMAIN.search(text) is None


def check_name(text: str) -> None:
    """Raise ValidationError unless a profile may have this name."""
    if not is_name(text):
        raise ValidationError(
            "body.name: contains an invisible character or looks like a link; allowed: a name without control and "
            "format characters, @, :, \\ and domain names; put a space after each dot",
            [{"pointer": "/name", "rule": "name", "message": "contains an invisible character or looks like a link"}],
        )


def plain_text(text: str) -> str:
    """Return `text` as one line without invisible characters, in which mail programs recognize no links.

    The function inserts a space after the punctuation of links, for example after the dot in `example.com`.
    """
    visible = "".join(" " if _is_invisible(each) else each for each in text)
    return _WITHOUT_SPACE.sub(r"\1 ", " ".join(visible.split()))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE
