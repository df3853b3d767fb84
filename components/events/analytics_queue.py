"""The FIFO queue for analytics records, and its consumer, the function `record_analytics`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import make_queue
from components.aws.owner import Owner
from components.functions.failure_queues import FailureQueue, as_failure_queue
from components.functions.function import Function, FunctionArgs, FunctionContext
from contracts.orders import MESSAGE_GROUP_ID

_SOURCE: Final = "record_analytics"
_TIMEOUT_S: Final = 30
# AWS recommends a visibility timeout of six times the function's timeout (AWS Lambda Developer Guide, "SQS event
# sources").
_VISIBILITY_PER_TIMEOUT: Final = 6
_LONGEST_BATCH: Final = 10
_RECEIVED_AT_MOST: Final = 5
# All messages are in one message group, and SQS delivers one batch of a group at a time. A concurrency of one would
# therefore be enough, but Lambda's minimum is two.
_CONCURRENCY: Final = 2


@dataclass(frozen=True, kw_only=True)
class AnalyticsQueue:
    """The queue, its consumer, and its dead-letter queue."""

    queue: aws.sqs.Queue
    """The FIFO queue. The caller must add a policy that lets the EventBridge rule send messages."""
    function: Function
    """The consumer, `record_analytics`."""
    dead_letter_queue: aws.sqs.Queue
    """The dead-letter queue, also FIFO. The caller must add a policy that requires TLS."""
    failure_queue: FailureQueue
    """Description of the dead-letter queue for alarms and for `make redrive`."""


def make_analytics_queue(
    owner: Owner,
    *,
    context: FunctionContext,
    bucket: aws.s3.Bucket,
) -> AnalyticsQueue:
    """Create the queue, its dead-letter queue, and the function `record_analytics`, which writes to `bucket`."""
    dead = make_queue("analytics-dlq", owner, fifo=True)
    made = make_queue(
        "analytics",
        owner,
        fifo=True,
        visibility_timeout_s=_VISIBILITY_PER_TIMEOUT * context.timeout_s(_SOURCE, _TIMEOUT_S),
        redrive_to=dead,
        max_receive_count=_RECEIVED_AT_MOST,
    )
    function = Function(
        "record-analytics",
        FunctionArgs(
            context=context,
            component=owner.component,
            source=_SOURCE,
            timeout_s=_TIMEOUT_S,
            memory_mb=256,
            environment={
                "ANALYTICS_BUCKET": bucket.bucket,
                "FAILURE_QUEUE_URL": dead.url,
                "RECEIVED_AT_MOST": str(_RECEIVED_AT_MOST),
            },
            permissions=[
                allow("s3:PutObject", on=pulumi.Output.concat(bucket.arn, "/orders/*")),
                # The function itself moves invalid messages to the dead-letter queue, together with the error. SQS's
                # own redrive policy would move them without the error.
                allow("sqs:SendMessage", on=dead.arn),
                allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=made.arn),
            ],
        ),
        owner.opts(),
    )
    aws.lambda_.EventSourceMapping(
        "record-analytics-queue",
        event_source_arn=made.arn,
        function_name=function.arn,
        batch_size=_LONGEST_BATCH,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": _CONCURRENCY},
        tags=owner.tags(),
        opts=owner.opts(),
    )
    return AnalyticsQueue(
        queue=made,
        function=function,
        dead_letter_queue=dead,
        failure_queue=as_failure_queue(dead, "queue", redrive_to=made.url),
    )


def target_options() -> dict[str, Any]:
    """Return the arguments of the EventBridge target that sends to this queue.

    SQS drops a message if the queue has recently received a message with the same body. The body therefore leaves out
    the id and the time that EventBridge adds, because they differ between two copies of one event.
    """
    paths = {"event_id": "$.detail.event_id", "detail_type": "$.detail-type", "order": "$.detail.order"}
    # EventBridge inserts each value as JSON, with the quotes of a string, so the template puts no quotes around the
    # placeholders.
    template = ", ".join(f"{json.dumps(name)}: <{name}>" for name in paths)
    return {
        "sqs_target": {"message_group_id": MESSAGE_GROUP_ID},
        "input_transformer": {"input_paths": paths, "input_template": f"{{{template}}}"},
    }
