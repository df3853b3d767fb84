"""Monitoring of a stack: alarms, the SNS topic that the alarms notify, and a dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.monitored import MonitoredQueue, MonitoredRule, MonitoredStream, MonitoredTable
from components.aws.naming import Naming
from components.aws.owner import Owner
from components.functions.failure_queues import FailureQueue
from components.functions.function import Function
from components.observability import alarms, dashboard, metrics
from components.observability.alarm_topic import make_alarm_topic
from components.observability.alarms import Alarm
from components.observability.dashboard import Widget
from components.observability.metrics import Metric
from contracts.orders import DETAIL_TYPES

_COMPONENT: Final = "observability"
_MAIL_DETAIL_TYPES: Final = ("MailSent", "MailSkipped", "OrderAnalysed")
_ERRORS_QUERY: Final = (
    'filter level = "ERROR" | fields @timestamp, function_name, message, correlation_id, order_id '
    "| sort @timestamp desc | limit 50"
)


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """The resources to monitor, and the email address to notify."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region."""
    account_id: pulumi.Input[str]
    """AWS account id."""
    functions: Mapping[str, Function]
    """All functions of the stack, keyed by their folder under functions/."""
    failure_queues: Mapping[str, FailureQueue]
    """All failure queues of the stack, by name."""
    rules: Mapping[str, MonitoredRule]
    """All EventBridge rules of the stack, by their names without project and stack."""
    queues: Mapping[str, MonitoredQueue]
    """The queues from which Lambda reads messages for functions, by name."""
    streams: Mapping[str, MonitoredStream]
    """The streams from which Lambda reads records for functions, by name."""
    tables: Mapping[str, MonitoredTable]
    """All tables of the stack, by their names without project and stack."""
    standard_arn: pulumi.Input[str]
    """ARN of the STANDARD state machine."""
    standard_log_group_name: pulumi.Input[str]
    """CloudWatch log group of the STANDARD state machine."""
    standard_expected_errors: Sequence[str]
    """Errors with which a STANDARD execution ends on purpose, for example because an order is rejected."""
    express_arn: pulumi.Input[str]
    """ARN of the EXPRESS state machine."""
    rest_api_name: pulumi.Input[str]
    """Name of the REST API. CloudWatch uses it as the dimension `ApiName`."""
    rest_api_stage: pulumi.Input[str]
    """Name of the REST API's stage."""
    http_api_id: pulumi.Input[str]
    """Id of the HTTP API."""
    alarm_email: str = ""
    """Email address for notifications. Its owner must confirm the subscription. Empty means no email."""
    slow_ms: int = 5000
    """An alarm fires when the 99th percentile of an API's latency reaches this value, in milliseconds."""


