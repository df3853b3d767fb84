"""The FIFO queue between the bus and the analytics records, and its consumer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import queue
from components.functions.failure_queues import FailureQueue, failure_queue
from components.functions.function import Function, FunctionArgs, FunctionContext, FunctionSize

MESSAGE_GROUP_ID: Final = "orders"
# AWS's advice for a queue that a function consumes (Lambda: SQS event sources).
_VISIBILITY_PER_TIMEOUT: Final = 6
_LONGEST_BATCH: Final = 10
_RECEIVED_AT_MOST: Final = 5
# One group is consumed by one batch at a time; two is the least that Lambda takes.
_CONCURRENCY: Final = 2


@dataclass(frozen=True, kw_only=True)
class AnalyticsQueue:
    """The queue, its consumer, and where messages go that it cannot record."""

    queue: aws.sqs.Queue
    """FIFO; needs a policy that lets the rule send."""
    function: Function
    """`record_analytics`."""
    dead_letter_queue: aws.sqs.Queue
    """FIFO; needs a policy."""
    failure_queue: FailureQueue
    """The same, as operators see it."""


def make_analytics_queue(
    *,
    context: FunctionContext,
    component: str,
    size: FunctionSize,
    bucket: aws.s3.Bucket,
    parent: pulumi.Resource,
) -> AnalyticsQueue:
    """Make the queue, its dead-letter queue and `record_analytics`, which writes to `bucket`."""
    naming = context.naming
    dead = queue("analytics-dlq", naming=naming, component=component, parent=parent, fifo=True)
    made = queue(
        "analytics",
        naming=naming,
        component=component,
        parent=parent,
        fifo=True,
        visibility_timeout_s=_VISIBILITY_PER_TIMEOUT * size.timeout_s,
        redrive_to=dead,
        max_receive_count=_RECEIVED_AT_MOST,
    )
    function = Function(
        "record-analytics",
        FunctionArgs(
            context=context,
            component=component,
            source="record_analytics",
            size=size,
            environment={
                "ANALYTICS_BUCKET": bucket.bucket,
                "FAILURE_QUEUE_URL": dead.url,
                "RECEIVED_AT_MOST": str(_RECEIVED_AT_MOST),
            },
            permissions=[
                allow("s3:PutObject", on=pulumi.Output.concat(bucket.arn, "/orders/*")),
                # What it cannot record it puts there itself, with the reason; SQS's own redrive gives none.
                allow("sqs:SendMessage", on=dead.arn),
                allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=made.arn),
            ],
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    aws.lambda_.EventSourceMapping(
        "record-analytics-queue",
        event_source_arn=made.arn,
        function_name=function.arn,
        batch_size=_LONGEST_BATCH,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": _CONCURRENCY},
        tags=naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return AnalyticsQueue(
        queue=made,
        function=function,
        dead_letter_queue=dead,
        failure_queue=failure_queue(dead, "queue", redrive_to=made.url),
    )


def target_options() -> dict[str, Any]:
    """Return what the queue's EventBridge target has of its own.

    The queue deduplicates by the body, so the body has nothing that differs between two deliveries of one event: no
    envelope id, no time.
    """
    paths = {"event_id": "$.detail.event_id", "detail_type": "$.detail-type", "order": "$.detail.order"}
    # EventBridge puts each value in as JSON, quotes included, so the template has none.
    template = ", ".join(f"{json.dumps(name)}: <{name}>" for name in paths)
    return {
        "sqs_target": {"message_group_id": MESSAGE_GROUP_ID},
        "input_transformer": {"input_paths": paths, "input_template": f"{{{template}}}"},
    }
