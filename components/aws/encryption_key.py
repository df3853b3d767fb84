"""Customer managed KMS keys, for AWS services that cannot use the AWS managed keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.owner import Owner

_WAIT_BEFORE_DELETION_DAYS = 7
# These actions manage a key and its alias. The list is based on the CloudFormation Template Reference ("AWS::KMS::Key"
# and "AWS::KMS::Alias"). It includes the action that cancels a key's deletion. None of the actions encrypts or
# decrypts: only the services in the argument `users` may do that.
_ADMINISTRATION = (
    *("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),
    *("PutKeyPolicy", "UpdateKeyDescription", "TagResource", "UntagResource"),
    *("EnableKey", "DisableKey", "EnableKeyRotation", "DisableKeyRotation"),
    *("ScheduleKeyDeletion", "CancelKeyDeletion", "CreateAlias", "UpdateAlias", "DeleteAlias"),
)


def make_encryption_key(
    name: str,
    owner: Owner,
    *,
    alias: str,
    description: str,
    account_id: pulumi.Input[str],
    users: Sequence[Mapping[str, Any]],
) -> aws.kms.Key:
    """Create the key `name`, which AWS rotates every year, and its alias.

    `users` are the key policy statements that let services encrypt and decrypt with the key.
    """
    account = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
        # With this statement, the account's IAM policies decide who may administer the key. Without it, nobody could
        # change or delete the key.
        "Action": [f"kms:{action}" for action in _ADMINISTRATION],
        # In a key policy, "*" means only the key that the policy belongs to.
        "Resource": "*",
    }
    key = aws.kms.Key(
        name,
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=_WAIT_BEFORE_DELETION_DAYS,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [account, *users]}),
        tags=owner.tags(),
        opts=owner.opts(),
    )
    aws.kms.Alias(
        f"{name}-alias",
        name=f"alias/{owner.name(alias)}",
        target_key_id=key.key_id,
        opts=owner.opts(),
    )
    return key
