"""Queues and topics as this platform makes them: encrypted, and closed to what does not come over TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.iam import deny_insecure_transport, service_may
from components.aws.naming import Naming

FOURTEEN_DAYS_S = 1_209_600


def queue(
    name: str,
    *,
    naming: Naming,
    component: str,
    parent: pulumi.Resource,
    fifo: bool = False,
    visibility_timeout_s: int = 30,
    redrive_to: aws.sqs.Queue | None = None,
    max_receive_count: int = 3,
) -> aws.sqs.Queue:
    """Make the queue `name` with SSE-SQS encryption and AWS's longest retention, 14 days.

    `redrive_to` is its dead-letter queue, which must be FIFO where the queue is (SQS). It needs a `queue_policy`.
    """
    redrive = (
        pulumi.Output.json_dumps({"deadLetterTargetArn": redrive_to.arn, "maxReceiveCount": max_receive_count})
        if redrive_to
        else None
    )
    return aws.sqs.Queue(
        name,
        name=naming.physical(name, kind="queue", suffix=".fifo" if fifo else ""),
        fifo_queue=fifo or None,
        content_based_deduplication=fifo or None,
        message_retention_seconds=FOURTEEN_DAYS_S,
        visibility_timeout_seconds=visibility_timeout_s,
        sqs_managed_sse_enabled=True,
        redrive_policy=redrive,
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def queue_policy(
    name: str,
    target: aws.sqs.Queue,
    *,
    parent: pulumi.Resource,
    rules: Sequence[pulumi.Input[str]] = (),
) -> aws.sqs.QueuePolicy:
    """Close `target` to plain HTTP, and let EventBridge's `rules` (ARNs) send to it."""
    statements: list[dict[str, Any]] = [deny_insecure_transport("sqs:*", target.arn)]
    statements += [
        service_may("events.amazonaws.com", "sqs:SendMessage", on=target.arn, source_arn=rule, sid=f"Rule{number}")
        for number, rule in enumerate(rules)
    ]
    return aws.sqs.QueuePolicy(
        f"{name}-policy",
        queue_url=target.url,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def topic(name: str, *, naming: Naming, component: str, parent: pulumi.Resource) -> aws.sns.Topic:
    """Make the topic `name`, encrypted with SNS's own key, and closed to plain HTTP.

    With that key only principals of this account can publish: roles can, AWS services such as CloudWatch cannot.
    """
    made = aws.sns.Topic(
        name,
        name=naming.physical(name, kind="topic"),
        kms_master_key_id="alias/aws/sns",
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=made.arn,
        policy=pulumi.Output.json_dumps(
            {"Version": "2012-10-17", "Statement": [deny_insecure_transport("sns:Publish", made.arn)]}
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made
