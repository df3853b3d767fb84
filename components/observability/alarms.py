"""Defines the alarms. Every alarm indicates a fault in the platform. Business errors fire no alarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final, Literal

import pulumi

from components.aws.monitored import MonitoredQueue, MonitoredRule, MonitoredStream, MonitoredTable
from components.aws.naming import Naming
from components.functions.failure_queues import FailureQueue
from components.functions.function import Function
from components.observability import metrics
from components.observability.metrics import Metric
from contracts.orders import DETAIL_TYPES

_MINUTE_S: Final = 60
# A math expression of an alarm can include up to ten metrics (Amazon CloudWatch User Guide, "Alarm data queries").
_METRICS_OF_AN_ALARM: Final = 10
# Lambda invokes a function up to three times for an event: at once, one minute later, and after two more minutes. If an
# event is still in Lambda's queue at the age of two minutes, the first two invocations have failed, or Lambda throttles
# the function.
_LATE_EVENT_MS: Final = 120_000
# DynamoDB cancels one of two transactions that change the same item at the same time. The functions retry cancelled
# transactions, so a few conflicts do no harm. With this number of conflicts per minute, the retries delay the
# confirmation of orders.
_CONFLICTS_PER_MINUTE: Final = 60
_ENDED_BY = (
    "If the order is PENDING and older than workflow.standardTimeoutSeconds, fail-order sets it to FAILED. "
    "Find out why the execution ended."
)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm on one metric, or on several metrics of one kind."""

    role: str
    """Physical name without the project and the stack."""
    description: str
    """Meaning of the alarm and first step of the operator. The SNS notification contains this text."""
    metric: Metric | Sequence[Metric]
    """What the alarm compares with the threshold: one metric, or the sum of several metrics."""
    threshold: float
    """The alarm fires at this value or above it, in the unit of the metric."""
    highest: bool = False
    """Whether the alarm compares the highest of several metrics with the threshold instead of their sum."""
    period_s: int = 5 * _MINUTE_S
    periods: int = 1
    """Number of latest periods that the alarm evaluates."""
    periods_to_alarm: int | None = None
    """Number of evaluated periods in which the metric must reach the threshold. None means all of these periods."""
    missing_data: Literal["notBreaching", "ignore"] = "notBreaching"
    """How CloudWatch treats periods without data. Most metrics have no data points until something happens, so missing
    data is normal. `ignore` keeps the alarm's state."""


def failure_queue_alarms(queues: Mapping[str, FailureQueue]) -> Iterator[Alarm]:
    """Yield one alarm per failure queue, which fires when the queue contains a message.

    After six hours without an API call to a queue, SQS sends no metrics of the queue to CloudWatch. The alarm keeps its
    state while it has no data. Otherwise, it would return to OK although the queue still contains a message.

    When a queue becomes active again, its metrics can arrive 15 minutes late (Amazon SQS Developer Guide, "Available
    CloudWatch metrics"). The alarms of `lost_work_alarms` have no such delay: they fire within minutes.
    """
    for name, each in sorted(queues.items()):
        yield Alarm(
            role=f"{name}-not-empty",
            description=f"The failure queue {name} contains work that failed. Find the cause, then run make redrive.",
            metric=metrics.queue_metric("ApproximateNumberOfMessagesVisible", each.queue_name),
            threshold=1,
            missing_data="ignore",
        )


def function_alarms(functions: Mapping[str, Function]) -> Iterator[Alarm]:
    """Yield an alarm on the errors of each function.

    There is no such alarm for a function that raises errors on purpose. A fault in that function fires a different
    alarm: the alarm on orders that failed, or the alarm on the failure queue that receives the event.
    """
    for source, function in sorted(functions.items()):
        name = source.replace("_", "-")
        if not function.raises_business_errors:
            yield Alarm(
                role=f"{name}-errors",
                description=f"{name} failed with an unexpected error. Check its log.",
                metric=metrics.lambda_metric("Errors", function.function_name),
                threshold=1,
            )


