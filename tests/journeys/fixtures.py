"""One deployed stack for each process of the tests, and the people who use it. A plugin: any test may ask for them."""

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
    """Gives ports that nobody listens on."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return port


@pytest.fixture(scope="session")
def traces() -> Iterator[Traces]:
    """What the functions of `stack` send to X-Ray."""
    with Traces.listening() as found:
        yield found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], traces: Traces) -> Iterator[Stack]:
    """Stack `local`, deployed by the command line and seeded, on an emulator of its own."""
    instance = temporary(free_port(), tmp_path_factory.mktemp("stack"))
    with stopped_at_the_end(instance):
        yield start(instance, LOCAL_XRAY_DAEMON_ADDRESS=traces.address)


@pytest.fixture(scope="session")
def client(stack: Stack) -> CheckedClient:
    """A frontend that knows the output `frontend`."""
    plain = client_of(stack.outputs)
    return CheckedClient(plain.frontend, plain.cognito_url)


@pytest.fixture(scope="session")
def people(stack: Stack, client: CheckedClient) -> People:
    """Makes people with accounts."""
    return People(stack, client)


@pytest.fixture
def customer(people: People) -> Person:
    """Somebody new with a profile."""
    return people.somebody().introduce()


@pytest.fixture(scope="session")
def admin(people: People) -> Person:
    """Somebody in group `admin`."""
    return people.somebody("admin")


@pytest.fixture(scope="session")
def subscribe(stack: Stack) -> Callable[[str], str]:
    """Makes a queue and subscribes it to a topic (ARN); returns its URL."""

    def subscribed(topic_arn: str) -> str:
        name = f"subscriber-of-{topic_arn.rpartition(':')[2]}"
        url, arn = _queue(stack, name, "sns.amazonaws.com")
        attributes = {"RawMessageDelivery": "true"}
        stack.aws("sns", "subscribe", TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    return subscribed


@pytest.fixture(scope="session")
def notifications(stack: Stack, subscribe: Callable[[str], str]) -> Callable[[str], list[Any]]:
    """What a subscriber of the notification topic was told of an order."""
    return _inbox(stack, subscribe(stack.ops["topics"]["notifications"]))


@pytest.fixture(scope="session")
def successes(stack: Stack, subscribe: Callable[[str], str]) -> Callable[[str], list[Any]]:
    """What a subscriber of the success topic was told of an order."""
    return _inbox(stack, subscribe(stack.ops["topics"]["successes"]))


@pytest.fixture(scope="session")
def watcher(stack: Stack, notifications: Callable[[str], list[Any]], successes: Callable[[str], list[Any]]) -> Watcher:
    """Waits for what happens. Its subscribers are there before the first order."""
    del notifications, successes
    return Watcher(stack, everything_on_the_bus(stack))


def everything_on_the_bus(stack: Stack) -> str:
    """Make a queue that gets every event of the bus, and return its URL."""
    bus = stack.ops["eventBus"]["name"]
    url, arn = _queue(stack, "everything-on-the-bus", "events.amazonaws.com")
    pattern = json.dumps({"source": [{"prefix": ""}]})
    stack.aws("events", "put_rule", Name="everything", EventBusName=bus, EventPattern=pattern)
    stack.aws("events", "put_targets", Rule="everything", EventBusName=bus, Targets=[{"Id": "all", "Arn": arn}])
    return url


def _queue(stack: Stack, name: str, service: str) -> tuple[str, str]:
    """Return URL and ARN of a new queue that the service may send to."""
    arn = stack.aws.arn("sqs", name)
    allowed = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    return stack.aws("sqs", "create_queue", QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn


def _inbox(stack: Stack, url: str) -> Callable[[str], list[Any]]:
    def about(order_id: str) -> list[Any]:
        return [json.loads(each["Body"]) for each in stack.queued(url) if order_id in each["Body"]]

    return about
