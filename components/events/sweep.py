"""The sweep, which restarts the workflow of late orders (docs/decisions/28-late-orders-are-restarted.md).

`mark_late_orders` reads the stream of the orders table in large batches. If a batch contains the creation of an order
but not its decision, the function marks the order. `restart_late_orders` runs on a schedule and starts the workflow of
marked orders again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.messaging import make_queue, make_queue_policy
from components.aws.monitored import MonitoredRule, MonitoredStream
from components.aws.owner import Owner
from components.events.delivery import Delivery, make_repeated_target
from components.functions.failure_queues import FailureQueue, as_failure_queue
from components.functions.function import AsynchronousInvocation, Function, FunctionArgs, FunctionContext
from contracts.orders import TRANSITIONS

# Largest batch that Lambda allows, in records. Lambda invokes the function earlier if the records reach 6 MB, which is
# about 2,400 orders, or when the batching window ends (AWS Lambda Developer Guide, "DynamoDB event sources").
_BATCH: Final = 10_000
_MINUTE_S: Final = 60
# The time limit ends a sweep this number of seconds before the next sweep starts. Only a sweep that Lambda starts late
# can overlap with the next one. This does no harm: both start an order's execution under the same name.
_RESERVE_S: Final = 10
# Number of batching windows after which an alarm reports a waiting record. A record normally waits for at most one
# window.
_WINDOWS_UNTIL_LATE: Final = 3
_DEFAULT_BUS: Final = "default"


@dataclass(frozen=True, kw_only=True)
class SweepArgs:
    """The orders whose workflow the sweep restarts, and the time from one sweep to the next."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    orders_table: aws.dynamodb.Table
    """Table of orders. Its stream must contain new and old images."""
    late_orders_index: str
    """Name of the orders table's index of late orders."""
    state_machine_arn: pulumi.Input[str]
    """ARN of the STANDARD state machine."""
    minutes: int
    """Minutes from one sweep to the next, 1-5. The batching window of the stream has the same length."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The functions that mark and restart late orders, and the stream and the schedule that invoke them."""

    mark_late_orders: Function
    restart_late_orders: Function
    stream_failures: FailureQueue
    """Queue of the stream batches that `mark_late_orders` could not handle within 24 h."""
    rule: MonitoredRule
    """The EventBridge rule that starts the sweeps on a schedule."""
    stream: MonitoredStream
    """The stream that `mark_late_orders` reads."""


def filter_patterns() -> list[str]:
    """Return the event filters for new orders and for decided orders."""
    decided: dict[str, Any] = {
        "eventName": ["MODIFY"],
        "dynamodb": {
            "OldImage": {"status": {"S": ["PENDING"]}},
            "NewImage": {"status": {"S": list(TRANSITIONS["PENDING"])}},
        },
    }
    return [json.dumps(pattern) for pattern in ({"eventName": ["INSERT"]}, decided)]


def make_sweep(owner: Owner, args: SweepArgs) -> Sweep:
    """Create the functions that mark and restart late orders, with their event source mapping and their schedule."""
    mark, stream_failures = _make_mark_late_orders(owner, args)
    restart = _make_restart_late_orders(owner, args)
    rule = _make_schedule(owner, args, restart)
    return Sweep(
        mark_late_orders=mark,
        restart_late_orders=restart,
        stream_failures=stream_failures,
        rule=MonitoredRule(rule_name=rule.name, bus_name=None, has_dead_letters=False),
        stream=MonitoredStream(
            consumer=mark.source,
            late_after_s=_WINDOWS_UNTIL_LATE * args.minutes * _MINUTE_S,
            window_s=args.minutes * _MINUTE_S,
        ),
    )


