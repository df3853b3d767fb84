"""A KMS key of the stack's own, for services that may not use AWS's keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.naming import Naming

_WAIT_BEFORE_DELETION_DAYS = 7
# What keeping a key and its alias takes (CloudFormation: AWS::KMS::Key, AWS::KMS::Alias), and the way back from its
# deletion. Not its use: that is for the services that `users` names.
_ADMINISTRATION = (
    *("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),
    *("PutKeyPolicy", "UpdateKeyDescription", "TagResource", "UntagResource"),
    *("EnableKey", "DisableKey", "EnableKeyRotation", "DisableKeyRotation"),
    *("ScheduleKeyDeletion", "CancelKeyDeletion", "CreateAlias", "UpdateAlias", "DeleteAlias"),
)


def encryption_key(
    name: str,
    *,
    alias: str,
    description: str,
    naming: Naming,
    component: str,
    account_id: pulumi.Input[str],
    users: Sequence[Mapping[str, Any]],
    parent: pulumi.Resource,
) -> aws.kms.Key:
    """Make the key `name`, rotated every year, and its alias. `users` are the statements on who may use it."""
    account = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
        # The account's IAM policies decide who of it. Without this nobody could change or delete the key.
        "Action": [f"kms:{action}" for action in _ADMINISTRATION],
        # In a key's policy "*" is this key.
        "Resource": "*",
    }
    key = aws.kms.Key(
        name,
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=_WAIT_BEFORE_DELETION_DAYS,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [account, *users]}),
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.kms.Alias(
        f"{name}-alias",
        name=f"alias/{naming.physical(alias)}",
        target_key_id=key.key_id,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return key
