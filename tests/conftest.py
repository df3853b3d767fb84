"""Fixtures for all tests. This module also sets environment variables that prevent requests to AWS."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import cache

import pytest

# Set fake credentials before any client exists, because no test may reach AWS. Remove the variables of the machine
# first, so that its settings don't affect the tests.
for name in [each for each in os.environ if each.startswith(("AWS_", "BOTO", "POWERTOOLS_"))]:
    del os.environ[name]
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="ap-northeast-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    POWERTOOLS_SERVICE_NAME="orders",
    POWERTOOLS_METRICS_NAMESPACE="orders-test",
    POWERTOOLS_TRACE_DISABLED="true",
    LOG_LEVEL="INFO",
)

# A shell starts background jobs with SIGINT ignored, for example `nohup make test &`. The processes that the tests
# start would inherit this setting, so the tests could not interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from components.functions import archives, generated_code  # noqa: E402 - the environment must be set before this import
from tests.support.graph import ROOT, Graph, record  # noqa: E402

# The functions load generated files from the package `shared`. On AWS, the `common` layer contains these files. In the
# tests, no layer exists, so write the files into functions/shared/.
for folder, generate in generated_code.FOLDERS.items():
    for path, content in generate().items():
        archives.write(archives.FUNCTIONS / "shared" / folder / path, content)

STACKS = tuple(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))
"""The names of all stacks, from their stack files."""
pytest_plugins = ("tests.journeys.fixtures", "tests.local.fixtures", "tests.proof.plugin")


def pytest_configure(config: pytest.Config) -> None:
    """In each pytest-xdist worker, start a thread that ends the worker within a second after the controller ends."""
    if hasattr(config, "workerinput"):
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(controller: int) -> None:
    # Don't call `time.sleep`, because some tests replace it with a function that returns immediately and advances the
    # clock of the test.
    pause = threading.Event()
    while os.getppid() == controller:
        pause.wait(0.5)
    os._exit(1)


@cache
def _recorded(stack: str, *, unknown: bool) -> Graph:
    return record(stack, unknown=unknown)


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest) -> Graph:
    """The resource graph of one stack. A test that uses this fixture runs for every stack."""
    return _recorded(request.param, unknown=False)


@pytest.fixture(scope="session")
def graph_of() -> Callable[[str], Graph]:
    """Return a function that returns the resource graph of a stack."""
    return lambda stack: _recorded(stack, unknown=False)


@pytest.fixture(scope="session")
def preview_of() -> Callable[[str], Graph]:
    """Return a function that returns the resource graph of a stack's first preview.

    In this graph, the outputs that AWS computes are unknown.
    """
    return lambda stack: _recorded(stack, unknown=True)
