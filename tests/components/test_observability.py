"""Tests of the alarms, the alarm topic and the dashboard.

Alarms report failures of the platform, not mistakes of customers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.workflow import state_machine
from contracts.orders import DETAIL_TYPES
from tests.support.graph import ACCOUNT, REGION, Graph, record, stack_config

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-dev-alarms"
ALARMS = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:orders-dev-*"
MACHINES = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order"
# The metrics that AWS documents. Most keys are AWS namespaces. Each value is a pair: the names of the metrics, and the
# names of their dimensions. In some namespaces, not all metrics have the same dimensions. Four keys therefore stand for
# a part of a namespace: `REST` and `HTTP` are the two kinds of API in AWS/ApiGateway, `default bus` is the default
# event bus in AWS/Events, and `index` is an index in AWS/DynamoDB.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
# https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
METRICS: dict[str, tuple[set[str], set[str]]] = {
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}, {"QueueName"}),
    "AWS/Lambda": (
        {
            *("Errors", "Throttles", "Duration", "IteratorAge"),
            *("AsyncEventsDropped", "AsyncEventAge", "DestinationDeliveryFailures", "DeadLetterErrors"),
        },
        {"FunctionName"},
    ),
    "AWS/States": (
        {
            *("ExecutionsStarted", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionTime"),
            "ExecutionThrottled",
        },
        {"StateMachineArn"},
    ),
    "default bus": ({"FailedInvocations"}, {"RuleName"}),
    "AWS/Events": ({"InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq"}, {"RuleName", "EventBusName"}),
    "AWS/DynamoDB": ({"TransactionConflict", "ReadThrottleEvents", "WriteThrottleEvents"}, {"TableName"}),
    "index": ({"ReadThrottleEvents", "WriteThrottleEvents"}, {"TableName", "GlobalSecondaryIndexName"}),
    "REST": ({"Count", "4XXError", "5XXError", "Latency"}, {"ApiName", "Stage"}),
    "HTTP": ({"Count", "4xx", "5xx", "Latency"}, {"ApiId"}),
}
# The metrics that the functions publish (functions/shared/telemetry.py). Powertools adds the dimension `service` to
# each of them.
COUNTED = {
    *DETAIL_TYPES.values(),
    *("MailSent", "MailSkipped", "OrderAnalysed", "MessageSetAside", "OrderLate"),
}


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def alarm(graph: Graph, role: str) -> Any:
    """Return the inputs of the CloudWatch alarm `observability-ROLE`. `role` is for example `orders-failed`."""
    return graph.one("MetricAlarm", f"observability-{role}").inputs


def is_known(namespace: str, name: str, dimensions: dict[str, Any]) -> bool:
    """Return whether AWS or our functions publish a metric with `namespace`, `name` and `dimensions`."""
    if namespace == "orders-dev":
        own = name == "OrderExecutionUnexpected" and not dimensions
        return own or (name in COUNTED and dimensions == {"service": "orders"})
    if namespace == "AWS/ApiGateway":
        namespace = "HTTP" if "ApiId" in dimensions else "REST"
    if namespace == "AWS/Events" and "EventBusName" not in dimensions:
        namespace = "default bus"
    if namespace == "AWS/DynamoDB" and "GlobalSecondaryIndexName" in dimensions:
        namespace = "index"
    names, keys = METRICS[namespace]
    return name in names and keys == set(dimensions)


def watched(alarm: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that `alarm` watches. Each has a namespace, metricName, dimensions, stat and period."""
    if "metricQueries" not in alarm:
        return [{**alarm, "stat": alarm.get("statistic") or alarm["extendedStatistic"]}]
    return [query["metric"] for query in alarm["metricQueries"] if "metric" in query]


