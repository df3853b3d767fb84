"""Loads and invokes the handler of a Lambda function like the Lambda runtime, but with fake AWS clients."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, Protocol
from unittest import mock

from contracts.queues import RECEIVED_AT_MOST
from tests.fakes.gateway import ORIGIN

ENVIRONMENT: Final = {
    "USERS_TABLE": "users",
    "ORDERS_TABLE": "orders",
    "STANDARD_TIMEOUT_S": "900",
    "ORDERS_BY_USER_INDEX": "by-user",
    "LATE_ORDERS_INDEX": "late",
    "INVENTORY_TABLE": "inventory",
    "CATALOG_INDEX": "catalog",
    "IDEMPOTENCY_TABLE": "idempotency",
    "REMEMBERED_DAYS": "36",
    "CORS_ORIGINS": f"http://localhost:3000,{ORIGIN}",
    "EVENT_BUS": "orders-bus",
    "STATE_MACHINE_ARN": "arn:standard",
    "MAIL_SENDER": "orders@example.com",
    "ANALYTICS_BUCKET": "analytics",
    "MAIL_MS": "0",
    "QUEUE_URL": "https://queue/own",
    "FAILURE_QUEUE_URL": "https://queue/failures",
    "RECEIVED_AT_MOST": str(RECEIVED_AT_MOST),
}
"""Environment variables of every function. Each table, index and bucket has the name that the fakes use."""
_requests = itertools.count(1)


class Time(Protocol):
    """The time functions with which a Lambda function measures time and waits before a retry."""

    def monotonic(self) -> float:
        """Return the current time in seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


@dataclass
class SimulatedTime:
    """Time that passes only while a function waits. Tests of retries therefore take no real time."""

    now_s: float = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass(kw_only=True)
class Context:
    """The context object that Lambda passes to a handler."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: f"lambda-request-{next(_requests)}")
    memory_limit_in_mb: int = 256
    function_version: str = "1"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:ap-northeast-1:123456789012:function:{self.function_name}:live"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


class LoadedFunction:
    """A Lambda function whose handler module is loaded."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Invoke the function with an event. Like Lambda, converts the event and the response to JSON."""
        answer = self.module.lambda_handler(json.loads(json.dumps(event)), Context(function_name=self.name))
        return json.loads(json.dumps(answer))


@contextmanager
def loaded(
    name: str, *, clients: Mapping[str, Any], environment: Mapping[str, str], time: Time | None = None
) -> Generator[LoadedFunction]:
    """Load a new copy of the Lambda function in `functions/{name}` with the fake AWS clients `clients`.

    If several functions are loaded at the same time, all of them use the `time` of the function that was loaded last.
    """

    def client(service: str, **_: Any) -> Any:
        return clients[service]

    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]
    with mock.patch("shared.aws.client", client), mock.patch.dict("os.environ", environment):
        function = LoadedFunction(name, importlib.import_module(f"{name}.handler"))
        with in_time(time or SimulatedTime()):
            yield function


@contextmanager
def in_time(time: Time) -> Generator[None]:
    """Make the module `shared.retries` use the clock `time`. Does nothing for old releases, which lack this module."""
    retries = sys.modules.get("shared.retries")
    if retries is None:
        yield
        return
    with mock.patch.multiple(retries, monotonic=time.monotonic, sleep=time.sleep):
        yield
