"""Defines the CloudWatch metrics of the alarms and the dashboard, with AWS's names and dimensions.

A metric is a count, unless the docstring of the function that returns the metric states another unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.aws.monitored import MonitoredRule, MonitoredTable
from components.aws.naming import Naming


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One CloudWatch metric and its statistic."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    """CloudWatch statistic, for example Sum or Maximum, or a percentile such as p99."""


def lambda_metric(name: str, function_name: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a Lambda metric over all versions of a function, for example Errors, Throttles or Duration (ms).

    IteratorAge and AsyncEventAge are in milliseconds too (AWS Lambda Developer Guide, "Types of metrics").
    """
    return Metric(namespace="AWS/Lambda", name=name, dimensions={"FunctionName": function_name}, statistic=statistic)


def queue_metric(name: str, queue_name: pulumi.Input[str]) -> Metric:
    """Return an SQS metric: ApproximateNumberOfMessagesVisible or ApproximateAgeOfOldestMessage (s)."""
    return Metric(namespace="AWS/SQS", name=name, dimensions={"QueueName": queue_name}, statistic="Maximum")


def rule_metric(name: str, rule: MonitoredRule) -> Metric:
    """Return an EventBridge metric of a rule, for example InvocationsSentToDlq.

    Metrics of rules on the default bus have only the dimension RuleName (Amazon EventBridge User Guide, "Monitoring").
    """
    bus = {"EventBusName": rule.bus_name} if rule.bus_name else {}
    return Metric(namespace="AWS/Events", name=name, dimensions={**bus, "RuleName": rule.rule_name})


def table_metric(name: str, table: MonitoredTable, index: str = "") -> Metric:
    """Return a DynamoDB metric of a table or of its global secondary index `index`, for example WriteThrottleEvents.

    The metric of a table does not include its indexes (Amazon DynamoDB Developer Guide, "Metrics and dimensions").
    """
    dimensions = {"TableName": table.table_name, **({"GlobalSecondaryIndexName": index} if index else {})}
    return Metric(namespace="AWS/DynamoDB", name=name, dimensions=dimensions)


def state_machine_metric(name: str, arn: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a Step Functions metric, for example ExecutionsFailed, ExecutionsTimedOut or ExecutionTime (ms)."""
    return Metric(namespace="AWS/States", name=name, dimensions={"StateMachineArn": arn}, statistic=statistic)


def rest_api_metric(name: str, api_name: pulumi.Input[str], stage: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return a REST API metric: Count, 4XXError, 5XXError or Latency (ms)."""
    dimensions = {"ApiName": api_name, "Stage": stage}
    return Metric(namespace="AWS/ApiGateway", name=name, dimensions=dimensions, statistic=statistic)


def http_api_metric(name: str, api_id: pulumi.Input[str], statistic: str = "Sum") -> Metric:
    """Return an HTTP API metric: Count, 4xx, 5xx or Latency (ms)."""
    return Metric(namespace="AWS/ApiGateway", name=name, dimensions={"ApiId": api_id}, statistic=statistic)


def business_namespace(naming: Naming) -> str:
    """Return the namespace of the business metrics. The functions read it from POWERTOOLS_METRICS_NAMESPACE."""
    return f"{naming.project}-{naming.stack}"


def business_metric(name: str, naming: Naming) -> Metric:
    """Return a business metric such as OrderCreated. Powertools adds the dimension `service` to the metric."""
    return Metric(namespace=business_namespace(naming), name=name, dimensions={"service": naming.project})
