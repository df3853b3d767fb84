"""Tests of what invokes the two functions for late orders: an event source mapping and a schedule.

The event source mapping invokes mark_late_orders. The schedule invokes restart_late_orders.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.events import sweep
from contracts.orders import TRANSITIONS
from tests.components.event_graph import QUEUES, TABLES, allowed, matches
from tests.components.order_programs import record_event_bus
from tests.support.graph import ACCOUNT, REGION, Graph

READ = {"DescribeStream", "GetRecords", "GetShardIterator"}


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def mapping(graph: Graph) -> dict[str, Any]:
    return dict(graph.one("EventSourceMapping", "mark-late-orders-stream").inputs)


def test_mark_late_orders_reads_the_largest_batches_that_lambda_allows(graph: Graph) -> None:
    inputs = mapping(graph)
    assert (inputs["batchSize"], inputs["maximumBatchingWindowInSeconds"]) == (10_000, 300)
    assert inputs["eventSourceArn"] == graph.one("Table", "data-orders").state["streamArn"]


def test_mark_late_orders_starts_with_the_oldest_record_of_the_stream(graph: Graph) -> None:
    assert mapping(graph)["startingPosition"] == "TRIM_HORIZON"


def test_failed_batch_of_mark_late_orders_is_retried_until_the_stream_deletes_it(graph: Graph) -> None:
    inputs = mapping(graph)
    assert (inputs["maximumRetryAttempts"], inputs["maximumRecordAgeInSeconds"]) == (-1, -1)
    failures = f"{QUEUES}-mark-late-orders-stream"
    assert inputs["destinationConfig"] == {"onFailure": {"destinationArn": failures}}
    assert ("sqs:SendMessage", failures) in allowed(graph, "mark-late-orders", "sqs")


@pytest.mark.parametrize("old", [None, *TRANSITIONS])
@pytest.mark.parametrize("new", [None, *TRANSITIONS])
def test_only_new_orders_and_decisions_invoke_mark_late_orders(graph: Graph, old: str | None, new: str | None) -> None:
    images = {"OldImage": old, "NewImage": new}
    record = {
        "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
        "dynamodb": {name: {"status": {"S": status}} for name, status in images.items() if status},
    }
    filters = [json.loads(each["pattern"]) for each in mapping(graph)["filterCriteria"]["filters"]]
    decided = old == "PENDING" and new not in (None, "PENDING")
    assert any(matches(pattern, record) for pattern in filters) == (decided or (old is None and new is not None))


def test_mark_late_orders_uses_at_most_the_five_filters_that_lambda_allows() -> None:
    assert len(sweep.filter_patterns()) <= 5


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (5, "rate(5 minutes)")])
def test_sweep_schedule_and_batching_window_have_the_same_interval(minutes: int, rate: str) -> None:
    made = record_event_bus(sweep_minutes=minutes)
    rule = made.one("EventRule", "events-late-orders").inputs
    assert (rule["scheduleExpression"], rule["eventBusName"]) == (rate, "default")
    assert mapping(made)["maximumBatchingWindowInSeconds"] == minutes * 60


@pytest.mark.parametrize("minutes", [1, 5])
def test_sweep_ends_before_the_next_one_starts(minutes: int) -> None:
    function = record_event_bus(sweep_minutes=minutes).one("aws:lambda/function:Function", "restart-late-orders")
    assert function.inputs["timeout"] < minutes * 60


def test_mark_and_restart_late_orders_have_only_the_permissions_that_they_need(graph: Graph) -> None:
    table = f"{TABLES}-orders"
    stream = graph.one("Table", "data-orders").state["streamArn"]
    assert allowed(graph, "mark-late-orders", "dynamodb") == {
        ("dynamodb:UpdateItem", table),
        ("dynamodb:ListStreams", "*"),
        *((f"dynamodb:{verb}", stream) for verb in READ),
    }
    assert allowed(graph, "restart-late-orders", "dynamodb") == {
        ("dynamodb:Query", f"{table}/index/late"),
        ("dynamodb:GetItem", table),
        ("dynamodb:UpdateItem", table),
    }
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-standard"
    assert allowed(graph, "restart-late-orders", "states") == {("states:StartExecution", machine)}
