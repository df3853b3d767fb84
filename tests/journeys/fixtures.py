"""A pytest plugin with fixtures for a deployed stack and its users. Each test process deploys one stack."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.client import client_of
from local.instances import stopped_at_the_end
from tests.journeys.checked_client import CheckedClient
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack, start, temporary
from tests.journeys.traces import Traces


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that returns a free port."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return port


@pytest.fixture(scope="session")
def traces() -> Iterator[Traces]:
    """The trace data that the Lambda functions of `stack` send to X-Ray."""
    with Traces.listening() as found:
        yield found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], traces: Traces) -> Iterator[Stack]:
    """The stack `local` with sample data, deployed as `make up` does, on an emulator that only this process uses."""
    instance = temporary(free_port(), tmp_path_factory.mktemp("stack"))
    with stopped_at_the_end(instance):
        yield start(instance, LOCAL_XRAY_DAEMON_ADDRESS=traces.address)


@pytest.fixture(scope="session")
def client(stack: Stack) -> CheckedClient:
    """An API client that takes its settings from the stack output `frontend`."""
    plain = client_of(stack.outputs)
    return CheckedClient(plain.frontend, plain.cognito_url)


@pytest.fixture(scope="session")
def people(stack: Stack, client: CheckedClient) -> People:
    """A factory for users who can sign in."""
    return People(stack, client)


@pytest.fixture
def customer(people: People) -> Person:
    """A new user with a profile."""
    return people.somebody().introduce()


@pytest.fixture(scope="session")
def admin(people: People) -> Person:
    """A user in the group `admin`."""
    return people.somebody("admin")


@pytest.fixture(scope="session")
def subscribe(stack: Stack) -> Callable[[str], str]:
    """Return a function that takes a topic's ARN, subscribes a new queue to the topic, and returns the queue's URL."""

    def subscribed(topic_arn: str) -> str:
        name = f"subscriber-of-{topic_arn.rpartition(':')[2]}"
        url, arn = _queue(stack, name, "sns.amazonaws.com")
        attributes = {"RawMessageDelivery": "true"}
        stack.aws("sns", "subscribe", TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    return subscribed


@pytest.fixture(scope="session")
def notifications(stack: Stack, subscribe: Callable[[str], str]) -> Callable[[str], list[Any]]:
    """Return a function that takes an order id and returns the messages about this order on the notification topic."""
    return _inbox(stack, subscribe(stack.ops["topics"]["notifications"]))


@pytest.fixture(scope="session")
def successes(stack: Stack, subscribe: Callable[[str], str]) -> Callable[[str], list[Any]]:
    """Return a function that takes an order id and returns the messages about this order on the success topic.

    Lambda publishes a message to this topic after each successful asynchronous invocation.
    """
    return _inbox(stack, subscribe(stack.ops["topics"]["successes"]))


@pytest.fixture(scope="session")
def watcher(stack: Stack, notifications: Callable[[str], list[Any]], successes: Callable[[str], list[Any]]) -> Watcher:
    """A helper that waits for the events and other asynchronous results of orders.

    The fixture subscribes to the SNS topics and the event bus before a test places its first order. Otherwise, messages
    about this order could be missed.
    """
    del notifications, successes
    return Watcher(stack, everything_on_the_bus(stack))


def everything_on_the_bus(stack: Stack) -> str:
    """Create a queue that receives every event of the bus, and return the queue's URL."""
    bus = stack.ops["eventBus"]["name"]
    url, arn = _queue(stack, "everything-on-the-bus", "events.amazonaws.com")
    pattern = json.dumps({"source": [{"prefix": ""}]})
    stack.aws("events", "put_rule", Name="everything", EventBusName=bus, EventPattern=pattern)
    stack.aws("events", "put_targets", Rule="everything", EventBusName=bus, Targets=[{"Id": "all", "Arn": arn}])
    return url


def _queue(stack: Stack, name: str, service: str) -> tuple[str, str]:
    """Create a queue to which `service` may send messages, and return the queue's URL and ARN."""
    arn = stack.aws.arn("sqs", name)
    allowed = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    return stack.aws("sqs", "create_queue", QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn


def _inbox(stack: Stack, url: str) -> Callable[[str], list[Any]]:
    def about(order_id: str) -> list[Any]:
        return [json.loads(each["Body"]) for each in stack.queued(url) if order_id in each["Body"]]

    return about