def throttle_alarms(functions: Mapping[str, Function], polled: Sequence[str]) -> Iterator[Alarm]:
    """Yield one alarm on throttling for each group of functions on which throttling has the same effect.

    `polled` contains the functions for which Lambda reads a queue or a stream.
    """
    waiting: dict[str, dict[str, Function]] = {"polled": {}, "asynchronous": {}, "called": {}}
    for source, function in functions.items():
        group = "polled" if source in polled else "asynchronous" if function.is_asynchronous else "called"
        waiting[group][source] = function
    consequences = {
        "polled": "Their messages or records wait",
        "asynchronous": "Their events wait",
        "called": "The APIs return 429 or 5xx, and the workflow retries its steps",
    }
    for group, members in waiting.items():
        names = ", ".join(sorted(source.replace("_", "-") for source in members))
        yield from _combined(
            f"{group}-throttles",
            f"Lambda throttles one of these functions: {names}. {consequences[group]}. Check the concurrency limits.",
            [metrics.lambda_metric("Throttles", function.function_name) for _, function in sorted(members.items())],
        )


def lost_work_alarms(
    functions: Mapping[str, Function], rules: Mapping[str, MonitoredRule], streams: Mapping[str, MonitoredStream]
) -> Iterator[Alarm]:
    """Yield the alarms on work that a service stopped retrying, or could not even send to a failure queue.

    Services write the metrics of these alarms every minute, so the alarms fire earlier than those on failure queues.
    """
    asynchronous = [function for _, function in sorted(functions.items()) if function.is_asynchronous]
    names = [function.function_name for function in asynchronous]
    yield from _combined(
        "events-given-up",
        "Lambda stopped retrying an asynchronous event. Find the cause, then run make redrive for events in failure "
        "queues. The sweep repeats the work of fail-order and restart-late-orders, which have no failure queues.",
        [metrics.lambda_metric("AsyncEventsDropped", name) for name in names],
    )
    yield from _combined(
        "events-late",
        "An asynchronous event is two minutes late. Either Lambda throttles the event's function, or the function "
        "failed twice. Check the log of process-order first.",
        [metrics.lambda_metric("AsyncEventAge", name, "Maximum") for name in names],
        threshold=_LATE_EVENT_MS,
        highest=True,
    )
    reporting = [
        *(function.function_name for function in asynchronous if function.failure_queue),
        *(functions[stream.consumer].function_name for _, stream in sorted(streams.items())),
    ]
    queued = [function.function_name for function in asynchronous if function.dead_letter_queue]
    yield from _combined(
        "failure-reports-lost",
        "Lambda could not report an event to a failure queue or to the success topic, so a failed event may be "
        "lost. Check the permissions of the functions' roles, then compare the event archive with the orders.",
        [
            *(metrics.lambda_metric("DestinationDeliveryFailures", name) for name in reporting),
            *(metrics.lambda_metric("DeadLetterErrors", name) for name in queued),
        ],
    )
    dead_lettered = [(role, rule) for role, rule in sorted(rules.items()) if rule.has_dead_letters]
    yield from _combined(
        "deliveries-given-up",
        "EventBridge could not deliver an event and sent it to a failure queue. Find the cause, for example the policy "
        "of the target's queue, then run make redrive. If the target is an SQS queue, the function that reads the "
        "queue also reads the failure queue, so no redrive is needed.",
        [metrics.rule_metric("InvocationsSentToDlq", rule) for _, rule in dead_lettered],
    )
    yield from _combined(
        "deliveries-dropped",
        "EventBridge could not deliver an event to fail-order or restart-late-orders, for example because the "
        "function's policy does not allow the delivery. The next sweep that runs repeats the work.",
        [
            metrics.rule_metric("FailedInvocations", rule)
            for _, rule in sorted(rules.items())
            if not rule.has_dead_letters
        ],
    )
    yield from _combined(
        "deliveries-lost",
        "EventBridge could neither deliver an event nor send it to a failure queue. Check the policies of the queues, "
        "then replay the event from the archive.",
        [metrics.rule_metric("InvocationsFailedToBeSentToDlq", rule) for _, rule in dead_lettered],
    )