class TestAlarms:
    def test_each_alarm_watches_existing_metrics(self, graph: Graph) -> None:
        for each in graph.of("MetricAlarm"):
            for metric in watched(each.inputs):
                assert is_known(metric["namespace"], metric["metricName"], metric.get("dimensions", {})), each.name
                # The metric of an event source mapping with a batching window has only one data point per window, so an
                # alarm on this metric needs a longer period.
                assert metric["period"] in (60, 300, 600)
            assert len({"statistic", "extendedStatistic", "metricQueries"} & set(each.inputs)) == 1

    def test_each_alarm_on_an_expression_has_at_most_ten_metrics_with_one_statistic(self, graph: Graph) -> None:
        """CloudWatch allows at most ten metrics in an alarm on an expression. Only the expression may return data."""
        combined = [each.inputs for each in graph.of("MetricAlarm") if "metricQueries" in each.inputs]
        assert combined
        for inputs in combined:
            (expression,) = [query for query in inputs["metricQueries"] if "expression" in query]
            assert expression["expression"] in ("SUM(FILL(METRICS(), 0))", "MAX(FILL(METRICS(), 0))")
            assert [query.get("returnData", False) for query in inputs["metricQueries"]].count(True) == 1
            assert len(watched(inputs)) <= 10
            assert len({metric["period"] for metric in watched(inputs)}) == 1
            # FILL returns 0 for the latest period until CloudWatch has received the period's data. An alarm that
            # evaluates only one period could therefore miss a failure.
            assert inputs["datapointsToAlarm"] <= inputs["evaluationPeriods"] > 1
            ages = any(metric["metricName"].endswith("Age") for metric in watched(inputs))
            assert expression["expression"].startswith("MAX" if ages else "SUM")
            assert {metric["stat"] for metric in watched(inputs)} == {"Maximum" if ages else "Sum"}

    def test_each_alarm_notifies_the_topic_of_its_alarm_and_ok_states(self, graph: Graph) -> None:
        for each in graph.of("MetricAlarm"):
            assert (each.inputs["alarmActions"], each.inputs["okActions"]) == ([TOPIC], [TOPIC])
            assert each.inputs["alarmDescription"].endswith(".")

    def test_only_failure_queue_alarms_keep_their_state_without_data(self, graph: Graph) -> None:
        """SQS stops publishing metrics for a queue that nobody has called for six hours, even if it has messages.

        During this time, the alarm of a failure queue must not return to OK.
        """
        for each in graph.of("MetricAlarm"):
            (metric, *_) = watched(each.inputs)
            depth = metric["metricName"] == "ApproximateNumberOfMessagesVisible"
            assert each.inputs["treatMissingData"] == ("ignore" if depth else "notBreaching"), each.name

    def test_alarm_evaluation_ranges_and_names_are_valid(self, graph: Graph) -> None:
        for each in graph.of("MetricAlarm"):
            inputs = each.inputs
            assert watched(inputs)[0]["period"] * inputs["evaluationPeriods"] <= 86_400
            # The topic's policy and the key's policy allow only alarms whose names have this prefix.
            assert inputs["name"].startswith("orders-dev-")

    def test_functions_that_raise_business_errors_have_no_error_alarm(self, graph: Graph) -> None:
        """Lambda counts business errors, for example OutOfStock, as errors, so an error alarm would report them."""
        erring = {
            metric["dimensions"]["FunctionName"].removeprefix("orders-dev-")
            for each in graph.of("MetricAlarm")
            for metric in watched(each.inputs)
            if metric["metricName"] == "Errors"
        }
        functions = {made.name for made in graph.of("aws:lambda/function:Function") if made.custom}
        assert functions - erring == {"process-order", "update-inventory", "validate-order"}

    def test_rejected_orders_raise_no_alarm(self, graph: Graph) -> None:
        names = {metric["metricName"] for each in graph.of("MetricAlarm") for metric in watched(each.inputs)}
        assert not names & {"ExecutionsFailed", "OrderRejected", "4XXError", "4xx"}

    def test_failed_orders_raise_an_alarm(self, graph: Graph) -> None:
        inputs = alarm(graph, "orders-failed")
        assert (inputs["namespace"], inputs["metricName"]) == ("orders-dev", "OrderFailed")
        assert inputs["dimensions"] == {"service": "orders"}
        assert inputs["threshold"] == 1

    @pytest.mark.parametrize(
        ("role", "metric", "machine"),
        [
            ("order-standard-timed-out", "ExecutionsTimedOut", "standard"),
            ("order-standard-aborted", "ExecutionsAborted", "standard"),
            ("order-express-timed-out", "ExecutionsTimedOut", "express"),
        ],
    )
    def test_aborted_and_timed_out_executions_raise_an_alarm(
        self, graph: Graph, role: str, metric: str, machine: str
    ) -> None:
        inputs = alarm(graph, role)
        assert (inputs["metricName"], inputs["statistic"]) == (metric, "Sum")
        assert inputs["dimensions"] == {"StateMachineArn": f"{MACHINES}-{machine}"}

    def test_delay_alarms_use_the_units_of_their_metrics(self, graph: Graph) -> None:
        batches = alarm(graph, "order-stream-batches-age")
        window_s = graph.one("EventSourceMapping", "mark-late-orders-stream").inputs["maximumBatchingWindowInSeconds"]
        # The metric has one data point per batching window. Each period must contain a data point, because the alarm
        # treats a period without data as not breaching.
        assert batches["period"] >= 2 * window_s
        assert (batches["evaluationPeriods"], batches["threshold"]) == (1, 3 * window_s * 1000)
        stream, queue = alarm(graph, "order-stream-age"), alarm(graph, "analytics-age")
        assert (stream["metricName"], stream["threshold"]) == ("IteratorAge", 60_000)  # IteratorAge is in milliseconds.
        assert stream["dimensions"] == {"FunctionName": "orders-dev-publish-order-events"}
        # ApproximateAgeOfOldestMessage is in seconds.
        assert (queue["metricName"], queue["threshold"]) == ("ApproximateAgeOfOldestMessage", 600)
        assert queue["dimensions"] == {"QueueName": "orders-dev-analytics.fifo"}

    def test_slow_and_failing_apis_raise_an_alarm(self, graph: Graph) -> None:
        assert alarm(graph, "rest-api-errors")["dimensions"] == {"ApiName": "orders-dev-rest-api", "Stage": "dev"}
        assert alarm(graph, "http-api-errors")["dimensions"] == {"ApiId": "http-id"}
        for api in ("rest-api", "http-api"):
            assert alarm(graph, f"{api}-slow")["extendedStatistic"] == "p99"


