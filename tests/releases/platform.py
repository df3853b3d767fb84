"""Runs the functions and workflows of a release in this process, with simulated time and in-memory AWS services."""

from __future__ import annotations

import copy
import importlib
import io
import json
import logging
import random
import uuid
import warnings
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from unittest import mock

from tests.fakes import gateway
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import ENVIRONMENT, Context, LoadedFunction, loaded
from tests.releases import sources
from tests.workflow.harness import Workflow, workflow

FUNCTIONS: Final = (
    "catalog_api",
    "fail_order",
    "orders_api",
    "process_order",
    "publish_order_events",
    "record_analytics",
    "send_email",
    "users_api",
)
"""The functions that the tests of this folder invoke. The workflows invoke the other functions."""
START_S: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
_POWERTOOLS: Final = {
    "POWERTOOLS_SERVICE_NAME": "orders",
    "POWERTOOLS_METRICS_NAMESPACE": "orders",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
_timebox: Any = importlib.import_module("jsonata.timebox")

Json = dict[str, Any]


@dataclass
class Platform:
    """The functions of one release, with the AWS services that the functions call."""

    folder: Path
    """The folder of the release's sources."""
    cloud: FakeCloud = field(default_factory=FakeCloud)
    functions: Mapping[str, LoadedFunction] = field(default_factory=dict[str, LoadedFunction])
    now_s: float = START_S
    """The time of all functions, in Unix seconds. Only the caller advances the time."""
    _runs: int = 0
    _ids: random.Random = field(default_factory=random.Random)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke the function `name` with `event`, and return its result. Raises the errors of the function."""
        number = self._next_run()
        context = Context(function_name=name, aws_request_id=f"request-{number}")
        answer = self.functions[name].module.lambda_handler(json.loads(json.dumps(event)), context)
        return json.loads(json.dumps(answer))

    def send(self, request: Json) -> Json:
        """Invoke the API function that `request` names, and return the status and the body of its response."""
        fields = {name: value for name, value in request.items() if name != "function"}
        asked = gateway.Request(**fields)
        event = gateway.http_event(asked) if request["function"] == "catalog_api" else gateway.rest_event(asked)
        answer = gateway.Answer(self.invoke(request["function"], event))
        return {"status": answer.status, "body": answer.body}

    @contextmanager
    def workflow(self, definitions: Path | None = None) -> Generator[Workflow]:
        """Load both workflows from `workflows/` in the folder `definitions`, by default in the release's folder."""
        self._next_run()
        with workflow(self.cloud.dynamodb, (definitions or self.folder) / "workflows") as made:
            yield made

    def tables(self) -> Json:
        """Return {table: {key: row}} with all rows."""
        return {name: copy.deepcopy(table.items) for name, table in self.cloud.dynamodb.tables.items()}

    def restore(self, data: Json) -> None:
        """Replace all stored data with `data`, a recording of any release, and set the time to the recording's end."""
        self.cloud.clear()
        for name, items in data["tables"].items():
            self.cloud.dynamodb.tables[name].items.update(copy.deepcopy(items))
        self.cloud.s3.objects.update(
            {(ENVIRONMENT["ANALYTICS_BUCKET"], key): body.encode() for key, body in data["objects"].items()}
        )
        self.now_s = data["now_s"]

    def milliseconds(self) -> int:
        """Return the time in Unix milliseconds."""
        return int(self.now_s * 1000)

    def new_id(self) -> uuid.UUID:
        """Return an id that is not random: the same calls get the same ids in each run of the tests."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def _next_run(self) -> int:
        # Each invocation and each workflow starts a new sequence of ids, so its ids don't depend on the number of ids
        # that the previous invocations used.
        self._runs += 1
        self._ids.seed(self._runs)
        return self._runs


@contextmanager
def platform(folder: Path) -> Generator[Platform]:
    """Load the functions from the sources in `folder`, and restore Python's imported modules when the context ends.

    Two of these contexts must not overlap, because each one replaces the same modules.
    """
    made = Platform(folder)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(made.now_s, tz)

    def sleep(_: float) -> None:
        pass

    with ExitStack() as stack:
        stack.enter_context(sources.importable(folder))
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        # Powertools warns about each invocation that emits no metric, which is normal here.
        warnings.simplefilter("ignore", UserWarning)
        stack.enter_context(mock.patch.dict("os.environ", {**ENVIRONMENT, **_POWERTOOLS}))
        stack.enter_context(mock.patch("time.sleep", sleep))
        stack.enter_context(mock.patch("uuid.uuid4", made.new_id))
        stack.enter_context(mock.patch("shared.domain.times.datetime", Clock))
        stack.enter_context(mock.patch.object(_timebox.Timebox, "current_milli_time", made.milliseconds))
        made.functions = {
            name: stack.enter_context(loaded(name, clients=made.cloud.clients, environment=ENVIRONMENT))
            for name in FUNCTIONS
        }
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable()
        yield made
