"""Tells operators what is wrong: alarms, the topic that they publish to, and a dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import alarms, dashboard, metrics, state_machine
from components.alarm_topic import make_alarm_topic
from components.alarms import Alarm
from components.dashboard import Widget
from components.failure_queues import FailureQueue
from components.function import Function
from components.metrics import Metric
from components.naming import Naming

_COMPONENT: Final = "observability"
_DEFINITION: Final = "order.asl.json"
# Their errors are answers: the workflow's steps say so that an order is refused, and process_order that it must be
# asked again later. What goes wrong with them shows as a failed order or in a failure queue.
_ANSWERING_BY_ERROR: Final = frozenset({"process_order", "update_inventory", "validate_order"})
_RELAY: Final = "publish_order_events"
_ORDER_EVENTS: Final = ("OrderCreated", "OrderConfirmed", "OrderRejected", "OrderFailed", "OrderCancelled")
_MAIL_EVENTS: Final = ("MailSent", "MailSkipped", "OrderAnalysed")
_ERRORS_QUERY: Final = (
    'filter level = "ERROR" | fields @timestamp, function_name, message, correlation_id, order_id '
    "| sort @timestamp desc | limit 50"
)


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """What is watched, and who is told."""

    naming: Naming
    """Names and tags of the stack."""
    region: str
    """AWS region."""
    account_id: pulumi.Input[str]
    """The AWS account's number."""
    functions: Mapping[str, Function]
    """All functions of the stack, by source name."""
    failure_queues: Mapping[str, FailureQueue]
    """All queues where failed work ends."""
    standard_arn: pulumi.Input[str]
    """STANDARD order workflow."""
    standard_log_group_name: pulumi.Input[str]
    """Its log group."""
    express_arn: pulumi.Input[str]
    """EXPRESS order workflow."""
    analytics_queue_name: pulumi.Input[str]
    """FIFO queue of the analytics records."""
    rest_api_name: pulumi.Input[str]
    """REST API's name, which is its dimension in CloudWatch."""
    rest_api_stage: pulumi.Input[str]
    """Stage."""
    http_api_id: pulumi.Input[str]
    """HTTP API."""
    alarm_email: str = ""
    """Who is told by mail, after they have confirmed a mail of SNS; empty is nobody."""
    slow_ms: int = 5000
    """99th percentile of an API's latency that is too slow, in milliseconds."""