class TestUnexpectedEnds:
    def counted(self, graph: Graph, line: dict[str, Any]) -> bool:
        """Return whether the metric filter counts `line`, a log line of the STANDARD state machine."""
        inputs = graph.one("LogMetricFilter", "observability-unexpected-ends").inputs
        conditions = inputs["pattern"].removeprefix("{ ").removesuffix(" }").split(" && ")
        return all(holds(condition, line) for condition in conditions)

    def test_metric_filter_reads_the_standard_machines_log_and_has_an_alarm(self, graph: Graph) -> None:
        inputs = graph.one("LogMetricFilter", "observability-unexpected-ends").inputs
        assert inputs["logGroupName"] == "/aws/vendedlogs/states/orders-dev-order-standard"
        assert len(inputs["pattern"]) <= 1024
        fed = inputs["metricTransformation"]
        inputs = alarm(graph, "order-standard-unexpected")
        assert (inputs["namespace"], inputs["metricName"]) == (fed["namespace"], fed["name"])
        assert fed["value"] == "1"

    @pytest.mark.parametrize("error", ["NotRecorded", "States.Runtime", "States.QueryEvaluationError"])
    def test_metric_counts_an_unexpected_end_of_an_execution(self, graph: Graph, error: str) -> None:
        assert self.counted(graph, {"type": "ExecutionFailed", "details": {"error": error, "cause": "…"}})

    def test_metric_does_not_count_an_expected_workflow_error(self, graph: Graph) -> None:
        """Of the workflow's own errors, only NotRecorded is counted. The others show no fault in the platform."""
        ends = state_machine.fail_errors(state_machine.load("accepted-order.asl.json"))
        for error in ends.values():
            line = {"type": "ExecutionFailed", "details": {"error": error, "cause": "…"}}
            assert self.counted(graph, line) == (error == "NotRecorded"), error

    def test_metric_does_not_count_a_failed_task_within_an_execution(self, graph: Graph) -> None:
        assert not self.counted(graph, {"type": "TaskFailed", "details": {"error": "States.Timeout"}})


def holds(condition: str, line: dict[str, Any]) -> bool:
    """Return whether `line`, a log line as JSON, meets `condition`, a part of a CloudWatch Logs filter pattern."""
    found = re.fullmatch(r'\(\$\.([\w.]+) (=|!=) "([^"]*)"\)', condition)
    assert found, condition
    value: Any = line
    for part in found[1].split("."):
        value = value[part]
    return (value == found[3]) == (found[2] == "=")


