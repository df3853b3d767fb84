"""The orders table's stream as the only source of events: every new order and every change of status, none lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import queue, queue_policy
from components.functions.failure_queues import FailureQueue, failure_queue
from components.functions.function import Function, FunctionArgs, FunctionContext, FunctionSize

SOURCE: Final = "orders.api"
CREATED: Final = "OrderCreated"
DETAIL_TYPES: Final = (CREATED, "OrderConfirmed", "OrderRejected", "OrderFailed", "OrderCancelled")
# What may follow what (DESIGN: order). A change that is none of these has no event and does not call the function.
TRANSITIONS: Final[Mapping[str, Sequence[str]]] = {
    "PENDING": ("CONFIRMED", "REJECTED", "FAILED", "CANCELLED"),
    "CONFIRMED": ("CANCELLED",),
}
_BATCH: Final = 50
# The stream keeps a record for 24 h: after 6 h of failing there are 18 left to mend the cause and to redrive.
_LONGEST_RETRIED_S: Final = 6 * 3600
_RETRIES: Final = 10


def filter_patterns() -> list[str]:
    """Return Lambda's filters of the stream: new orders and changes of status. Removed rows match none."""
    changes: list[dict[str, Any]] = [
        {
            "eventName": ["MODIFY"],
            "dynamodb": {"OldImage": {"status": {"S": [old]}}, "NewImage": {"status": {"S": list(new)}}},
        }
        for old, new in TRANSITIONS.items()
    ]
    return [json.dumps(pattern) for pattern in [{"eventName": ["INSERT"]}, *changes]]


def make_relay(
    *,
    context: FunctionContext,
    component: str,
    size: FunctionSize,
    orders_table: aws.dynamodb.Table,
    bus: aws.cloudwatch.EventBus,
    parent: pulumi.Resource,
) -> tuple[Function, FailureQueue]:
    """Make `publish_order_events` on the stream of `orders_table`, and the queue of what it cannot publish."""
    name = "publish-order-events"
    failures = queue(f"{name}-stream", naming=context.naming, component=component, parent=parent)
    queue_policy(f"{name}-stream", failures, parent=parent)
    function = Function(
        name,
        FunctionArgs(
            context=context,
            component=component,
            source="publish_order_events",
            size=size,
            environment={"EVENT_BUS": bus.name},
            permissions=[
                allow(
                    "events:PutEvents",
                    on=bus.arn,
                    when={"StringEquals": {"events:source": SOURCE, "events:detail-type": list(DETAIL_TYPES)}},
                ),
                allow(
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    on=orders_table.stream_arn,
                ),
                allow("dynamodb:ListStreams", on="*", because="listing streams knows no resource (DynamoDB's actions)"),
                # The mapping reports with the function's role.
                allow("sqs:SendMessage", on=failures.arn),
            ],
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    aws.lambda_.EventSourceMapping(
        f"{name}-stream",
        event_source_arn=orders_table.stream_arn,
        function_name=function.arn,
        # Not LATEST: what is written between the mapping's creation and its first read would have no event.
        starting_position="TRIM_HORIZON",
        batch_size=_BATCH,
        # Batches at once from one shard; an order's changes stay in sequence, as they have one key.
        parallelization_factor=2,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=_RETRIES,
        maximum_record_age_in_seconds=_LONGEST_RETRIED_S,
        function_response_types=["ReportBatchItemFailures"],
        destination_config={"on_failure": {"destination_arn": failures.arn}},
        filter_criteria={"filters": [{"pattern": pattern} for pattern in filter_patterns()]},
        tags=context.naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return function, failure_queue(failures, "stream", redrive_to=function.arn)