def set_aside_alarm(naming: Naming) -> Alarm:
    """Return the alarm on messages that a function itself sends to its failure queue.

    A function does so if a message is invalid, or if every attempt to handle the message failed.
    """
    return Alarm(
        role="messages-set-aside",
        description="A function sent a message to its failure queue, because the message is invalid or every attempt "
        "failed. Search the logs for `set aside`, then run make redrive.",
        metric=metrics.business_metric("MessageSetAside", naming),
        threshold=1,
        period_s=_MINUTE_S,
    )


def late_orders_alarm(naming: Naming) -> Alarm:
    """Return the alarm on orders that the sweep finds PENDING.

    Only this alarm reveals that a function's role lacks the permission to read the function's stream. Lambda then never
    invokes the function, so the metrics of the function, such as IteratorAge, have no data. The orders become late.
    """
    return Alarm(
        role="orders-late",
        description="A sweep found an order that has been PENDING for minutes. Check whether Lambda still invokes "
        "publish-order-events and process-order, and check the EXPRESS executions that end with Undecided.",
        metric=metrics.business_metric("OrderLate", naming),
        threshold=1,
    )


def table_alarms(tables: Mapping[str, MonitoredTable]) -> Iterator[Alarm]:
    """Yield the alarms on DynamoDB requests that were throttled or conflicted with another transaction."""
    for kind in ("read", "write"):
        yield from _combined(
            f"table-{kind}-throttles",
            f"DynamoDB throttles {kind}s of a table or an index. Check for a hot item, then raise the table's warm "
            "throughput.",
            [
                metrics.table_metric(f"{kind.capitalize()}ThrottleEvents", table, index)
                for _, table in sorted(tables.items())
                for index in ("", *table.indexes)
            ],
        )
    yield from _combined(
        "transaction-conflicts",
        "Many concurrent orders change the stock of one product and are confirmed late. Check for a popular product.",
        [metrics.table_metric("TransactionConflict", table) for _, table in sorted(tables.items())],
        threshold=_CONFLICTS_PER_MINUTE,
        periods_to_alarm=5,
    )


def backlog_alarms(
    functions: Mapping[str, Function], queues: Mapping[str, MonitoredQueue], streams: Mapping[str, MonitoredStream]
) -> Iterator[Alarm]:
    """Yield one alarm per queue and stream, which fires if a function receives its messages or records late."""
    for name, stream in sorted(streams.items()):
        yield Alarm(
            role=f"{name}-age",
            description=f"Records of the stream {name} wait for more than {stream.late_after_s} s. Check the log of "
            f"{stream.consumer.replace('_', '-')}.",
            metric=metrics.lambda_metric("IteratorAge", functions[stream.consumer].function_name, "Maximum"),
            threshold=stream.late_after_s * 1000,
            # Lambda writes this metric at each invocation of the function. Invocations are about one batching window
            # apart. The period of the alarm is two windows long, so that each period contains a data point.
            period_s=2 * stream.window_s or _MINUTE_S,
            periods=1 if stream.window_s else 3,
        )
    for name, queue in sorted(queues.items()):
        yield Alarm(
            role=f"{name}-age",
            description=f"Messages of the queue {name} wait for more than {queue.late_after_s} s. Check the log of "
            f"{queue.consumer.replace('_', '-')}.",
            metric=metrics.queue_metric("ApproximateAgeOfOldestMessage", queue.queue_name),
            threshold=queue.late_after_s,
        )


