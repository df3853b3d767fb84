"""Rules for Cognito user pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, of_resource

USER_POOL: Final = "aws:cognito/userPool:UserPool"
_SHORTEST: Final = 8


@of_resource(USER_POOL, ids=("AwsSolutions-COG1",))
def user_pool_asks_for_strong_passwords(pool: Resource) -> Iterator[str]:
    """A user pool requires passwords of at least 8 characters with lowercase, uppercase, digits and symbols."""
    if (pool.at("passwordPolicy", "minimumLength") or 0) < _SHORTEST:
        yield f"passwordPolicy.minimumLength: must be at least {_SHORTEST}"
    for kind in ("requireLowercase", "requireUppercase", "requireNumbers", "requireSymbols"):
        if not pool.at("passwordPolicy", kind):
            yield f"set passwordPolicy.{kind}"


@of_resource(USER_POOL, ids=("AwsSolutions-COG2",))
def user_pool_asks_for_a_second_factor(pool: Resource) -> Iterator[str]:
    """A user pool requires a second factor (MFA) from every user."""
    if pool.at("mfaConfiguration") != "ON":
        yield f"mfaConfiguration: got {pool.at('mfaConfiguration')}; set ON"


@of_resource(USER_POOL, ids=("AwsSolutions-COG8",))
def user_pool_watches_sign_ins(pool: Resource) -> Iterator[str]:
    """A user pool uses the PLUS plan, which includes Cognito's threat protection."""
    if pool.at("userPoolTier") != "PLUS":
        yield f"userPoolTier: got {pool.at('userPoolTier')}; set PLUS"


RULES: Final = (
    user_pool_asks_for_strong_passwords,
    user_pool_asks_for_a_second_factor,
    user_pool_watches_sign_ins,
)
