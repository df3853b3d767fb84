"""Who calls, from the claims that an API's authorizer has verified."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.errors import Forbidden, Unauthorized

TokenUse = Literal["id", "access"]
_SEPARATORS = re.compile(r"[\s,]+")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The holder of the request's token."""

    user_id: str
    """The token's `sub`."""
    is_admin: bool
    """Whether the token has the group `admin`."""

    def may_read(self, owner_id: str) -> bool:
        """Say whether the caller may read what belongs to `owner_id`."""
        return self.is_admin or self.user_id == owner_id

    def require_admin(self) -> None:
        """Raise Forbidden unless the caller is an admin."""
        if not self.is_admin:
            raise Forbidden("group: got none that may do this; allowed: admin")


def caller_of(claims: Mapping[str, Any], token_use: TokenUse) -> Caller:
    """Return the caller; raise Unauthorized without a subject or for a token of the other kind.

    The gateways tell the kinds apart by scopes, which is a setting of each method; a forgotten one must not let a token
    in that was issued for something else.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise Unauthorized("token: got none, or one without a subject; sign in")
    if claims.get("token_use") != token_use:
        raise Unauthorized(f"token: got another kind; allowed here is an {token_use} token")
    return Caller(user_id=subject, is_admin="admin" in groups(claims.get("cognito:groups")))


def groups(claim: object) -> frozenset[str]:
    """Return the groups of a `cognito:groups` claim.

    A list in the token; REST APIs hand it on as `a,b`, HTTP APIs as `[a b]`.
    """
    if isinstance(claim, list):
        return frozenset(name for name in claim if isinstance(name, str))  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(claim, str):
        return frozenset()
    inner = claim.strip().removeprefix("[").removesuffix("]")
    return frozenset(name for name in _SEPARATORS.split(inner) if name)
