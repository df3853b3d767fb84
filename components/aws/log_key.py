"""The key that every log group of the stack is encrypted with.

Logs are what outlives an order longest. A key of ours says who reads them, and is disabled at once if it must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.aws.encryption_key import encryption_key
from components.aws.naming import Naming

_COMPONENT: Final = "logs"
# CloudWatch Logs: "Encrypt log data using AWS KMS", whose patterns (Encrypt*, GenerateDataKey* and so on) are these.
_USE: Final = (
    *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey"),
)


@dataclass(frozen=True, kw_only=True)
class LogKeyArgs:
    """Whose logs."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region of the log groups."""
    account_id: pulumi.Input[str]
    """The AWS account's number."""


class LogKey(pulumi.ComponentResource):
    """Key and alias."""

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: LogKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:LogKey", name, None, opts)
        key = encryption_key(
            f"{name}-key",
            alias=name,
            description="Encrypts the log groups",
            naming=args.naming,
            component=_COMPONENT,
            account_id=args.account_id,
            users=[_log_groups(args)],
            parent=self,
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
        # In a key's policy "*" is this key.
        "Resource": "*",
        # The account's groups: which of them use the key, they say themselves.
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }
