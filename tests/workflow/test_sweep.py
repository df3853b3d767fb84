"""Tests that two sweeps decide an order whose event or execution was lost.

A sweep restarts the workflow of each late order.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from shared import rows
from shared.domain.times import parse_timestamp
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction, loaded
from tests.workflow.conftest import CREATED, ORDER_ID, Tables, pending
from tests.workflow.harness import Workflow

EVERY: Final = timedelta(minutes=5)


@dataclass
class Platform:
    """The workflow and the functions of the sweep, with simulated time."""

    tables: Tables
    workflow: Workflow
    cloud: FakeCloud
    functions: dict[str, LoadedFunction]
    now: datetime = field(default_factory=lambda: parse_timestamp(CREATED))
    _read: int = 0

    def wait(self) -> None:
        """Advance the time to the next sweep: the batching window ends, the sweep runs, and started executions end."""
        self.now += EVERY
        stream = self.cloud.dynamodb.tables["orders"].stream
        batch, self._read = stream[self._read :], len(stream)
        self.functions["mark_late_orders"]({"Records": batch})
        self.functions["restart_late_orders"]({})
        self.run()

    def run(self) -> None:
        """Run all started executions to their end."""
        started = self.cloud.stepfunctions
        for name in started.running:
            self.workflow.run_accepted(json.loads(started.executions[name]["input"]))
            started.ended.add(name)

    @property
    def is_late(self) -> bool:
        row = self.tables.dynamodb.item("orders", ORDER_ID)
        assert row
        return rows.is_late(row)


@pytest.fixture
def platform(tables: Tables, order_workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    cloud = FakeCloud(dynamodb=tables.dynamodb)
    tables.product("tea", 10)
    with ExitStack() as stack:
        functions = {
            name: stack.enter_context(loaded(name, clients=cloud.clients, environment=ENVIRONMENT))
            for name in ("mark_late_orders", "restart_late_orders", "process_order")
        }
        made = Platform(tables, order_workflow, cloud, functions)
        for name in ("restart_late_orders", "process_order"):
            monkeypatch.setattr(functions[name].module, "utc_now", lambda: made.now)
        yield made


def created(order: Any) -> dict[str, Any]:
    return {"detail-type": "OrderCreated", "detail": {"event_id": f"{order['order_id']}:PENDING", "order": order}}


def abort(platform: Platform) -> None:
    """Let process_order start the execution, and abort the execution. The event about its end is lost."""
    platform.functions["process_order"](created(pending([("tea", 2)])))
    platform.cloud.stepfunctions.ended.add(ORDER_ID)


LOSSES: dict[str, Callable[[Platform], None]] = {
    "the event OrderCreated": lambda _: None,
    "the execution and its end event": abort,
}


@pytest.mark.parametrize("synchronous", [False, True], ids=["accepted", "synchronous"])
@pytest.mark.parametrize("lost", LOSSES)
def test_lost_order_is_confirmed_within_two_sweeps(platform: Platform, lost: str, synchronous: bool) -> None:
    platform.tables.accepted([("tea", 2)], synchronous=synchronous)
    platform.now += timedelta(minutes=1)
    LOSSES[lost](platform)
    waited = itertools.takewhile(lambda _: platform.tables.order()["status"] == "PENDING", range(2))
    for _ in waited:
        platform.wait()
    assert platform.tables.order()["status"] == "CONFIRMED"
    assert platform.tables.stock("tea") == 8
    assert not platform.is_late


@pytest.mark.parametrize(("lines", "status"), [([("tea", 11)], "REJECTED"), ([("cup", 1)], "REJECTED")])
def test_lost_order_that_cannot_be_confirmed_is_rejected(platform: Platform, lines: Any, status: str) -> None:
    platform.tables.accepted(lines)
    platform.wait()
    assert platform.tables.order()["status"] == status
    assert not platform.is_late


def test_execution_that_is_aborted_again_is_restarted_again(platform: Platform) -> None:
    platform.tables.accepted([("tea", 2)])
    abort(platform)
    stop = platform.cloud.stepfunctions.ended
    for restarts in range(1, 4):
        stop.add(f"{ORDER_ID}-{restarts}")
        platform.cloud.stepfunctions.executions[f"{ORDER_ID}-{restarts}"] = {"input": "{}"}
    for _ in range(4):
        assert platform.tables.order()["status"] == "PENDING"
        platform.wait()
    assert platform.tables.order()["status"] == "CONFIRMED"


def test_order_decided_in_time_is_neither_marked_late_nor_restarted(platform: Platform) -> None:
    platform.tables.accepted([("tea", 2)])
    platform.functions["process_order"](created(pending([("tea", 2)])))
    platform.run()
    platform.cloud.dynamodb.faults.calls.clear()
    platform.wait()
    assert {name for name, _ in platform.cloud.dynamodb.faults.calls} == {"query"}
    assert list(platform.cloud.stepfunctions.executions) == [ORDER_ID]
