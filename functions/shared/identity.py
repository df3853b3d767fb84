"""Identifies the caller from the token claims, which the authorizer of the API has verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.users import is_user_id
from shared.errors import Forbidden, Unauthorized

TokenUse = Literal["id", "access"]
"""The kind of a token. The REST API accepts ID tokens, and the HTTP API accepts access tokens."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The user who sent the request."""

    user_id: str
    """Id of the user: the claim `sub` of the token."""
    is_admin: bool
    """Whether the token contains the group `admin`."""
    verified_email: str | None
    """Email address of the user, or None if the token contains no address that the user pool has verified."""

    def may_read(self, owner_id: str) -> bool:
        """Return whether the caller may read data of the user `owner_id`."""
        return self.is_admin or self.user_id == owner_id

    def require_admin(self) -> None:
        """Raise Forbidden unless the caller is an admin."""
        if not self.is_admin:
            raise Forbidden("This operation requires the group admin.")


def caller_of(claims: Mapping[str, Any], token_use: TokenUse) -> Caller:
    """Return the caller. Raises Unauthorized if the token has no valid subject or is not of the kind `token_use`.

    API Gateway distinguishes ID tokens and access tokens only by the scopes that a method requires. If a method was
    deployed without its scopes, API Gateway accepts both kinds, and only this function rejects the wrong kind.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_user_id(subject):
        raise Unauthorized("token: missing, or without a valid subject; sign in")
    if claims.get("token_use") != token_use:
        raise Unauthorized(f"token: wrong kind; this API requires the {token_use} token")
    return Caller(
        user_id=subject,
        is_admin="admin" in groups(claims.get("cognito:groups"), token_use),
        verified_email=_verified_email(claims),
    )


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the email address in the token if it is verified, otherwise None.

    `email_verified` is a boolean in the token, and API Gateway passes it as text.

    Addresses are compared in lowercase. Outside of ASCII, two different addresses can have the same lowercase form, and
    would count as equal. For example, the Kelvin sign becomes the letter k. This function therefore accepts only ASCII
    addresses.
    """
    email, verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(email, str) or not email.isascii() or str(verified).lower() != "true":
        return None
    return email


def groups(claim: object, token_use: TokenUse) -> frozenset[str]:
    """Return the group names in a `cognito:groups` claim.

    The token contains a list, but API Gateway passes text: `a,b` for the ID tokens of the REST API, `[a b]` for the
    access tokens of the HTTP API. Group names cannot contain spaces, but they can contain commas and brackets: see
    docs/decisions/11-group-names.md.
    """
    if isinstance(claim, list):
        return frozenset(name for name in claim if isinstance(name, str))  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(claim, str):
        return frozenset()
    if token_use == "id":  # noqa: S105 - the text is the name of a token type
        return frozenset(claim.split(","))
    is_list = claim.startswith("[") and claim.endswith("]")
    return frozenset(claim[1:-1].split(" ") if is_list else [claim])
