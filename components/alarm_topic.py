"""The topic that alarms publish to, with a key of its own.

CloudWatch is a service, and AWS's key for SNS admits no service: with it an alarm rings and nobody is told.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.iam import deny_insecure_transport, service_may
from components.naming import Naming

_CLOUDWATCH = "cloudwatch.amazonaws.com"
_WAIT_BEFORE_DELETION_DAYS = 7
# What keeping a key and its alias takes (CloudFormation: AWS::KMS::Key, AWS::KMS::Alias), and the way back from its
# deletion. Not its use: nobody of the account needs to read what alarms tell.
_ADMINISTRATION = (
    *("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),
    *("PutKeyPolicy", "UpdateKeyDescription", "TagResource", "UntagResource"),
    *("EnableKey", "DisableKey", "EnableKeyRotation", "DisableKeyRotation"),
    *("ScheduleKeyDeletion", "CancelKeyDeletion", "CreateAlias", "UpdateAlias", "DeleteAlias"),
)


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
    key = aws.kms.Key(
        f"{name}-key",
        description="Encrypts what alarms tell",
        enable_key_rotation=True,
        deletion_window_in_days=_WAIT_BEFORE_DELETION_DAYS,
        policy=_key_policy(account_id, alarms),
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.kms.Alias(
        f"{name}-key-alias",
        name=f"alias/{naming.physical(name)}",
        target_key_id=key.key_id,
        opts=pulumi.ResourceOptions(parent=parent),
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


def _key_policy(account_id: pulumi.Input[str], alarms: pulumi.Output[str]) -> pulumi.Output[str]:
    account = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
        # The account's IAM policies decide who of it. Without this nobody could change or delete the key.
        "Action": [f"kms:{action}" for action in _ADMINISTRATION],
        "Resource": "*",
    }
    publisher = {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": _CLOUDWATCH},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        # In a key's policy "*" is this key.
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": alarms}},
    }
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [account, publisher]})
