"""An email address is verified only after its owner or an administrator has verified it.

Emulator: The ID token of a user without the attribute `email_verified` contains `email_verified: true`. If a user
    replaces a verified address, the new address counts as verified too. Users can set the attribute `email_verified`
    themselves. ConfirmSignUp does not verify the address.
AWS: An address is not verified until the user enters the code from Cognito, or an administrator sets `email_verified`.
    A changed address is not verified. Users cannot set `email_verified`. ConfirmSignUp verifies the address in a user
    pool whose AutoVerifiedAttributes contain `email`.
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
Source: https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html
Upstream: report as a bug.
"""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import Any, Final

from emulator_fixes import internal, replaces

_VERIFIED: Final = "email_verified"
_cognito: Any = internal("services.cognito")


@replaces("services.cognito._fake_token", "7e26f28e0883")
def signed_token(original: Any, *arguments: Any, **named: Any) -> Any:
    """Write `email_verified: false` into the ID token of a user without this attribute."""
    given = inspect.signature(original).bind(*arguments, **named)
    attributes = given.arguments.get("user_attrs")
    if attributes and "email" in attributes:
        given.arguments["user_attrs"] = {_VERIFIED: "false", **attributes}
    return original(*given.args, **given.kwargs)


@replaces("services.cognito._merge_attributes", "3d325e67e25f")
def merge_attributes(original: Any, existing: Any, updates: Any) -> Any:
    """Mark a changed address as not verified, unless the update also sets `email_verified`."""
    before, after = _cognito._attr_list_to_dict(existing), _cognito._attr_list_to_dict(updates)
    if "email" in after and after["email"] != before.get("email") and _VERIFIED not in after:
        updates = [*updates, {"Name": _VERIFIED, "Value": "false"}]
    return original(existing, updates)


@replaces("services.cognito._update_user_attributes", "f2dcbe6711fd")
def change_attributes(original: Any, request: Any) -> Any:
    """Change the user's attributes, or refuse the call if it sets `email_verified`."""
    return _unauthorized(request) or original(request)


@replaces("services.cognito._sign_up", "7c18b40cc080")
def sign_up(original: Any, request: Any) -> Any:
    """Create the user, or refuse the call if it sets `email_verified`."""
    return _unauthorized(request) or original(request)


@replaces("services.cognito._confirm_sign_up", "e9557b08401a")
def confirm_sign_up(original: Any, request: Any) -> Any:
    """Confirm the sign-up. Mark the user's email address as verified if AutoVerifiedAttributes contain `email`."""
    answer = original(request)
    pool = _cognito._pool_for_client(request.get("ClientId"))[0]
    if answer[0] == HTTPStatus.OK and "email" in (pool.get("AutoVerifiedAttributes") or []):
        user, _ = _cognito._resolve_user(pool, request.get("Username"))
        user["Attributes"] = _cognito._merge_attributes(user["Attributes"], [{"Name": _VERIFIED, "Value": "true"}])
    return answer


def _unauthorized(request: Any) -> Any:
    if _VERIFIED not in _cognito._attr_list_to_dict(request.get("UserAttributes") or []):
        return None
    message = "A client attempted to write unauthorized attribute"
    return _cognito.error_response_json("NotAuthorizedException", message, 400)
