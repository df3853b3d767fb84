"""Runs Lambda functions in this process with in-memory AWS clients.

Logging is disabled, because 10,000 invocations would write megabytes of logs.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Final
from unittest import mock

from components.apis import routes
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import LoadedFunction, loaded
from tests.functions.conftest import ENVIRONMENT

APIS: Final = routes.functions()


@dataclass
class InProcessFunctions(FakeCloud):
    """Lambda functions that run in this process, and the fake AWS services that they call."""

    functions: Mapping[str, LoadedFunction] = field(default_factory=dict[str, LoadedFunction])


class _Nowhere(io.StringIO):
    def write(self, text: str, /) -> int:
        return len(text)


@contextmanager
def in_process_functions(*names: str) -> Generator[InProcessFunctions]:
    """Load the Lambda functions in the folders `names`, and yield them with their AWS clients."""

    def sleep(_: float) -> None:
        pass

    made = InProcessFunctions()
    with ExitStack() as stack, redirect_stdout(_Nowhere()), warnings.catch_warnings():
        # Powertools warns about each invocation that emits no metric. Hide these warnings.
        warnings.simplefilter("ignore", UserWarning)
        stack.enter_context(mock.patch("time.sleep", sleep))
        made.functions = {
            name: stack.enter_context(loaded(name, clients=made.clients, environment=ENVIRONMENT)) for name in names
        }
        logging.disable()
        try:
            yield made
        finally:
            logging.disable(logging.NOTSET)
