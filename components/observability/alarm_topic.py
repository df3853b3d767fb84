"""The topic that alarms notify, encrypted with a customer managed key.

AWS services cannot use the AWS managed key for SNS. With that key, CloudWatch could not publish to the topic, and
alarms would notify no one.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.encryption_key import make_encryption_key
from components.aws.iam import allow_service, deny_insecure_transport
from components.aws.owner import Owner

_CLOUDWATCH = "cloudwatch.amazonaws.com"


def make_alarm_topic(
    name: str,
    owner: Owner,
    *,
    alarms: pulumi.Output[str],
    account_id: pulumi.Input[str],
) -> aws.sns.Topic:
    """Create the topic `name`. Alarms whose ARN matches the pattern `alarms` may publish to the topic."""
    key = make_encryption_key(
        f"{name}-key",
        owner,
        alias=name,
        description="Encrypts the notifications of alarms",
        account_id=account_id,
        users=[_publisher(account_id, alarms)],
    )
    topic = aws.sns.Topic(
        name,
        name=owner.name(name, kind="topic"),
        kms_master_key_id=key.arn,
        tags=owner.tags(),
        opts=owner.opts(),
    )
    statements = [
        deny_insecure_transport("sns:Publish", topic.arn),
        allow_service(_CLOUDWATCH, "sns:Publish", on=topic.arn, source_arn=alarms, sid="Alarms"),
    ]
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=topic.arn,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=owner.opts(),
    )
    return topic


def _publisher(account_id: pulumi.Input[str], alarms: pulumi.Output[str]) -> dict[str, Any]:
    return {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": _CLOUDWATCH},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        # In a key policy, "*" means only the key that the policy belongs to.
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": alarms}},
    }
