"""Identifies the caller by the token claims that the API's authorizer has verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.users import is_user_id
from shared.errors import Forbidden, Unauthorized

TokenUse = Literal["id", "access"]
"""The kind of token. The REST API takes ID tokens, the HTTP API takes access tokens; they format claims differently."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The user who sent the request."""

    user_id: str
    """The token's `sub`."""
    is_admin: bool
    """Whether the token contains the group `admin`."""

    def may_read(self, owner_id: str) -> bool:
        """Return whether the caller may read data of the user `owner_id`."""
        return self.is_admin or self.user_id == owner_id

    def require_admin(self) -> None:
        """Raise Forbidden unless the caller is an admin."""
        if not self.is_admin:
            raise Forbidden("requires group admin")


def caller_of(claims: Mapping[str, Any], token_use: TokenUse) -> Caller:
    """Return the caller; raise Unauthorized if the token has no valid subject or is of the other kind.

    API Gateway distinguishes the two kinds only by the scopes that a method requires. This check still rejects the
    wrong kind if a method was deployed without its scopes.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_user_id(subject):
        raise Unauthorized("token: missing, or without a valid subject; sign in")
    if claims.get("token_use") != token_use:
        raise Unauthorized(f"token: wrong kind; this API requires the {token_use} token")
    return Caller(user_id=subject, is_admin="admin" in groups(claims.get("cognito:groups"), token_use))


def groups(claim: object, token_use: TokenUse) -> frozenset[str]:
    """Return the group names in a `cognito:groups` claim.

    The token contains a list, but API Gateway passes text: a REST API `a,b`, an HTTP API `[a b]`. Group names
    cannot contain spaces, but they can contain commas and brackets: see docs/decisions/11-group-names.md.
    """
    if isinstance(claim, list):
        return frozenset(name for name in claim if isinstance(name, str))  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(claim, str):
        return frozenset()
    if token_use == "id":  # noqa: S105 - the text is the name of a token type
        return frozenset(claim.split(","))
    is_list = claim.startswith("[") and claim.endswith("]")
    return frozenset(claim[1:-1].split(" ") if is_list else [claim])