class Observability(pulumi.ComponentResource):
    """The alarm topic with its KMS key, the alarms, and the dashboard."""

    alarm_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that all alarms notify."""
    dashboard_name: pulumi.Output[str]
    """Name of the CloudWatch dashboard."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Observability", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.naming, component=_COMPONENT, parent=self)
        own_alarms = f":alarm:{args.naming.project}-{args.naming.stack}-*"
        self._topic = make_alarm_topic(
            "alarms",
            self._owner,
            alarms=pulumi.Output.concat(f"arn:aws:cloudwatch:{args.region}:", args.account_id, own_alarms),
            account_id=args.account_id,
        )
        if args.alarm_email:
            self._make_subscription(args.alarm_email)
        unexpected = self._make_unexpected_ends_filter()
        made = [self._make_alarm(alarm) for alarm in self._alarms(unexpected)]
        board = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=self._owner.name("overview", kind="dashboard"),
            dashboard_body=dashboard.body(list(self._widgets([alarm.arn for alarm in made]))),
            opts=self._owner.opts(),
        )
        self.alarm_topic_arn = self._topic.arn
        self.dashboard_name = board.dashboard_name
        self.register_outputs({"alarmTopicArn": self.alarm_topic_arn, "dashboardName": self.dashboard_name})

    def _make_subscription(self, address: str) -> None:
        aws.sns.TopicSubscription(
            f"{self._name}-mail",
            topic=self._topic.arn,
            protocol="email",
            endpoint=address,
            opts=self._owner.opts(),
        )

    def _make_unexpected_ends_filter(self) -> Metric:
        """Create a metric: the number of STANDARD executions that failed with an unexpected error.

        The errors in `standard_expected_errors` are expected. AWS's own metric ExecutionsFailed is not suitable,
        because it also counts the executions of rejected orders.
        """
        expected = self._args.standard_expected_errors
        conditions = ['($.type = "ExecutionFailed")', *(f'($.details.error != "{error}")' for error in expected)]
        metric = Metric(
            namespace=metrics.business_namespace(self._args.naming), name="OrderExecutionUnexpected", dimensions={}
        )
        aws.cloudwatch.LogMetricFilter(
            f"{self._name}-unexpected-ends",
            name=self._owner.name("unexpected-ends"),
            log_group_name=self._args.standard_log_group_name,
            pattern=f"{{ {' && '.join(conditions)} }}",
            metric_transformation={"namespace": metric.namespace, "name": metric.name, "value": "1", "unit": "Count"},
            opts=self._owner.opts(),
        )
        return metric

    def _alarms(self, unexpected: Metric) -> Iterator[Alarm]:
        args = self._args
        yield from alarms.failure_queue_alarms(args.failure_queues)
        yield from alarms.function_alarms(args.functions)
        polled = [each.consumer for each in (*args.queues.values(), *args.streams.values())]
        yield from alarms.throttle_alarms(args.functions, polled)
        yield from alarms.lost_work_alarms(args.functions, args.rules, args.streams)
        yield alarms.set_aside_alarm(args.naming)
        yield alarms.late_orders_alarm(args.naming)
        yield from alarms.table_alarms(args.tables)
        yield from alarms.backlog_alarms(args.functions, args.queues, args.streams)
        yield from alarms.workflow_alarms(
            args.naming, standard_arn=args.standard_arn, express_arn=args.express_arn, unexpected=unexpected
        )
        yield from alarms.api_alarms(
            rest_api_name=args.rest_api_name,
            rest_api_stage=args.rest_api_stage,
            http_api_id=args.http_api_id,
            slow_ms=args.slow_ms,
        )

    def _make_alarm(self, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.role}",
            name=self._owner.name(alarm.role, kind="alarm"),
            alarm_description=alarm.description,
            **_watched(alarm),
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.periods_to_alarm,
            treat_missing_data=alarm.missing_data,
            alarm_actions=[self._topic.arn],
            ok_actions=[self._topic.arn],
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _widgets(self, alarm_arns: list[pulumi.Output[str]]) -> Iterator[Widget]:
        args = self._args

        def graph(title: str, shown: Mapping[str, Metric], unit: str = "") -> Widget:
            return dashboard.graph(title, shown, region=args.region, unit=unit)

        names = {source: function.function_name for source, function in sorted(args.functions.items())}
        yield dashboard.alarm_states("Alarms", alarm_arns)
        yield graph("Orders", {event: metrics.business_metric(event, args.naming) for event in DETAIL_TYPES.values()})
        yield graph(
            "Email and analytics", {event: metrics.business_metric(event, args.naming) for event in _MAIL_DETAIL_TYPES}
        )
        yield graph("Workflow", self._executions())
        yield graph("Requests and errors", self._requests())
        yield graph("API latency, p99", self._latencies(), "ms")
        yield graph("Delay of events", self._delays(), "ms, s")
        yield graph("Function errors", {s: metrics.lambda_metric("Errors", n) for s, n in names.items()})
        yield graph("Function throttles", {s: metrics.lambda_metric("Throttles", n) for s, n in names.items()})
        yield graph(
            "Function duration, p99", {s: metrics.lambda_metric("Duration", n, "p99") for s, n in names.items()}, "ms"
        )
        depth = {
            name: metrics.queue_metric("ApproximateNumberOfMessagesVisible", each.queue_name)
            for name, each in sorted(args.failure_queues.items())
        }
        yield graph("Messages in failure queues", depth)
        groups = [function.log_group_name for _, function in sorted(args.functions.items())]
        yield dashboard.log_table("Errors", groups, _ERRORS_QUERY, region=args.region)

    def _executions(self) -> dict[str, Metric]:
        arns = {"standard": self._args.standard_arn, "express": self._args.express_arn}
        ends = {
            "started": "ExecutionsStarted",
            "failed or rejected": "ExecutionsFailed",
            "timed out": "ExecutionsTimedOut",
        }
        return {
            f"{kind} {what}": metrics.state_machine_metric(name, arn)
            for kind, arn in arns.items()
            for what, name in ends.items()
        }

    def _requests(self) -> dict[str, Metric]:
        args = self._args
        rest = {"REST": "Count", "REST 4xx": "4XXError", "REST 5xx": "5XXError"}
        http = {"HTTP": "Count", "HTTP 4xx": "4xx", "HTTP 5xx": "5xx"}
        return {
            **{
                label: metrics.rest_api_metric(name, args.rest_api_name, args.rest_api_stage)
                for label, name in rest.items()
            },
            **{label: metrics.http_api_metric(name, args.http_api_id) for label, name in http.items()},
        }

    def _latencies(self) -> dict[str, Metric]:
        args = self._args
        return {
            "REST": metrics.rest_api_metric("Latency", args.rest_api_name, args.rest_api_stage, "p99"),
            "HTTP": metrics.http_api_metric("Latency", args.http_api_id, "p99"),
            "express execution": metrics.state_machine_metric("ExecutionTime", args.express_arn, "p99"),
        }

    def _delays(self) -> dict[str, Metric]:
        args = self._args
        consumers = {name: args.functions[each.consumer].function_name for name, each in sorted(args.streams.items())}
        return {
            **{
                f"{name} (ms)": metrics.lambda_metric("IteratorAge", each, "Maximum")
                for name, each in consumers.items()
            },
            **{
                f"queue {name} (s)": metrics.queue_metric("ApproximateAgeOfOldestMessage", each.queue_name)
                for name, each in sorted(args.queues.items())
            },
        }


def _watched(alarm: Alarm) -> dict[str, Any]:
    """Return the arguments of `aws.cloudwatch.MetricAlarm` that select the metrics of `alarm`."""
    if isinstance(alarm.metric, Metric):
        metric, percentile = alarm.metric, alarm.metric.statistic.startswith("p")
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": metric.dimensions or None,
            "statistic": None if percentile else metric.statistic,
            "extended_statistic": metric.statistic if percentile else None,
            "period": alarm.period_s,
        }
    combine = "MAX" if alarm.highest else "SUM"
    queries = [
        {
            "id": f"m{number}",
            "metric": {
                "namespace": each.namespace,
                "metric_name": each.name,
                "dimensions": each.dimensions,
                "stat": each.statistic,
                "period": alarm.period_s,
            },
            "return_data": False,
        }
        for number, each in enumerate(alarm.metric, start=1)
    ]
    combined = {"id": "all", "expression": f"{combine}(FILL(METRICS(), 0))", "label": alarm.role, "return_data": True}
    return {"metric_queries": [combined, *queries]}
