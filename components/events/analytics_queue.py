"""The FIFO queue for analytics records, and its consumer, the function `record_analytics`.

SQS delivers only one batch of a message group at a time. With several message groups, Lambda can handle several batches
concurrently. Each target of an EventBridge rule sends to one fixed message group. This module therefore creates one
target for each possible first character of an event id. Each target has its own rule and its own message group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import make_queue_policy
from components.aws.owner import Owner
from components.events.delivery import Delivery, make_targets
from components.events.queue_consumer import LARGEST_BATCH, QueueConsumer, QueueConsumerArgs, make_queue_consumer
from components.functions.failure_queues import FailureQueue
from components.functions.function import FunctionContext
from contracts.queues import GROUP_DIGITS, message_group

_NAME: Final = "analytics"


def events_per_second(batch_s: float) -> float:
    """Return how many events per second the queue and its consumer handle.

    `batch_s` is the time in seconds from the delivery of a full batch to the delivery of the next batch of the same
    message group. Lambda handles one batch of each message group at a time.
    """
    return len(GROUP_DIGITS) * LARGEST_BATCH / batch_s


def make_analytics_queue(
    owner: Owner,
    *,
    context: FunctionContext,
    bucket: aws.s3.Bucket,
) -> QueueConsumer:
    """Create the queue, its dead-letter queue, and the function `record_analytics`, which writes to `bucket`."""
    return make_queue_consumer(
        _NAME,
        f"{_NAME}-dlq",
        _NAME,
        owner,
        QueueConsumerArgs(
            context=context,
            source="record_analytics",
            timeout_s=30,
            concurrency=len(GROUP_DIGITS),
            fifo=True,
            environment={"ANALYTICS_BUCKET": bucket.bucket},
            permissions=[allow("s3:PutObject", on=pulumi.Output.concat(bucket.arn, "/orders/*"))],
        ),
    )


def make_analytics_targets(
    consumer: QueueConsumer, rules: Mapping[str, aws.cloudwatch.EventRule], owner: Owner
) -> FailureQueue:
    """Let each rule send its events to the queue of `consumer`. `rules` has one rule per character of GROUP_DIGITS.

    Return the dead-letter queue that the targets share.
    """
    queue = consumer.queue
    policy = make_queue_policy(_NAME, queue, owner, rules=[rule.arn for rule in rules.values()])
    deliveries = {
        f"{_NAME}-{digit}": Delivery(
            rule=rule,
            target_arn=queue.arn,
            redrive_to=queue.url,
            allowed_by=policy,
            options=target_options(digit),
        )
        for digit, rule in rules.items()
    }
    return make_targets(_NAME, deliveries, owner, consumer.undelivered)


def target_options(digit: str) -> dict[str, Any]:
    """Return the arguments of the EventBridge target for the events whose id starts with `digit`.

    SQS drops a message if the same message group received an equal body in the last five minutes. Two copies of one
    event differ in EventBridge's fields `id` and `time`. The body leaves out these fields, so that SQS recognizes
    copies.
    """
    paths = {"event_id": "$.detail.event_id", "detail_type": "$.detail-type", "order": "$.detail.order"}
    # EventBridge replaces each placeholder with a JSON value. A string already has quotes, so the template puts no
    # quotes around the placeholders.
    template = ", ".join(f"{json.dumps(name)}: <{name}>" for name in paths)
    return {
        "sqs_target": {"message_group_id": message_group(digit)},
        "input_transformer": {"input_paths": paths, "input_template": f"{{{template}}}"},
    }
