"""Fixtures that load each function with fake AWS clients, and that read its logs and metrics."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from shared.telemetry import logger
from tests.contracts.answers import faults
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import Answer, Request, http_event, rest_event
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction, loaded
from tests.fakes.services import FakeEventBridge, FakeS3, FakeSes, FakeSqs, FakeStepFunctions

Api = Callable[[Request], Answer]
Load = Callable[[str], LoadedFunction]


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    return FakeDynamoDB()


@pytest.fixture
def eventbridge() -> FakeEventBridge:
    return FakeEventBridge()


@pytest.fixture
def stepfunctions() -> FakeStepFunctions:
    return FakeStepFunctions()


@pytest.fixture
def ses() -> FakeSes:
    return FakeSes()


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def sqs() -> FakeSqs:
    return FakeSqs()


@pytest.fixture
def clients(  # noqa: PLR0917 - the arguments are fixtures
    dynamodb: FakeDynamoDB,
    eventbridge: FakeEventBridge,
    stepfunctions: FakeStepFunctions,
    ses: FakeSes,
    s3: FakeS3,
    sqs: FakeSqs,
) -> dict[str, Any]:
    """The fake clients as {name of the service in botocore: client}."""
    return {
        "dynamodb": dynamodb,
        "events": eventbridge,
        "stepfunctions": stepfunctions,
        "sesv2": ses,
        "s3": s3,
        "sqs": sqs,
    }


@pytest.fixture
def load(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that loads the Lambda function with the given name."""

    def sleep(_: float) -> None:
        pass

    monkeypatch.setattr("time.sleep", sleep)
    with ExitStack() as stack, warnings.catch_warnings():
        # Set the warning filter of shared.telemetry again. The module sets the filter only when it is first imported,
        # and pytest resets all filters before each test.
        warnings.filterwarnings("ignore", "No application metrics to publish")
        yield lambda name: stack.enter_context(loaded(name, clients=clients, environment=ENVIRONMENT))


def _checked_api(document: str, function: LoadedFunction, event: Callable[[Request], dict[str, Any]]) -> Api:
    """Return an API client that converts each request with `event`, and invokes `function` with the result.

    The client fails if a response does not match the OpenAPI document `document`.
    """

    def ask(request: Request) -> Answer:
        answer = Answer(function(event(request)))
        assert faults(document, request.method, request.path, answer) == []
        return answer

    return ask


def rest_client(function: LoadedFunction) -> Api:
    """Return a REST API client that invokes `function` and checks each response against the OpenAPI document."""
    return _checked_api("rest-api.yaml", function, rest_event)


def http_client(function: LoadedFunction) -> Api:
    """Return an HTTP API client that invokes `function` and checks each response against the OpenAPI document."""
    return _checked_api("http-api.yaml", function, http_event)


@pytest.fixture
def users_api(load: Load) -> Api:
    return rest_client(load("users_api"))


@pytest.fixture
def orders_api(load: Load) -> Api:
    return rest_client(load("orders_api"))


@pytest.fixture
def catalog_api(load: Load) -> Api:
    return http_client(load("catalog_api"))


@pytest.fixture
def logs() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return a function that returns all log lines of the test so far, parsed as JSON."""
    stream = io.StringIO()
    handler = cast("logging.StreamHandler[Any]", logger.registered_handler)
    before = handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    if before:
        handler.setStream(before)


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, int]]:
    """Return a function that returns the business metrics since its last call as {name: sum}."""

    def read() -> dict[str, int]:
        found: dict[str, int] = {}
        for line in capsys.readouterr().out.splitlines():
            if '"_aws"' not in line:
                continue
            record: dict[str, Any] = json.loads(line)
            names = [metric["Name"] for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
            for name in set(names) - {"ColdStart"}:
                found[name] = found.get(name, 0) + int(sum(record[name]))
        return found

    return read


@pytest.fixture
def stock(dynamodb: FakeDynamoDB) -> Callable[..., None]:
    """Return a function that puts a product into the inventory table."""

    def put(product_id: str, quantity: int = 10, unit_price: int = 500, currency: str = "JPY") -> None:
        dynamodb.put(
            "inventory",
            {
                "product_id": {"S": product_id},
                "name": {"S": f"Product {product_id}"},
                "unit_price": {"N": str(unit_price)},
                "currency": {"S": currency},
                "quantity": {"N": str(quantity)},
                "catalog_id": {"S": "products"},
            },
        )

    return put
