"""The customer managed KMS key that encrypts every log group of the stack.

The key encrypts nothing but log groups. Only CloudWatch Logs can encrypt and decrypt with this key. While the key is
disabled, nobody can read the logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.aws.encryption_key import make_encryption_key
from components.aws.naming import Naming
from components.aws.owner import Owner

_COMPONENT: Final = "logs"
# CloudWatch Logs needs permission for these actions (CloudWatch Logs User Guide, "Encrypt log data using AWS KMS"). The
# guide writes them as patterns, such as Encrypt* and GenerateDataKey*.
_USE: Final = (
    *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey"),
)


@dataclass(frozen=True, kw_only=True)
class LogKeyArgs:
    """The AWS account and region of the log groups, and the naming of the stack."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region of the log groups."""
    account_id: pulumi.Input[str]
    """AWS account id."""


class LogKey(pulumi.ComponentResource):
    """The KMS key of the log groups, and its alias."""

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: LogKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:LogKey", name, None, opts)
        key = make_encryption_key(
            f"{name}-key",
            Owner(naming=args.naming, component=_COMPONENT, parent=self),
            alias=name,
            description="Encrypts the log groups",
            account_id=args.account_id,
            users=[_log_groups(args)],
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def _log_groups(args: LogKeyArgs) -> dict[str, Any]:
    groups = pulumi.Output.concat(f"arn:aws:logs:{args.region}:", args.account_id, ":log-group:*")
    return {
        "Sid": "Logs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{args.region}.amazonaws.com"},
        "Action": [f"kms:{action}" for action in _USE],
        # In a key policy, "*" means only the key that the policy belongs to.
        "Resource": "*",
        # This condition allows every log group of the account. CloudWatch Logs uses the key only for the log groups
        # that are configured with it.
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }
