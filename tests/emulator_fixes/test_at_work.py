from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from local.emulator import AT_WORK
from tests.local.cloud import Cloud, Gate, allow, eventually, unique

READ_STREAM = allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
READ_QUEUE = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
At = Callable[[], dict[str, int]]


@pytest.fixture
def at_work(cloud: Cloud) -> At:
    """Return a function that compares the emulator's counts of unfinished work with those at the start of the test.

    The function returns {name of the count: change}, and leaves out unchanged counts. Tests check the changes only,
    because earlier tests may leave unfinished work.
    """

    def counts() -> dict[str, int]:
        return requests.get(cloud.instance.url + AT_WORK, timeout=60).json()

    before = counts()
    return lambda: {name: number - before[name] for name, number in counts().items() if number != before[name]}


@pytest.fixture
def gate(cloud: Cloud, tmp_path: Path) -> Gate:
    return Gate.closed(cloud, tmp_path, READ_STREAM, READ_QUEUE)


def consume(cloud: Cloud, gate: Gate, source: str, **settings: str) -> None:
    cloud("lambda", "create_event_source_mapping", FunctionName=gate.function, EventSourceArn=source, **settings)


def table(cloud: Cloud) -> dict[str, Any]:
    """Create a table with a stream, and return the description that CreateTable responds with."""
    return cloud(
        "dynamodb",
        "create_table",
        TableName=unique("table"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]


def test_event_counts_as_unfinished_work_until_its_function_has_ended(cloud: Cloud, gate: Gate, at_work: At) -> None:
    cloud.invoke(gate.function, {}, kind="Event")

    assert at_work() == {"events": 1}
    gate.open()
    eventually(lambda: at_work() == {})


def test_execution_counts_as_unfinished_work_until_it_has_ended(cloud: Cloud, gate: Gate, at_work: At) -> None:
    machine = cloud.machine({"Task": {**gate.task, "End": True}}, allow("lambda:InvokeFunction"))
    cloud("stepfunctions", "start_execution", stateMachineArn=machine, input="{}")

    assert at_work() == {"executions": 1}
    gate.open()
    eventually(lambda: at_work() == {})


def test_message_counts_as_unfinished_work_until_it_is_processed(cloud: Cloud, gate: Gate, at_work: At) -> None:
    url, queue = cloud.queue(VisibilityTimeout="900")
    consume(cloud, gate, queue)
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="{}")

    assert at_work() == {"messages": 1}
    gate.open()
    eventually(lambda: at_work() == {})


def test_stream_record_counts_as_unfinished_work_until_it_is_processed(cloud: Cloud, gate: Gate, at_work: At) -> None:
    made = table(cloud)
    consume(cloud, gate, made["LatestStreamArn"], StartingPosition="TRIM_HORIZON")
    cloud("dynamodb", "put_item", TableName=made["TableName"], Item={"id": {"S": "1"}})

    assert at_work() == {"records": 1}
    gate.open()
    eventually(lambda: at_work() == {})


def test_stream_record_in_a_batching_window_does_not_count_as_unfinished_work(
    cloud: Cloud, gate: Gate, at_work: At
) -> None:
    made = table(cloud)
    window: Any = {"StartingPosition": "TRIM_HORIZON", "MaximumBatchingWindowInSeconds": 300}
    consume(cloud, gate, made["LatestStreamArn"], **window)
    cloud("dynamodb", "put_item", TableName=made["TableName"], Item={"id": {"S": "1"}})

    assert at_work() == {}


def test_message_without_a_consumer_does_not_count_as_unfinished_work(cloud: Cloud, at_work: At) -> None:
    url, _ = cloud.queue()
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="{}")

    assert at_work() == {}