class TestTopic:
    def test_only_our_alarms_may_publish_to_the_alarm_topic_and_only_over_tls(self, graph: Graph) -> None:
        denied, allowed = graph.policy("TopicPolicy", "alarms-policy")
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert allowed == {
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {"ArnEquals": {"aws:SourceArn": ALARMS}},
        }

    def test_key_of_the_alarm_topic_rotates_and_our_alarms_may_use_it(self, graph: Graph) -> None:
        key = graph.one("Key", "alarms-key")
        assert key.inputs["enableKeyRotation"] is True
        assert graph.one("Topic", "alarms").inputs["kmsMasterKeyId"] == key.state["arn"]
        account, publisher = graph.policy("Key", "alarms-key")
        assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        # The account may administer the key, but its users may not decrypt alarm messages with the key.
        assert "kms:PutKeyPolicy" in account["Action"]
        assert not {"kms:*", "kms:Decrypt", "kms:GenerateDataKey"} & set(account["Action"])
        assert publisher == {
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": ALARMS}},
        }

    def test_alarm_topic_has_no_email_subscription_by_default(self, graph: Graph) -> None:
        assert graph.of("TopicSubscription") == []

    def test_alarm_topic_has_an_email_subscription_if_an_address_is_set(self) -> None:
        config = stack_config("dev")
        observability = {**json.loads(config["orders:observability"]), "alarmEmail": "ops@example.com"}
        graph = record("dev", config={**config, "orders:observability": json.dumps(observability)})
        (subscription,) = graph.of("TopicSubscription")
        assert subscription.inputs == {"topic": TOPIC, "protocol": "email", "endpoint": "ops@example.com"}


class TestDashboard:
    @pytest.fixture
    def widgets(self, graph: Graph) -> list[dict[str, Any]]:
        board = graph.one("Dashboard", "observability-dashboard").inputs
        assert board["dashboardName"] == "orders-dev-overview"
        body: dict[str, list[dict[str, Any]]] = json.loads(board["dashboardBody"])
        assert list(body) == ["widgets"]
        return body["widgets"]

    def test_widgets_fit_24_columns_and_do_not_overlap(self, widgets: list[dict[str, Any]]) -> None:
        taken = set[tuple[int, int]]()
        for widget in widgets:
            assert widget["x"] + widget["width"] <= 24
            rows = range(widget["y"], widget["y"] + widget["height"])
            place = {(x, y) for y in rows for x in range(widget["x"], widget["x"] + widget["width"])}
            assert not place & taken
            taken |= place

    def test_widgets_have_only_fields_that_cloudwatch_supports(self, widgets: list[dict[str, Any]]) -> None:
        fields = {
            "metric": {"title", "region", "view", "stacked", "period", "metrics", "yAxis"},
            "alarm": {"title", "alarms"},
            "log": {"title", "region", "view", "query"},
        }
        for widget in widgets:
            assert set(widget) == {"type", "x", "y", "width", "height", "properties"}
            properties = widget["properties"]
            assert set(properties) == fields[widget["type"]]
            assert properties.get("region", REGION) == REGION
            if widget["type"] == "metric":
                assert (properties["view"], properties["period"] % 60) == ("timeSeries", 0)
                assert set(properties["yAxis"]["left"]) <= {"min", "max", "label", "showUnits"}

    def test_every_graph_line_is_an_existing_metric_with_label_and_statistic(
        self, widgets: list[dict[str, Any]]
    ) -> None:
        for widget in (widget for widget in widgets if widget["type"] == "metric"):
            for namespace, name, *rest in widget["properties"]["metrics"]:
                *pairs, options = rest
                dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
                assert is_known(namespace, name, dimensions), (namespace, name, dimensions)
                assert set(options) == {"label", "stat"}
                assert re.fullmatch(r"Sum|Maximum|Average|p\d\d", options["stat"])

    def test_dashboard_shows_all_alarms(self, graph: Graph, widgets: list[dict[str, Any]]) -> None:
        (shown,) = (widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm")
        assert sorted(shown) == sorted(each.state["arn"] for each in graph.of("MetricAlarm"))
        assert len(shown) <= 100

    def test_dashboard_lists_the_errors_of_all_functions(self, graph: Graph, widgets: list[dict[str, Any]]) -> None:
        (query,) = (widget["properties"]["query"] for widget in widgets if widget["type"] == "log")
        groups = {f"/aws/lambda/{f.inputs['name']}" for f in graph.of("aws:lambda/function:Function")}
        assert set(re.findall(r"SOURCE '([^']+)' \| ", query)) == groups
        assert 'filter level = "ERROR"' in query
