"""Records what one real order uses on the emulator: `make record` writes tools/cost/recorded_order.json.

The AWS calls of functions and workflow steps go through the proxy of tests/proof/aws_faults. For the recording, the
proxy injects no faults and records all calls with their bodies. An earlier order warms up the functions, so the
recording contains no cold starts.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from local import emulator
from local.client import client_of
from tests.journeys.checked_client import CheckedClient
from tests.journeys.patience import WITHIN_S
from tests.journeys.people import People, Person
from tests.proof.aws_faults.faulty_stack import FaultyStack, faulty_stack
from tests.proof.aws_faults.plan import Fault, Plan
from tools.cost.capacity import Access, accesses, size_of
from tools.cost.recorded import RECORDED_ORDER

_PREFIX: Final = "orders-local-"
# Log lines with this text report a cold start, and are not counted. Their number varies, because the emulator can start
# another execution environment if two events arrive at the same time.
_FIRST_START: Final = '"ColdStart":['
_INFO: Final = '"level":"INFO"'
_STEP: Final = re.compile(r"(\w+) \((.+)\)")
_RETRY_BASE_S: Final = 0.25
_EVENTS: Final = 2
"""Events of a confirmed order: OrderCreated and OrderConfirmed."""
# On AWS, the REPORT line of a traced function also contains a text like this one. The emulator leaves the text out, so
# the recording adds the text's length.
_REPORT_OF_A_TRACE: Final = len(
    "\tXRAY TraceId: 1-6b0500e4-2e46b6bd8eef22d945d222f7\tSegmentId: 1234567890abcdef\tSampled: true\t"
)


@dataclass(frozen=True)
class Seen:
    """One AWS call."""

    caller: str
    operation: str
    body: str


@dataclass
class Recorder(Plan):
    """Injects no faults, and records every call once, however often the SDK retried it."""

    calls: dict[str, Seen] = field(default_factory=dict[str, Seen])

    def decide(self, caller: str, operation: str, call_id: str, text: str) -> Fault | None:
        """Record the call, and return None, so that the proxy injects no fault."""
        path, _, body = text.partition(" ")
        self.calls[f"{caller} {call_id}"] = Seen(caller, operation, body if path.startswith("/") else text)
        return None


@dataclass
class Studio:
    """The platform with a customer and two products. Its methods place orders and record what they use."""

    faulty: FaultyStack
    recorder: Recorder
    customer: Person
    products: Mapping[str, int]

    def standard(self) -> str:
        """Place an order with POST /orders, and return its id."""
        return self.customer.order(self.products)["order_id"]

    def express(self) -> str:
        """Place an order with POST /process, and return its id."""
        answer = self.customer.process(self.products)
        assert answer.status == 200, answer
        return answer.json()["order_id"]

    def record(self, place: Callable[[], str]) -> dict[str, Any]:
        """Place an order, wait until the platform has finished its work, and return everything that the order used."""
        stack = self.faulty.stack
        self.recorder.calls.clear()
        before = {name: len(stack.log(name)) for name in stack.ops["logGroups"]}
        self._settle(place())
        logs = {
            name: [line for line in stack.log(name)[number:] if _FIRST_START not in line]
            for name, number in before.items()
        }
        return {
            "functions": dict(sorted(_functions(logs))),
            "workflows": dict(_workflows(logs)),
            "access_log": _size(logs["restApi"]),
            "calls": dict(sorted(Counter(f"{call.caller} {call.operation}" for call in self._calls()).items())),
            "accesses": sorted(self._accesses(), key=json.dumps),
            "events": sorted(_event_sizes(self._calls())),
        }

    def _calls(self) -> list[Seen]:
        return list(self.recorder.calls.values())

    def _settle(self, order_id: str) -> None:
        """Wait until all events of the order are processed, and no work is left."""
        stack, ends = self.faulty.stack, time.monotonic() + WITHIN_S
        while (
            len(stack.analytics(order_id)) < _EVENTS
            or stack.handled_mails(order_id) < _EVENTS
            or not emulator.is_at_rest(stack.instance)
        ):
            assert time.monotonic() < ends, (
                f"order {order_id}: its events were not all processed within {WITHIN_S:.0f} s"
            )
            time.sleep(0.2)

    def _accesses(self) -> Iterator[dict[str, Any]]:
        """Yield each access to a table, with its caller."""
        for call in self._calls():
            step = _STEP.fullmatch(call.operation)
            service, operation = step[2].rsplit(":", 1) if step else ("dynamodb", call.operation)
            if "dynamodb" not in service or (not step and "TableName" not in call.body):
                continue
            for access in accesses(operation, json.loads(call.body), row_size=self._row_size):
                yield {"caller": call.caller, **_named(access)}

    def _row_size(self, table: str, key: Mapping[str, Any]) -> int:
        found = self.faulty.stack.aws("dynamodb", "get_item", TableName=table, Key=key, ConsistentRead=True)
        return size_of(found.get("Item", {}))


def _named(access: Access) -> dict[str, Any]:
    return {**access.as_json(), "table": access.table.removeprefix(_PREFIX)}


def _event_sizes(calls: list[Seen]) -> Iterator[int]:
    for call in calls:
        if call.operation == "PutEvents":
            yield from (len(entry["Detail"].encode()) for entry in json.loads(call.body)["Entries"])


def _functions(logs: Mapping[str, list[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, lines in logs.items():
        invocations = sum(line.startswith("START RequestId:") for line in lines)
        if invocations:
            size = _size(lines)
            size["bytes"] += invocations * _REPORT_OF_A_TRACE
            yield name, {"invocations": invocations, **size, "info": _size([line for line in lines if _INFO in line])}


def _workflows(logs: Mapping[str, list[str]]) -> Iterator[tuple[str, dict[str, int]]]:
    for name in ("standard", "express"):
        kinds = Counter(json.loads(line)["type"] for line in logs[name])
        if kinds:
            entered = sum(number for kind, number in kinds.items() if kind.endswith("StateEntered"))
            numbers = {"executions": kinds["ExecutionStarted"], "transitions": entered, "tasks": kinds["TaskScheduled"]}
            yield name, {**numbers, **_size(logs[name])}


def _size(lines: list[str]) -> dict[str, int]:
    return {"lines": len(lines), "bytes": sum(len(line.encode()) for line in lines)}


def recorded(port: int, home: Path) -> dict[str, Any]:
    """Deploy the platform, record both ways to place an order, and return the content of recorded_order.json."""
    recorder = Recorder()
    with faulty_stack(port, home, retry_base_s=_RETRY_BASE_S, plan=recorder) as faulty:
        plain = client_of(faulty.stack.outputs)
        people = People(faulty.stack, CheckedClient(plain.frontend, plain.cognito_url))
        admin, customer = people.somebody("admin"), people.somebody().introduce()
        studio = Studio(faulty, recorder, customer, {admin.put(100): 2, admin.put(100): 1})
        for place in (studio.standard, studio.express):
            studio.record(place)
        return {
            "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
            "order": "2 lines with quantities 2 and 1, from a customer with a profile, confirmed",
            "ways": {"standard": studio.record(studio.standard), "express": studio.record(studio.express)},
        }


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        made = recorded(free_port(), Path(directory))
    RECORDED_ORDER.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{RECORDED_ORDER.name}\n")
