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


RULES: Final = (user_pool_asks_for_strong_passwords,)
