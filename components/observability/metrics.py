"""CloudWatch metrics of the platform, by the names and dimensions under which AWS and the functions write them.

Units: counts, except `iterator_age` and latencies in milliseconds and `oldest_message_age` in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.aws.naming import Naming


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric and how it is aggregated."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    """Sum, Maximum, … or a percentile such as p99."""


def of_function(name: str, function_name: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a Lambda metric over all versions: Errors, Throttles, Duration (ms), IteratorAge (ms)."""
    return Metric(namespace="AWS/Lambda", name=name, dimensions={"FunctionName": function_name}, statistic=statistic)


def of_queue(name: str, queue_name: pulumi.Input[str]) -> Metric:
    """Return an SQS metric: ApproximateNumberOfMessagesVisible, ApproximateAgeOfOldestMessage (s)."""
    return Metric(namespace="AWS/SQS", name=name, dimensions={"QueueName": queue_name}, statistic="Maximum")


def of_machine(name: str, arn: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a Step Functions metric: ExecutionsFailed, ExecutionsTimedOut, ExecutionTime (ms)."""
    return Metric(namespace="AWS/States", name=name, dimensions={"StateMachineArn": arn}, statistic=statistic)


def of_rest_api(name: str, api_name: pulumi.Input[str], stage: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a REST API metric: Count, 4XXError, 5XXError, Latency (ms)."""
    dimensions = {"ApiName": api_name, "Stage": stage}
    return Metric(namespace="AWS/ApiGateway", name=name, dimensions=dimensions, statistic=statistic)


def of_http_api(name: str, api_id: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return an HTTP API metric: Count, 4xx, 5xx, Latency (ms)."""
    return Metric(namespace="AWS/ApiGateway", name=name, dimensions={"ApiId": api_id}, statistic=statistic)


def business_namespace(naming: Naming) -> str:
    """Return the namespace that the functions count business events in (POWERTOOLS_METRICS_NAMESPACE)."""
    return f"{naming.project}-{naming.stack}"


def of_business(name: str, naming: Naming) -> Metric:
    """Return what the functions count by Powertools, which adds the dimension `service`: OrderCreated, MailSent."""
    return Metric(namespace=business_namespace(naming), name=name, dimensions={"service": naming.project})
