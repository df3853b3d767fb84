"""Creates SQS queues and SNS topics that are encrypted and refuse requests without TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow_service, deny_insecure_transport
from components.aws.owner import Owner

FOURTEEN_DAYS_S = 1_209_600


def make_queue(
    name: str,
    owner: Owner,
    *,
    fifo: bool = False,
    visibility_timeout_s: int = 30,
    redrive_to: aws.sqs.Queue | None = None,
    max_receive_count: int = 3,
    aliases: Sequence[pulumi.Alias] = (),
) -> aws.sqs.Queue:
    """Create the queue `name` with SSE-SQS encryption and the longest retention that SQS allows, 14 days.

    `redrive_to` is the dead-letter queue, which receives each message after `max_receive_count` unsuccessful
    deliveries. SQS requires that the dead-letter queue of a FIFO queue is also a FIFO queue. With `fifo`, the queue is
    a FIFO queue with high throughput: its limits apply to each message group, not to the whole queue. `aliases` are
    Pulumi aliases for earlier names or parents of the queue, so that an update keeps the queue. Also call
    `make_queue_policy` for the queue. Without the policy, the queue would accept requests without TLS.
    """
    redrive = (
        pulumi.Output.json_dumps({"deadLetterTargetArn": redrive_to.arn, "maxReceiveCount": max_receive_count})
        if redrive_to
        else None
    )
    return aws.sqs.Queue(
        name,
        name=owner.name(name, kind="queue", suffix=".fifo" if fifo else ""),
        fifo_queue=fifo or None,
        content_based_deduplication=fifo or None,
        deduplication_scope="messageGroup" if fifo else None,
        fifo_throughput_limit="perMessageGroupId" if fifo else None,
        message_retention_seconds=FOURTEEN_DAYS_S,
        visibility_timeout_seconds=visibility_timeout_s,
        sqs_managed_sse_enabled=True,
        redrive_policy=redrive,
        tags=owner.tags(),
        opts=owner.opts(aliases=[*aliases]),
    )


def make_queue_policy(
    name: str,
    target: aws.sqs.Queue,
    owner: Owner,
    *,
    rules: Sequence[pulumi.Input[str]] = (),
    aliases: Sequence[pulumi.Alias] = (),
) -> aws.sqs.QueuePolicy:
    """Create the policy of the queue `target`, which refuses requests without TLS.

    The policy lets the EventBridge rules whose ARNs are in `rules` send messages to the queue.
    """
    statements: list[dict[str, Any]] = [deny_insecure_transport("sqs:*", target.arn)]
    if rules:
        # Use one statement for all rules. SQS limits the size of a policy, and one statement per rule would be longer.
        source_arn = rules[0] if len(rules) == 1 else list(rules)
        statements.append(
            allow_service("events.amazonaws.com", "sqs:SendMessage", on=target.arn, source_arn=source_arn, sid="Rule0")
        )
    return aws.sqs.QueuePolicy(
        f"{name}-policy",
        queue_url=target.url,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=owner.opts(aliases=[*aliases]),
    )


def make_topic(name: str, owner: Owner) -> aws.sns.Topic:
    """Create the topic `name`, encrypted with the AWS managed key for SNS. The topic refuses requests without TLS.

    Roles of this account can use the key, so they can publish to the topic. AWS services such as CloudWatch cannot use
    the key, so they cannot publish.
    """
    made = aws.sns.Topic(
        name,
        name=owner.name(name, kind="topic"),
        kms_master_key_id="alias/aws/sns",
        tags=owner.tags(),
        opts=owner.opts(),
    )
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=made.arn,
        policy=pulumi.Output.json_dumps(
            {"Version": "2012-10-17", "Statement": [deny_insecure_transport("sns:Publish", made.arn)]}
        ),
        opts=owner.opts(),
    )
    return made