def _combined(
    role: str,
    description: str,
    watched: Sequence[Metric],
    *,
    threshold: float = 1,
    highest: bool = False,
    periods_to_alarm: int = 1,
) -> Iterator[Alarm]:
    """Yield alarms on the metrics in `watched`, ten metrics per alarm. The second alarm has the suffix -2, and so on.

    Each alarm counts a missing data point as 0. A data point can arrive after CloudWatch has evaluated its period.
    The alarm therefore evaluates the last five periods each time, so that a late data point still counts (Amazon
    CloudWatch User Guide, "Using math expressions", FILL).
    """
    for number, some in enumerate(batched(watched, _METRICS_OF_AN_ALARM, strict=False), start=1):
        yield Alarm(
            role=role if number == 1 else f"{role}-{number}",
            description=description,
            metric=some,
            threshold=threshold,
            highest=highest,
            period_s=_MINUTE_S,
            periods=5,
            periods_to_alarm=periods_to_alarm,
        )


def workflow_alarms(
    naming: Naming, *, standard_arn: pulumi.Input[str], express_arn: pulumi.Input[str], unexpected: Metric
) -> Iterator[Alarm]:
    """Yield the alarms on orders that the workflow did not decide.

    Executions of rejected orders also end as FAILED. These executions must not fire an alarm, so the metric
    `unexpected` does not count them.
    """
    yield Alarm(
        role="orders-failed",
        description="Orders became FAILED because of a fault in the platform. Check the failed executions of the order "
        "workflow.",
        metric=metrics.business_metric(DETAIL_TYPES["FAILED"], naming),
        threshold=1,
    )
    for role, name, meaning in (
        ("order-standard-timed-out", "ExecutionsTimedOut", "timed out"),
        ("order-standard-aborted", "ExecutionsAborted", "was aborted"),
    ):
        yield Alarm(
            role=role,
            description=f"A STANDARD execution {meaning}. {_ENDED_BY}",
            metric=metrics.state_machine_metric(name, standard_arn),
            threshold=1,
        )
    yield Alarm(
        role="order-standard-unexpected",
        description=f"A STANDARD execution failed with an unexpected error. {_ENDED_BY}",
        metric=unexpected,
        threshold=1,
    )
    yield from _combined(
        "executions-throttled",
        "Step Functions throttles the order workflow, so orders wait. Check the quota of state transitions.",
        [metrics.state_machine_metric("ExecutionThrottled", arn) for arn in (express_arn, standard_arn)],
    )
    yield Alarm(
        role="order-express-timed-out",
        description="EXPRESS executions timed out, so POST /process returned 504. "
        "STANDARD executions confirm or reject these orders.",
        metric=metrics.state_machine_metric("ExecutionsTimedOut", express_arn),
        threshold=5,
    )


def api_alarms(
    *,
    rest_api_name: pulumi.Input[str],
    rest_api_stage: pulumi.Input[str],
    http_api_id: pulumi.Input[str],
    slow_ms: int,
) -> Iterator[Alarm]:
    """Yield the alarms on 5xx responses and slow responses of the APIs."""
    for api, errors, latency in (
        (
            "rest-api",
            metrics.rest_api_metric("5XXError", rest_api_name, rest_api_stage),
            metrics.rest_api_metric("Latency", rest_api_name, rest_api_stage, "p99"),
        ),
        (
            "http-api",
            metrics.http_api_metric("5xx", http_api_id),
            metrics.http_api_metric("Latency", http_api_id, "p99"),
        ),
    ):
        yield Alarm(
            role=f"{api}-errors",
            description=f"The {api} returned a 5xx status at least 5 times in 5 minutes. Check its access log.",
            metric=errors,
            threshold=5,
        )
        yield Alarm(
            role=f"{api}-slow",
            description=f"For 15 minutes, at least 1 of 100 requests to the {api} took {slow_ms} ms or longer.",
            metric=latency,
            threshold=slow_ms,
            periods=3,
        )
