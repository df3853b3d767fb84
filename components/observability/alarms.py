"""What an operator must look at now: each alarm means that something is wrong with us, not with an order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pulumi

from components.aws.naming import Naming
from components.functions.failure_queues import FailureQueue
from components.functions.function import Function
from components.observability import metrics
from components.observability.metrics import Metric

_MINUTE_S = 60
_ENDED_BY = "fail-order makes its order FAILED, if it is PENDING. Find the cause."


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm on one metric. Missing data is no breach: most of these metrics exist only when something happens."""

    role: str
    """Name without project and stack."""
    description: str
    """What it means and what to do first; goes out with the message."""
    metric: Metric
    threshold: float
    """Rings at this value and above, in the metric's unit."""
    period_s: int = 5 * _MINUTE_S
    periods: int = 1
    """Periods in a row that must breach."""


def of_failure_queues(queues: Mapping[str, FailureQueue]) -> Iterator[Alarm]:
    """Yield one for each queue: whatever lies there was not done."""
    for name, each in sorted(queues.items()):
        yield Alarm(
            role=f"{name}-not-empty",
            description=f"Failed work ({each.kind}) lies in the queue {name}. Find the cause, then run make redrive.",
            metric=metrics.of_queue("ApproximateNumberOfMessagesVisible", each.queue_name),
            threshold=1,
        )


def of_functions(functions: Mapping[str, Function], *, answering_by_error: Collection[str]) -> Iterator[Alarm]:
    """Yield throttles of each function, and errors of those that do not use errors as answers."""
    for source, function in sorted(functions.items()):
        name = source.replace("_", "-")
        yield Alarm(
            role=f"{name}-throttles",
            description=f"Lambda throttles {name}. Look at the account's concurrency.",
            metric=metrics.of_function("Throttles", function.function_name),
            threshold=1,
        )
        if source not in answering_by_error:
            yield Alarm(
                role=f"{name}-errors",
                description=f"{name} raised an error that it should not. Look at its log.",
                metric=metrics.of_function("Errors", function.function_name),
                threshold=1,
            )


def of_delays(*, relay: Function, analytics_queue_name: pulumi.Input[str]) -> Iterator[Alarm]:
    """Yield what says that events come late."""
    yield Alarm(
        role="order-stream-age",
        description="Changes of orders wait for a minute and more to be published. Look at publish-order-events.",
        metric=metrics.of_function("IteratorAge", relay.function_name, "Maximum"),
        threshold=60_000,
        period_s=_MINUTE_S,
        periods=3,
    )
    yield Alarm(
        role="analytics-age",
        description="Analytics events wait for ten minutes and more. Look at record-analytics.",
        metric=metrics.of_queue("ApproximateAgeOfOldestMessage", analytics_queue_name),
        threshold=600,
    )


def of_workflow(
    naming: Naming, *, standard_arn: pulumi.Input[str], express_arn: pulumi.Input[str], unexpected: Metric
) -> Iterator[Alarm]:
    """Yield what says that orders are not decided. A rejected order also ends as FAILED, and is none of it."""
    yield Alarm(
        role="orders-failed",
        description="Orders became FAILED because of an error of ours. Look at the failed executions.",
        metric=metrics.of_business("OrderFailed", naming),
        threshold=1,
    )
    for role, name, meaning in (
        ("order-standard-timed-out", "ExecutionsTimedOut", "ran out of time"),
        ("order-standard-aborted", "ExecutionsAborted", "was aborted"),
    ):
        yield Alarm(
            role=role,
            description=f"A STANDARD execution {meaning}. {_ENDED_BY}",
            metric=metrics.of_machine(name, standard_arn),
            threshold=1,
        )
    yield Alarm(
        role="order-standard-unexpected",
        description=f"A STANDARD execution ended in a way that is not designed. {_ENDED_BY}",
        metric=unexpected,
        threshold=1,
    )
    yield Alarm(
        role="order-express-timed-out",
        description="EXPRESS executions ran out of time: POST /process answered 504. The STANDARD ones take over.",
        metric=metrics.of_machine("ExecutionsTimedOut", express_arn),
        threshold=5,
    )


def of_apis(
    *,
    rest_api_name: pulumi.Input[str],
    rest_api_stage: pulumi.Input[str],
    http_api_id: pulumi.Input[str],
    slow_ms: int,
) -> Iterator[Alarm]:
    """Yield what says that clients are answered wrongly or late."""
    for api, errors, latency in (
        (
            "rest-api",
            metrics.of_rest_api("5XXError", rest_api_name, rest_api_stage),
            metrics.of_rest_api("Latency", rest_api_name, rest_api_stage, "p99"),
        ),
        (
            "http-api",
            metrics.of_http_api("5xx", http_api_id),
            metrics.of_http_api("Latency", http_api_id, "p99"),
        ),
    ):
        yield Alarm(
            role=f"{api}-errors",
            description=f"The {api} answered 5xx at least 5 times in 5 minutes. Look at its access log.",
            metric=errors,
            threshold=5,
        )
        yield Alarm(
            role=f"{api}-slow",
            description=f"1 of 100 requests to the {api} took {slow_ms} ms and more, for 15 minutes.",
            metric=latency,
            threshold=slow_ms,
            periods=3,
        )
