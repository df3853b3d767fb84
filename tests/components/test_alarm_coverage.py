"""Tests that an alarm watches each metric that shows late or lost work.

Each function in WAYS is about one way in which work can be late or lost. It yields those metrics of a stack's resources
that show such work.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.components.test_observability import watched
from tests.support.graph import Graph, Resource

GraphOf = Callable[[str], Graph]
Watched = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name and sorted dimensions of a metric."""


def metric(namespace: str, name: str, **dimensions: str) -> Watched:
    return (f"AWS/{namespace}", name, tuple(sorted(dimensions.items())))


def functions(graph: Graph) -> Iterator[Watched]:
    """Lambda can throttle any function."""
    for made in graph.of("aws:lambda/function:Function"):
        yield metric("Lambda", "Throttles", FunctionName=made.inputs["name"])


def asynchronous_events(graph: Graph) -> Iterator[Watched]:
    """Lambda can deliver an asynchronous event late, or drop it. Reporting a dropped event to a queue can fail too."""
    settings = graph.of("FunctionEventInvokeConfig")
    targets = [made.inputs["arn"] for made in graph.of("EventTarget")]
    for made in graph.of("aws:lambda/function:Function"):
        name = made.inputs["name"]
        settled = [each for each in settings if each.inputs["functionName"] == name]
        if not settled and not any(f":function:{name}:" in arn for arn in targets):
            continue
        for what in ("AsyncEventsDropped", "AsyncEventAge"):
            yield metric("Lambda", what, FunctionName=name)
        if any(each.inputs.get("destinationConfig") for each in settled):
            yield metric("Lambda", "DestinationDeliveryFailures", FunctionName=name)
        if made.inputs.get("deadLetterConfig"):
            yield metric("Lambda", "DeadLetterErrors", FunctionName=name)


def mappings(graph: Graph) -> Iterator[Watched]:
    """Messages and stream records can wait too long. Lambda can also fail to report dropped records to a queue."""
    for made in graph.of("EventSourceMapping"):
        source, name = str(made.inputs["eventSourceArn"]), made.inputs["functionName"].split(":")[6]
        if ":sqs:" in source:
            yield metric("SQS", "ApproximateAgeOfOldestMessage", QueueName=source.rpartition(":")[2])
        else:
            yield metric("Lambda", "IteratorAge", FunctionName=name)
        destinations = cast("dict[str, Any]", made.inputs.get("destinationConfig") or {})
        if destinations.get("onFailure"):
            yield metric("Lambda", "DestinationDeliveryFailures", FunctionName=name)


def rules(graph: Graph) -> Iterator[Watched]:
    """EventBridge can fail to deliver an event to a target, and then fail to send the event to a dead-letter queue."""
    for made in graph.of("EventTarget"):
        bus = made.inputs.get("eventBusName", "default")
        dimensions = {} if bus == "default" else {"EventBusName": bus}
        stored = ("InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq")
        for what in stored if made.inputs.get("deadLetterConfig") else ("FailedInvocations",):
            yield metric("Events", what, RuleName=made.inputs["rule"], **dimensions)


def tables(graph: Graph) -> Iterator[Watched]:
    """DynamoDB can throttle requests to a table or an index, and cancel transactions because of other writes."""
    for made in graph.of("Table"):
        name = made.inputs["name"]
        yield metric("DynamoDB", "TransactionConflict", TableName=name)
        for what in ("ReadThrottleEvents", "WriteThrottleEvents"):
            yield metric("DynamoDB", what, TableName=name)
            for index in cast("list[dict[str, Any]]", made.inputs.get("globalSecondaryIndexes") or []):
                yield metric("DynamoDB", what, TableName=name, GlobalSecondaryIndexName=index["name"])


def machines(graph: Graph) -> Iterator[Watched]:
    """Step Functions can throttle executions, and executions can time out."""
    for made in graph.of("StateMachine"):
        for what in ("ExecutionThrottled", "ExecutionsTimedOut"):
            yield metric("States", what, StateMachineArn=made.state["arn"])


def failure_queues(graph: Graph) -> Iterator[Watched]:
    """A queue that no function reads contains failed work, which waits until an operator redrives it."""
    read = {made.inputs["eventSourceArn"] for made in graph.of("EventSourceMapping")}
    for made in graph.of("Queue"):
        if made.state["arn"] not in read:
            yield metric("SQS", "ApproximateNumberOfMessagesVisible", QueueName=made.inputs["name"])


WAYS: tuple[Callable[[Graph], Iterator[Watched]], ...] = (
    *(functions, asynchronous_events, mappings, rules, tables, machines, failure_queues),
)


def covered(alarms: list[Resource]) -> set[Watched]:
    return {
        (
            each["namespace"],
            each["metricName"],
            tuple(sorted(cast("dict[str, str]", each.get("dimensions", {})).items())),
        )
        for made in alarms
        for each in watched(made.inputs)
    }


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_alarms_watch_every_metric_of_late_or_lost_work(
    graph_of: GraphOf, stack: str, way: Callable[[Graph], Iterator[Watched]]
) -> None:
    graph = graph_of(stack)
    needed = set(way(graph))
    assert needed, "no resource of this kind"
    assert needed <= covered(graph.of("MetricAlarm")), sorted(needed - covered(graph.of("MetricAlarm")))


def test_each_missing_alarm_is_detected(graph_of: GraphOf) -> None:
    """If one of the needed alarms is removed, test_alarms_watch_every_metric_of_late_or_lost_work fails."""
    graph = graph_of("dev")
    alarms = graph.of("MetricAlarm")
    needed = {each for way in WAYS for each in way(graph)}
    derived = [made for made in alarms if covered([made]) & needed]
    assert {role(made) for made in derived} >= {"events-given-up", "deliveries-lost", "table-write-throttles"}
    for gone in derived:
        assert needed - covered([made for made in alarms if made is not gone]), gone.name


def test_new_resource_without_an_alarm_is_detected(graph_of: GraphOf) -> None:
    graph = graph_of("dev")
    new: dict[str, Any] = {
        "Queue": {"name": "orders-dev-new"},
        "EventSourceMapping": {"eventSourceArn": "arn:aws:sqs:::new", "functionName": "a:a:a:a:a:function:new:live"},
        "EventTarget": {"rule": "new", "arn": "arn:aws:lambda:::function:new:live"},
        "aws:lambda/function:Function": {"name": "new"},
        "Table": {"name": "new"},
    }
    for kind, inputs in new.items():
        added = dataclasses.replace(graph.of(kind)[0], inputs=inputs, state={"arn": "new"})
        wider = dataclasses.replace(graph, resources=[*graph.resources, added])
        needed = {each for way in WAYS for each in way(wider)}
        missing = needed - covered(wider.of("MetricAlarm"))
        assert "new" in json.dumps(sorted(missing)), kind


def role(alarm: Resource) -> str:
    return alarm.name.removeprefix("observability-")
