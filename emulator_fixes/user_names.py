"""A user pool with CaseSensitive false ignores the letter case of user names and email addresses.

This correction stores and looks up names in lowercase.

Emulator: The emulator stores a user pool's setting CaseSensitive, but ignores it and always treats names in different
    letter case as different users.
AWS: With CaseSensitive false, Cognito treats names that differ only in letter case as the same user. Cognito returns
    user names, email addresses and preferred user names in lowercase. Passwords stay case sensitive.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-case-sensitivity.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any, Final

from emulator_fixes import internal, nested, replaces

_ATTRIBUTES: Final = ("email", "preferred_username")
_cognito: Any = internal("services.cognito")


@replaces("services.cognito._resolve_user", "005b45b0326d")
def resolve_user(original: Any, pool: Any, name: Any) -> Any:
    """Find the user `name` in `pool`. If the pool ignores letter case, `name` can be in any letter case.

    All API calls and the hosted sign-in page find users with this function.
    """
    return original(pool, name.lower() if isinstance(name, str) and _ignores_case(pool) else name)


@replaces("services.cognito._run_idp_handler", "85681acebd62")
def run_handler(original: Any, handler: Any, action: str, request: Any) -> Any:
    """Store user names, email addresses and preferred user names in lowercase.

    `request` itself stays unchanged, because it can contain a SECRET_HASH. Clients compute this hash from the name in
    the letter case that they send, and the emulator checks the hash before it calls `handler`.
    """

    def handle(given: Any) -> Any:
        return handler(_lowercase(given))

    return original(handle, action, request)


def _lowercase(request: Any) -> Any:
    pool_id = request.get("UserPoolId") or _cognito._pool_id_from_token(request.get("AccessToken", ""))
    pool = _cognito._user_pools.get(pool_id) or _cognito._pool_for_client(request.get("ClientId"))[0]
    if not _ignores_case(pool):
        return request
    lower: dict[str, Any] = {}
    if isinstance(request.get("Username"), str):
        lower["Username"] = request["Username"].lower()
    if isinstance(request.get("UserAttributes"), list):
        lower["UserAttributes"] = [
            {**each, "Value": each["Value"].lower()} if each.get("Name") in _ATTRIBUTES else each
            for each in request["UserAttributes"]
        ]
    return {**request, **lower}


def _ignores_case(pool: Any) -> bool:
    return nested(pool, "UsernameConfiguration", "CaseSensitive") is False
