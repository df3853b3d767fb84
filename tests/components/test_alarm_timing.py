"""Tests when the alarms on failed work fire, with the delays and gaps of the metrics of SQS queues.

If a queue has no API call for six hours, SQS stops sending metrics for the queue. After the next API call, SQS sends
the first metrics up to 15 minutes late. A failure queue has no API calls most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.fakes.cloudwatch import ACTIVE_FOR, LATE_BY, Alarm, MetricKey, Metrics, key, visible_messages
from tests.support.graph import Graph

FAILED_AT = 100
"""The minute in which the work reaches the failure queue."""
REDRIVEN_AT = FAILED_AT + 7 * ACTIVE_FOR
END = REDRIVEN_AT + ACTIVE_FOR
DAY_MS = 24 * 3600 * 1000
PERIOD = 5
"""Minutes of one period of the alarms on failure queues."""
FAILURE_QUEUES = (
    *("analytics-delivery", "analytics-dlq", "mark-late-orders-stream", "process-order-delivery", "process-order-dlq"),
    *("process-order-failures", "publish-order-events-stream", "send-email-delivery", "send-email-failures"),
)


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def reports(graph: Graph, queue: str) -> Iterator[tuple[MetricKey, float]]:
    """Yield each metric that shows failed work when it reaches the failure queue `queue`, and its value then."""
    described = graph.outputs["ops"]["failureQueues"][queue]
    kind = described["kind"]
    if kind in ("invocation", "dead-letter"):
        name = described["redriveTo"].split(":")[6]
        yield key("AWS/Lambda", "AsyncEventsDropped", FunctionName=name), 1
    elif kind == "delivery":
        arn = graph.one("Queue", queue).state["arn"]
        for made in graph.of("EventTarget"):
            if cast("dict[str, Any]", made.inputs.get("deadLetterConfig") or {}).get("arn") == arn:
                names = {"EventBusName": made.inputs["eventBusName"], "RuleName": made.inputs["rule"]}
                yield key("AWS/Events", "InvocationsSentToDlq", **names), 1
    elif queue == "mark-late-orders-stream":
        # Lambda stops retrying a record of this function when the record is a day old.
        yield key("AWS/Lambda", "IteratorAge", FunctionName="orders-dev-mark-late-orders"), DAY_MS
    else:
        # The function itself sends the failed message or stream record to the failure queue, and counts it in this
        # metric.
        yield key("orders-dev", "MessageSetAside", service="orders"), 1


def queue_metric(graph: Graph, queue: str) -> MetricKey:
    name = graph.one("Queue", queue).inputs["name"]
    return key("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name)


def alarm_on(graph: Graph, queue: str, **changes: Any) -> Alarm:
    """Return the alarm on the failure queue `queue`. A message is in the queue from FAILED_AT until REDRIVEN_AT."""
    metrics = Metrics()
    metrics.add(queue_metric(graph, queue), visible_messages({FAILED_AT: 1, REDRIVEN_AT: 0}, END))
    return Alarm({**graph.one("MetricAlarm", f"observability-{queue}-not-empty").inputs, **changes}, metrics)


def states(alarm: Alarm, start: int, end: int) -> set[str]:
    """Return the states of `alarm` between the minutes `start` and `end`."""
    return {alarm.evaluate(minute) for minute in range(start, end)}


def test_every_failure_queue_is_tested(graph: Graph) -> None:
    assert set(graph.outputs["ops"]["failureQueues"]) == set(FAILURE_QUEUES)


@pytest.mark.parametrize("queue", FAILURE_QUEUES)
def test_alarm_fires_before_the_late_metrics_of_the_failure_queue_arrive(graph: Graph, queue: str) -> None:
    for report, value in reports(graph, queue):
        metrics = Metrics()
        metrics.add(queue_metric(graph, queue), visible_messages({FAILED_AT: 1}, FAILED_AT + LATE_BY))
        metrics.add(report, {FAILED_AT: value})
        alarms = [Alarm(made.inputs, metrics) for made in graph.of("MetricAlarm")]
        before = {alarm.evaluate(FAILED_AT) for alarm in alarms}
        assert "ALARM" not in before
        assert "ALARM" in {alarm.evaluate(FAILED_AT + 1) for alarm in alarms}, report


@pytest.mark.parametrize("queue", FAILURE_QUEUES)
def test_alarm_stays_until_the_work_in_the_failure_queue_is_redriven(graph: Graph, queue: str) -> None:
    alarm = alarm_on(graph, queue)
    assert states(alarm, 0, FAILED_AT + LATE_BY) == {"INSUFFICIENT_DATA"}
    # REDRIVEN_AT is hours after the last metric of the failure queue, because SQS publishes no metrics of an idle
    # queue. The alarm must keep its state during these hours.
    assert states(alarm, FAILED_AT + LATE_BY + 1, REDRIVEN_AT + LATE_BY) == {"ALARM"}
    states(alarm, REDRIVEN_AT + LATE_BY, REDRIVEN_AT + LATE_BY + PERIOD)
    assert states(alarm, REDRIVEN_AT + LATE_BY + PERIOD, END) == {"OK"}


def test_alarm_that_treats_missing_data_as_no_failure_ends_too_early(graph: Graph) -> None:
    alarm = alarm_on(graph, FAILURE_QUEUES[0], treatMissingData="notBreaching")
    assert states(alarm, FAILED_AT + LATE_BY + 1, FAILED_AT + ACTIVE_FOR) == {"ALARM"}
    assert "OK" in states(alarm, FAILED_AT + ACTIVE_FOR, REDRIVEN_AT)
