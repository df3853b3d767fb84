"""The outbox relay: publishes an event for each new order and each change of an order's status.

The stream of the orders table is the outbox. Events have no other source, so every event belongs to a stored order.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import make_queue, make_queue_policy
from components.aws.owner import Owner
from components.functions.failure_queues import FailureQueue, as_failure_queue
from components.functions.function import Function, FunctionArgs, FunctionContext
from contracts.orders import DETAIL_TYPES, EVENT_SOURCE, TRANSITIONS

_BATCH: Final = 50
# With this value, Lambda limits neither the number of retries nor the age of a record. It retries a record until the
# stream deletes the record, 24 h after the change. Invalid records cause no retries, because the function itself sends
# them to the failure queue.
_NO_LIMIT: Final = -1


def filter_patterns() -> list[str]:
    """Return the event filters for new orders and for allowed changes of status. No filter matches a deleted row."""
    changes: list[dict[str, Any]] = [
        {
            "eventName": ["MODIFY"],
            "dynamodb": {"OldImage": {"status": {"S": [old]}}, "NewImage": {"status": {"S": list(new)}}},
        }
        for old, new in TRANSITIONS.items()
        if new
    ]
    return [json.dumps(pattern) for pattern in [{"eventName": ["INSERT"]}, *changes]]


def make_relay(
    owner: Owner,
    *,
    context: FunctionContext,
    orders_table: aws.dynamodb.Table,
    bus: aws.cloudwatch.EventBus,
) -> tuple[Function, FailureQueue]:
    """Create and return `publish_order_events` and its failure queue.

    The function reads the stream of `orders_table` and publishes events to `bus`.
    """
    name = "publish-order-events"
    failures = make_queue(f"{name}-stream", owner)
    make_queue_policy(f"{name}-stream", failures, owner)
    function = Function(
        name,
        FunctionArgs(
            context=context,
            component=owner.component,
            source="publish_order_events",
            timeout_s=30,
            memory_mb=256,
            environment={"EVENT_BUS": bus.name, "FAILURE_QUEUE_URL": failures.url},
            permissions=[
                allow(
                    "events:PutEvents",
                    on=bus.arn,
                    when={
                        "StringEquals": {
                            "events:source": EVENT_SOURCE,
                            "events:detail-type": list(DETAIL_TYPES.values()),
                        }
                    },
                ),
                allow(
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    on=orders_table.stream_arn,
                ),
                allow(
                    "dynamodb:ListStreams",
                    on="*",
                    because="dynamodb:ListStreams does not support resource-level permissions",
                ),
                # The function sends each record that can never become an event to this queue. If SQS refuses the
                # message, the function fails, and Lambda retries the record.
                allow("sqs:SendMessage", on=failures.arn),
            ],
        ),
        owner.opts(),
    )
    aws.lambda_.EventSourceMapping(
        f"{name}-stream",
        event_source_arn=orders_table.stream_arn,
        function_name=function.arn,
        # With LATEST, the mapping would skip an order that is written after the mapping's creation but before its first
        # read. Such an order would have no event.
        starting_position="TRIM_HORIZON",
        batch_size=_BATCH,
        # Lambda processes two batches of a shard at a time. The changes of one order stay in sequence, because they
        # have the same partition key, and Lambda never processes two batches with the same key at the same time.
        parallelization_factor=2,
        # If a record makes the function fail, for example by a timeout, Lambda splits the batch. Lambda can then
        # process the records before the failing record, so their events are still published.
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=_NO_LIMIT,
        maximum_record_age_in_seconds=_NO_LIMIT,
        function_response_types=["ReportBatchItemFailures"],
        destination_config={"on_failure": {"destination_arn": failures.arn}},
        filter_criteria={"filters": [{"pattern": pattern} for pattern in filter_patterns()]},
        tags=owner.tags(),
        opts=owner.opts(),
    )
    return function, as_failure_queue(failures, "stream", redrive_to=function.arn)
