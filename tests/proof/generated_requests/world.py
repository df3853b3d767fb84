"""Runs Lambda functions in this process with in-memory AWS clients.

Logs are off, because 10,000 cases would log megabytes.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from components.apis import routes
from tests.fakes.dynamodb import FakeDynamoDB, order_tables
from tests.fakes.runtime import LoadedFunction, loaded
from tests.fakes.services import FakeEventBridge, FakeS3, FakeSes, FakeSqs, FakeStepFunctions
from tests.functions.conftest import ENVIRONMENT

APIS: Final = routes.functions()


@dataclass
class World:
    """The functions and what they act on."""

    functions: Mapping[str, LoadedFunction] = field(default_factory=dict[str, LoadedFunction])
    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    eventbridge: FakeEventBridge = field(default_factory=FakeEventBridge)
    stepfunctions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    ses: FakeSes = field(default_factory=FakeSes)
    s3: FakeS3 = field(default_factory=FakeS3)
    sqs: FakeSqs = field(default_factory=FakeSqs)

    @property
    def clients(self) -> dict[str, Any]:
        """Every client, by the service's name in botocore."""
        return {
            "dynamodb": self.dynamodb,
            "events": self.eventbridge,
            "stepfunctions": self.stepfunctions,
            "sesv2": self.ses,
            "s3": self.s3,
            "sqs": self.sqs,
        }

    def clear(self) -> None:
        """Forget everything, as before the first case."""
        self.dynamodb.tables.update(order_tables())
        self.eventbridge.entries.clear()
        self.stepfunctions.executions.clear()
        self.ses.sent.clear()
        self.s3.objects.clear()
        self.sqs.sent.clear()
        for client in self.clients.values():
            client.faults.calls.clear()


class _Nowhere(io.StringIO):
    def write(self, text: str, /) -> int:
        return len(text)


@contextmanager
def world(*names: str) -> Generator[World]:
    """Load the Lambda functions in the folders `names`, and yield them with their AWS."""

    def sleep(_: float) -> None:
        pass

    made = World()
    with ExitStack() as stack, redirect_stdout(_Nowhere()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Powertools warns about each invocation that counts no metric.
        stack.enter_context(mock.patch("time.sleep", sleep))
        made.functions = {
            name: stack.enter_context(loaded(name, clients=made.clients, environment=ENVIRONMENT)) for name in names
        }
        logging.disable()
        try:
            yield made
        finally:
            logging.disable(logging.NOTSET)
