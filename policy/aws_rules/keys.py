"""Rules for AWS KMS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, of_resource
from aws_rules.policies import open_to_everybody

KEY: Final = "aws:kms/key:Key"


@of_resource(KEY, ids=("AwsSolutions-KMS5", "CKV_AWS_7"))
def key_is_rotated(key: Resource) -> Iterator[str]:
    """KMS rotates a symmetric key every year."""
    symmetric = key.at("customerMasterKeySpec") in (None, "", "SYMMETRIC_DEFAULT")
    if symmetric and not key.has("enableKeyRotation"):
        yield "set enableKeyRotation"


@of_resource(KEY, ids=("CKV_AWS_227",))
def key_is_enabled(key: Resource) -> Iterator[str]:
    """A KMS key is enabled."""
    if key.at("isEnabled") is False:
        yield "isEnabled is false"


@of_resource(KEY, ids=("CKV_AWS_33", "CKV2_AWS_64"))
def key_admits_named_principals(key: Resource) -> Iterator[str]:
    """A KMS key has a key policy, and this policy never grants permissions to everybody."""
    if not key.has("policy"):
        yield "has no policy"
    else:
        yield from open_to_everybody(key.at("policy"))


RULES: Final = (key_is_rotated, key_is_enabled, key_admits_named_principals)
