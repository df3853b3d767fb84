"""The topic that alarms publish to, with a key of its own.

CloudWatch is a service, and AWS's key for SNS admits no service: with it an alarm rings and nobody is told.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.encryption_key import encryption_key
from components.aws.iam import deny_insecure_transport, service_may
from components.aws.naming import Naming

_CLOUDWATCH = "cloudwatch.amazonaws.com"


def make_alarm_topic(
    name: str,
    *,
    naming: Naming,
    component: str,
    alarms: pulumi.Output[str],
    account_id: pulumi.Input[str],
    parent: pulumi.Resource,
) -> aws.sns.Topic:
    """Make the topic `name`, to which the alarms with ARNs like `alarms` may publish."""
    key = encryption_key(
        f"{name}-key",
        alias=name,
        description="Encrypts what alarms tell",
        naming=naming,
        component=component,
        account_id=account_id,
        users=[_publisher(account_id, alarms)],
        parent=parent,
    )
    topic = aws.sns.Topic(
        name,
        name=naming.physical(name, kind="topic"),
        kms_master_key_id=key.arn,
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    statements = [
        deny_insecure_transport("sns:Publish", topic.arn),
        service_may(_CLOUDWATCH, "sns:Publish", on=topic.arn, source_arn=alarms, sid="Alarms"),
    ]
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=topic.arn,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return topic


def _publisher(account_id: pulumi.Input[str], alarms: pulumi.Output[str]) -> dict[str, Any]:
    return {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": _CLOUDWATCH},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        # In a key's policy "*" is this key.
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": alarms}},
    }