class Observability(pulumi.ComponentResource):
    """Alarm topic with its key, alarms, and the dashboard."""

    alarm_topic_arn: pulumi.Output[str]
    """SNS topic of all alarms; subscribe to it what should be told."""
    dashboard_name: pulumi.Output[str]
    """CloudWatch dashboard."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Observability", name, None, opts)
        self._name, self._args = name, args
        own_alarms = f":alarm:{args.naming.project}-{args.naming.stack}-*"
        self._topic = make_alarm_topic(
            "alarms",
            naming=args.naming,
            component=_COMPONENT,
            alarms=pulumi.Output.concat(f"arn:aws:cloudwatch:{args.region}:", args.account_id, own_alarms),
            account_id=args.account_id,
            parent=self,
        )
        if args.alarm_email:
            self._subscribe(args.alarm_email)
        unexpected = self._count_unexpected_ends()
        made = [self._alarm(alarm) for alarm in self._alarms(unexpected)]
        board = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args.naming.physical("overview", kind="dashboard"),
            dashboard_body=dashboard.body(list(self._widgets([alarm.arn for alarm in made]))),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.alarm_topic_arn = self._topic.arn
        self.dashboard_name = board.dashboard_name
        self.register_outputs({"alarmTopicArn": self.alarm_topic_arn, "dashboardName": self.dashboard_name})

    def _subscribe(self, address: str) -> None:
        aws.sns.TopicSubscription(
            f"{self._name}-mail",
            topic=self._topic.arn,
            protocol="email",
            endpoint=address,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _count_unexpected_ends(self) -> Metric:
        """Count the STANDARD executions that fail otherwise than the definition means, e.g. by a wrong expression.

        CloudWatch's own ExecutionsFailed has all of them in one, with the rejected orders.
        """
        ends = state_machine.fail_errors(state_machine.load(_DEFINITION))
        meant = sorted({error for error in ends.values() if error != "NotRecorded"})
        conditions = ['($.type = "ExecutionFailed")', *(f'($.details.error != "{error}")' for error in meant)]
        metric = Metric(
            namespace=metrics.business_namespace(self._args.naming), name="OrderExecutionUnexpected", dimensions={}
        )
        aws.cloudwatch.LogMetricFilter(
            f"{self._name}-unexpected-ends",
            name=self._args.naming.physical("unexpected-ends"),
            log_group_name=self._args.standard_log_group_name,
            pattern=f"{{ {' && '.join(conditions)} }}",
            metric_transformation={"namespace": metric.namespace, "name": metric.name, "value": "1", "unit": "Count"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return metric

    def _alarms(self, unexpected: Metric) -> Iterator[Alarm]:
        args = self._args
        yield from alarms.of_failure_queues(args.failure_queues)
        yield from alarms.of_functions(args.functions, answering_by_error=_ANSWERING_BY_ERROR)
        yield from alarms.of_delays(relay=args.functions[_RELAY], analytics_queue_name=args.analytics_queue_name)
        yield from alarms.of_workflow(
            args.naming, standard_arn=args.standard_arn, express_arn=args.express_arn, unexpected=unexpected
        )
        yield from alarms.of_apis(
            rest_api_name=args.rest_api_name,
            rest_api_stage=args.rest_api_stage,
            http_api_id=args.http_api_id,
            slow_ms=args.slow_ms,
        )

    def _alarm(self, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        metric = alarm.metric
        percentile = metric.statistic.startswith("p")
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.role}",
            name=self._args.naming.physical(alarm.role, kind="alarm"),
            alarm_description=alarm.description,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions or None,
            statistic=None if percentile else metric.statistic,
            extended_statistic=metric.statistic if percentile else None,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=alarm.threshold,
            period=alarm.period_s,
            evaluation_periods=alarm.periods,
            treat_missing_data="notBreaching",
            alarm_actions=[self._topic.arn],
            ok_actions=[self._topic.arn],
            tags=self._args.naming.tags(_COMPONENT),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _widgets(self, alarm_arns: list[pulumi.Output[str]]) -> Iterator[Widget]:
        args = self._args

        def graph(title: str, shown: Mapping[str, Metric], unit: str = "") -> Widget:
            return dashboard.graph(title, shown, region=args.region, unit=unit)

        names = {source: function.function_name for source, function in sorted(args.functions.items())}
        yield dashboard.alarm_states("Alarms", alarm_arns)
        yield graph("Orders", {event: metrics.of_business(event, args.naming) for event in _ORDER_EVENTS})
        yield graph("Mail and analytics", {event: metrics.of_business(event, args.naming) for event in _MAIL_EVENTS})
        yield graph("Workflow", self._executions())
        yield graph("Requests and errors", self._requests())
        yield graph("Latency of the APIs, p99", self._latencies(), "ms")
        yield graph("Waiting", self._delays(), "ms, s")
        yield graph("Function errors", {s: metrics.of_function("Errors", n) for s, n in names.items()})
        yield graph("Function throttles", {s: metrics.of_function("Throttles", n) for s, n in names.items()})
        yield graph(
            "Function duration, p99", {s: metrics.of_function("Duration", n, "p99") for s, n in names.items()}, "ms"
        )
        depth = {
            name: metrics.of_queue("ApproximateNumberOfMessagesVisible", each.queue_name)
            for name, each in sorted(args.failure_queues.items())
        }
        yield graph("Failed work, to be redriven", depth)
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
            f"{kind} {what}": metrics.of_machine(name, arn) for kind, arn in arns.items() for what, name in ends.items()
        }

    def _requests(self) -> dict[str, Metric]:
        args = self._args
        rest = {"REST": "Count", "REST 4xx": "4XXError", "REST 5xx": "5XXError"}
        http = {"HTTP": "Count", "HTTP 4xx": "4xx", "HTTP 5xx": "5xx"}
        return {
            **{
                label: metrics.of_rest_api(name, args.rest_api_name, args.rest_api_stage)
                for label, name in rest.items()
            },
            **{label: metrics.of_http_api(name, args.http_api_id) for label, name in http.items()},
        }

    def _latencies(self) -> dict[str, Metric]:
        args = self._args
        return {
            "REST": metrics.of_rest_api("Latency", args.rest_api_name, args.rest_api_stage, "p99"),
            "HTTP": metrics.of_http_api("Latency", args.http_api_id, "p99"),
            "express execution": metrics.of_machine("ExecutionTime", args.express_arn, "p99"),
        }

    def _delays(self) -> dict[str, Metric]:
        args = self._args
        relay = args.functions[_RELAY].function_name
        return {
            "order stream (ms)": metrics.of_function("IteratorAge", relay, "Maximum"),
            "analytics queue (s)": metrics.of_queue("ApproximateAgeOfOldestMessage", args.analytics_queue_name),
        }
