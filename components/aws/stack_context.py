"""The settings that all components of a stack share."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.aws.naming import Naming


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """Names, tags, account and logs of a stack."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region, e.g. ap-northeast-1."""
    account_id: pulumi.Input[str]
    """AWS account id."""
    log_retention_days: int
    """Number of days for which CloudWatch Logs stores logs. CloudWatch Logs allows only certain numbers."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts all log groups."""