def _make_mark_late_orders(owner: Owner, args: SweepArgs) -> tuple[Function, FailureQueue]:
    name, table = "mark-late-orders", args.orders_table
    failures = make_queue(f"{name}-stream", owner)
    make_queue_policy(f"{name}-stream", failures, owner)
    function = Function(
        name,
        FunctionArgs(
            context=args.context,
            component=owner.component,
            source="mark_late_orders",
            # If all orders of a batch are late, the function makes thousands of UpdateItem calls, so it has a long time
            # limit. It also has more memory, because Lambda assigns CPU in proportion to memory.
            timeout_s=300,
            memory_mb=1024,
            environment={"ORDERS_TABLE": table.name},
            permissions=[
                allow("dynamodb:UpdateItem", on=table.arn),
                allow(
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    on=table.stream_arn,
                ),
                allow(
                    "dynamodb:ListStreams",
                    on="*",
                    because="dynamodb:ListStreams does not support resource-level permissions",
                ),
                allow("sqs:SendMessage", on=failures.arn),
            ],
        ),
        owner.opts(),
    )
    aws.lambda_.EventSourceMapping(
        f"{name}-stream",
        event_source_arn=table.stream_arn,
        function_name=function.arn,
        # Start at the oldest record. DynamoDB retains stream records for 24 h, so the first batches contain the orders
        # of the last 24 h. If an update adds the function to an existing stack, the function therefore also marks
        # orders that are already PENDING.
        starting_position="TRIM_HORIZON",
        batch_size=_BATCH,
        maximum_batching_window_in_seconds=args.minutes * _MINUTE_S,
        # If the function times out because all orders of a large batch are late, Lambda splits the batch until each
        # part is small enough to finish in time.
        bisect_batch_on_function_error=True,
        # Lambda retries a batch until the stream deletes its records after 24 h. No late order is missed if the cause
        # of the failure is removed within this time.
        maximum_retry_attempts=-1,
        maximum_record_age_in_seconds=-1,
        function_response_types=["ReportBatchItemFailures"],
        destination_config={"on_failure": {"destination_arn": failures.arn}},
        filter_criteria={"filters": [{"pattern": pattern} for pattern in filter_patterns()]},
        tags=owner.tags(),
        opts=owner.opts(),
    )
    return function, as_failure_queue(failures, "stream", redrive_to=function.arn)


def _make_restart_late_orders(owner: Owner, args: SweepArgs) -> Function:
    table = args.orders_table
    return Function(
        "restart-late-orders",
        FunctionArgs(
            context=args.context,
            component=owner.component,
            source="restart_late_orders",
            timeout_s=args.minutes * _MINUTE_S - _RESERVE_S,
            memory_mb=256,
            environment={
                "ORDERS_TABLE": table.name,
                "LATE_ORDERS_INDEX": args.late_orders_index,
                "STATE_MACHINE_ARN": args.state_machine_arn,
            },
            permissions=[
                allow("dynamodb:Query", on=pulumi.Output.concat(table.arn, "/index/", args.late_orders_index)),
                allow("dynamodb:GetItem", "dynamodb:UpdateItem", on=table.arn),
                allow("states:StartExecution", on=args.state_machine_arn),
            ],
            # A failed sweep does no harm, because the next sweep checks all late orders again. Lambda therefore does
            # not retry a failed sweep, and does not report it to a failure queue. If Lambda cannot start a sweep within
            # a minute, it drops the sweep.
            asynchronous=AsynchronousInvocation(
                maximum_event_age_s=_MINUTE_S, maximum_retry_attempts=0, failure_queue=False
            ),
        ),
        owner.opts(),
    )


def _make_schedule(owner: Owner, args: SweepArgs, function: Function) -> aws.cloudwatch.EventRule:
    """Create the rule that invokes `function` every few minutes.

    Unlike a schedule of EventBridge Scheduler, a rule needs no role: the function's resource policy lets the rule
    invoke the function.
    """
    rule = aws.cloudwatch.EventRule(
        f"{owner.component}-late-orders",
        name=owner.name("late-orders", kind="rule"),
        # EventBridge accepts scheduled rules only on the default bus.
        event_bus_name=_DEFAULT_BUS,
        schedule_expression=f"rate({args.minutes} minute{'s' * (args.minutes > 1)})",
        tags=owner.tags(),
        opts=owner.opts(),
    )
    delivery = Delivery(
        rule=rule,
        target_arn=function.arn,
        redrive_to=function.arn,
        allowed_by=function.make_permission("event-bus", principal="events.amazonaws.com", source_arn=rule.arn),
    )
    make_repeated_target("restart-late-orders", delivery, owner)
    return rule
