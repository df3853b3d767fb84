"""Defines the alarms. Every alarm means a fault of the platform. Orders with a business error fire no alarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi

from components.aws.naming import Naming
from components.functions.failure_queues import FailureQueue
from components.functions.function import Function
from components.observability import metrics
from components.observability.metrics import Metric
from contracts.orders import DETAIL_TYPES

_MINUTE_S = 60
_ENDED_BY = (
    "fail-order sets the order to FAILED if it is PENDING and has reached the time limit. "
    "Find the cause of the failed execution."
)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm on one metric.

    Missing data does not fire the alarm, because most of these metrics have no data points until something happens.
    """

    role: str
    """Physical name without the project and the stack."""
    description: str
    """Meaning of the alarm and first step of the operator. The SNS notification contains this text."""
    metric: Metric
    threshold: float
    """The alarm fires at this value or above it, in the unit of the metric."""
    period_s: int = 5 * _MINUTE_S
    periods: int = 1
    """Number of consecutive periods in which the metric must reach the threshold."""


def failure_queue_alarms(queues: Mapping[str, FailureQueue]) -> Iterator[Alarm]:
    """Yield one alarm per failure queue, which fires as soon as the queue contains a message."""
    for name, each in sorted(queues.items()):
        yield Alarm(
            role=f"{name}-not-empty",
            description=f"{name} holds failed work ({each.kind}). Find the cause, then run make redrive.",
            metric=metrics.queue_metric("ApproximateNumberOfMessagesVisible", each.queue_name),
            threshold=1,
        )


def function_alarms(functions: Mapping[str, Function]) -> Iterator[Alarm]:
    """Yield an alarm on the throttles of each function, and an alarm on its errors.

    A function that raises errors on purpose gets no alarm on errors. A fault in such a function still fires another
    alarm: on orders that failed, or on the failure queue that receives the event.
    """
    for source, function in sorted(functions.items()):
        name = source.replace("_", "-")
        yield Alarm(
            role=f"{name}-throttles",
            description=f"Lambda throttles {name}. Check the concurrency limit of the AWS account.",
            metric=metrics.lambda_metric("Throttles", function.function_name),
            threshold=1,
        )
        if not function.raises_business_errors:
            yield Alarm(
                role=f"{name}-errors",
                description=f"{name} failed with an unexpected error. Check its log.",
                metric=metrics.lambda_metric("Errors", function.function_name),
                threshold=1,
            )


def backlog_alarms(*, relay: Function, analytics_queue_name: pulumi.Input[str]) -> Iterator[Alarm]:
    """Yield the alarms on delays: late order events and late analytics records."""
    yield Alarm(
        role="order-stream-age",
        description="Order events are published more than a minute late. Check the log of publish-order-events.",
        metric=metrics.lambda_metric("IteratorAge", relay.function_name, "Maximum"),
        threshold=60_000,
        period_s=_MINUTE_S,
        periods=3,
    )
    yield Alarm(
        role="analytics-age",
        description="Analytics messages wait for more than ten minutes. Check the log of record-analytics.",
        metric=metrics.queue_metric("ApproximateAgeOfOldestMessage", analytics_queue_name),
        threshold=600,
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
        description="A fault of the platform set orders to FAILED. Check the failed executions of the order workflow.",
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
