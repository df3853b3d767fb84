"""Who calls, from the claims that an API's authorizer has verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.users import is_user_id
from shared.errors import Forbidden, Unauthorized

TokenUse = Literal["id", "access"]
"""The REST API takes ID tokens, the HTTP API access tokens; so it also says how the gateway renders claims."""


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
    if not isinstance(subject, str) or not is_user_id(subject):
        raise Unauthorized("token: got none, or one without a user's subject; sign in")
    if claims.get("token_use") != token_use:
        raise Unauthorized(f"token: got another kind; allowed here is an {token_use} token")
    return Caller(user_id=subject, is_admin="admin" in groups(claims.get("cognito:groups"), token_use))


def groups(claim: object, token_use: TokenUse) -> frozenset[str]:
    """Return the groups of a `cognito:groups` claim.

    A list in the token, text from a gateway: `a,b` from a REST API, `[a b]` from an HTTP API. Names have no spaces
    (Cognito's rule for CreateGroup), but may have commas and brackets: docs/decisions/11-group-names.md.
    """
    if isinstance(claim, list):
        return frozenset(name for name in claim if isinstance(name, str))  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(claim, str):
        return frozenset()
    if token_use == "id":  # noqa: S105 - a kind of token
        return frozenset(claim.split(","))
    is_list = claim.startswith("[") and claim.endswith("]")
    return frozenset(claim[1:-1].split(" ") if is_list else [claim])
