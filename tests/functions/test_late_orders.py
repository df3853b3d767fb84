"""Tests of mark_late_orders and restart_late_orders, which ensure that every order is decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.orders import LATE_SHARDS
from shared import rows
from shared.domain.executions import execution_name, order_id_of
from shared.domain.orders import new_order, request_hash
from shared.errors import LateOrdersLeft
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import USER, Request
from tests.fakes.runtime import Context, LoadedFunction
from tests.fakes.services import FakeStepFunctions
from tests.functions.conftest import Api, Load

LATE = timedelta(minutes=10)
DECIDED = ["CONFIRMED", "REJECTED", "FAILED", "CANCELLED"]


def order_id(number: int = 1) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def store(dynamodb: FakeDynamoDB, number: int = 1, *, age: timedelta = LATE, **attributes: Any) -> str:
    """Put the row of an order that was created `age` ago into the orders table. Return the order's id."""
    order = new_order(order_id(number), USER, [{"product_id": "tea", "quantity": 2}], datetime.now(UTC) - age)
    row = rows.order_row(order, request_hash=request_hash(order["items"]), synchronous=False)
    dynamodb.put("orders", {**row, **attributes})
    return order_id(number)


def late(dynamodb: FakeDynamoDB, number: int = 1, *, age: timedelta = LATE, **attributes: Any) -> str:
    """Put the row of a late order into the orders table. Return the order's id."""
    return store(dynamodb, number, age=age, late_shard={"S": rows.late_shard(order_id(number))}, **attributes)


def row(dynamodb: FakeDynamoDB, number: int = 1) -> dict[str, Any]:
    found = dynamodb.item("orders", order_id(number))
    assert found
    return found


@pytest.fixture
def mark(load: Load, dynamodb: FakeDynamoDB) -> Callable[[], Any]:
    """Return a function that invokes mark_late_orders with all stream records since the last invocation.

    The function returns the `batchItemFailures` of mark_late_orders.
    """
    function, read = load("mark_late_orders"), 0

    def invoke() -> Any:
        nonlocal read
        batch = dynamodb.tables["orders"].stream[read:]
        read += len(batch)
        return function({"Records": batch})["batchItemFailures"]

    return invoke


@pytest.fixture
def sweep(load: Load) -> LoadedFunction:
    return load("restart_late_orders")


class TestMark:
    def test_order_still_pending_at_the_end_of_the_batch_is_marked_as_late(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB
    ) -> None:
        store(dynamodb)
        assert mark() == []
        assert rows.is_late(row(dynamodb))

    @pytest.mark.parametrize("status", DECIDED)
    def test_order_decided_within_the_batch_causes_no_dynamodb_call(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB, status: str
    ) -> None:
        store(dynamodb)
        dynamodb.put("orders", {**row(dynamodb), "status": {"S": status}})
        assert mark() == []
        assert dynamodb.faults.calls == []

    @pytest.mark.parametrize("status", DECIDED)
    def test_order_decided_before_it_is_marked_stays_unchanged(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB, status: str
    ) -> None:
        store(dynamodb)
        decided = {**row(dynamodb), "status": {"S": status}}
        dynamodb.faults.before("update_item", lambda: dynamodb.put("orders", decided))
        assert mark() == []
        assert row(dynamodb) == decided

    def test_order_decided_in_the_next_batch_is_not_marked_again(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB
    ) -> None:
        store(dynamodb)
        mark()
        decided = {**row(dynamodb), "status": {"S": "CONFIRMED"}}
        decided.pop("late_shard")
        dynamodb.put("orders", decided)
        assert mark() == []
        assert row(dynamodb) == decided

    def test_repeated_batch_writes_no_second_stream_record(self, load: Load, dynamodb: FakeDynamoDB) -> None:
        store(dynamodb)
        batch = {"Records": list(dynamodb.tables["orders"].stream)}
        function = load("mark_late_orders")
        function(batch)
        after = len(dynamodb.tables["orders"].stream)
        function(batch)
        assert len(dynamodb.tables["orders"].stream) == after

    def test_marking_an_order_waits_for_a_transaction_on_its_row(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB
    ) -> None:
        store(dynamodb)
        dynamodb.faults.refuse("update_item", "TransactionConflictException", times=3)
        assert mark() == []
        assert rows.is_late(row(dynamodb))

    @pytest.mark.parametrize(("error", "times"), [("TransactionConflictException", 100), ("ThrottlingException", 1)])
    def test_batch_is_retried_from_the_record_that_failed(
        self,
        mark: Callable[[], Any],
        dynamodb: FakeDynamoDB,
        logs: Callable[[], list[dict[str, Any]]],
        error: str,
        times: int,
    ) -> None:
        for number in range(3):
            store(dynamodb, number)
        dynamodb.faults.before("update_item", lambda: dynamodb.faults.refuse("update_item", error, times=times))
        second = dynamodb.tables["orders"].stream[1]["dynamodb"]["SequenceNumber"]
        assert mark() == [{"itemIdentifier": second}]
        assert [rows.is_late(row(dynamodb, number)) for number in range(3)] == [True, False, False]
        # `make redrive` reads the reason of the failure from the log line with the record's sequence number.
        assert [error in line["exception"] for line in logs() if line.get("sequence_number") == second] == [True]

    def test_late_orders_spread_over_all_partition_keys_of_the_index(
        self, mark: Callable[[], Any], dynamodb: FakeDynamoDB
    ) -> None:
        for number in range(64):
            store(dynamodb, number)
        mark()
        shards = [each["late_shard"]["S"] for each in dynamodb.tables["orders"].items.values()]
        assert {shards.count(shard) for shard in LATE_SHARDS} == {4}


class TestRestart:
    def test_sweep_starts_a_missing_execution_with_the_same_name_and_input_as_process_order(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        name = late(dynamodb)
        assert sweep({}) == {"running": 1}
        assert list(stepfunctions.executions) == [name]
        assert json.loads(stepfunctions.executions[name]["input"]) == {"order": rows.order_of(row(dynamodb))}
        assert rows.restarts_of(row(dynamodb)) == 0

    def test_late_order_is_counted_for_its_alarm(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
    ) -> None:
        late(dynamodb, 1)
        late(dynamodb, 2, status={"S": "CONFIRMED"})
        sweep({})
        assert counted() == {"OrderLate": 1}

    def test_running_execution_is_not_restarted(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        name = late(dynamodb)
        sweep({})
        before = row(dynamodb)
        assert sweep({}) == {"running": 1}
        assert stepfunctions.running == [name]
        assert row(dynamodb) == before

    def test_sweep_restarts_an_ended_execution_under_the_next_numbered_name(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        name = late(dynamodb)
        for restarts in range(3):
            sweep({})
            assert stepfunctions.running == [execution_name(name, restarts)]
            stepfunctions.ended.update(stepfunctions.running)
        assert rows.restarts_of(row(dynamodb)) == 2

    def test_two_concurrent_sweeps_start_one_execution(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        name = late(dynamodb)
        sweep({})
        stepfunctions.ended.add(name)
        # A second sweep starts when the first sweep (the call below) has read the order's row, but has not written to
        # it yet.
        dynamodb.faults.before("update_item", lambda: sweep({}))
        sweep({})
        assert stepfunctions.running == [execution_name(name, 1)]

    def test_next_sweep_starts_the_execution_that_an_interrupted_sweep_did_not_start(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        name = late(dynamodb, restarts={"N": "1"})
        stepfunctions.executions[name] = {"input": "{}"}
        stepfunctions.ended.add(name)
        sweep({})
        assert stepfunctions.running == [execution_name(name, 1)]

    @pytest.mark.parametrize("status", DECIDED)
    def test_decision_during_the_sweep_prevents_the_restart(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions, status: str
    ) -> None:
        name = late(dynamodb)
        sweep({})
        stepfunctions.ended.add(name)
        decided = {**row(dynamodb), "status": {"S": status}}
        dynamodb.faults.before("update_item", lambda: dynamodb.put("orders", decided))
        assert sweep({}) == {"running": 0}
        assert (stepfunctions.running, row(dynamodb)) == ([], decided)

    @pytest.mark.parametrize("status", DECIDED)
    def test_late_order_that_an_older_release_decided_leaves_the_index_of_late_orders(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions, status: str
    ) -> None:
        late(dynamodb, status={"S": status})
        assert sweep({}) == {"running": 0}
        assert stepfunctions.executions == {}
        assert not rows.is_late(row(dynamodb))

    def test_young_order_is_not_restarted(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        late(dynamodb, age=timedelta(seconds=50))
        assert sweep({}) == {"running": 0}
        assert stepfunctions.executions == {}

    def test_order_that_is_not_marked_as_late_is_not_restarted(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        store(dynamodb)
        assert sweep({}) == {"running": 0}
        assert stepfunctions.executions == {}

    def test_sweep_reads_all_pages_of_all_shards(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        # The orders 0, 16, 32 and so on are in the same shard of the index. A query for this shard returns them in
        # three pages. Each other shard contains one order.
        ids = {late(dynamodb, 16 * number) for number in range(250)} | {late(dynamodb, number) for number in range(16)}
        assert sweep({}) == {"running": len(ids)}
        assert set(stepfunctions.executions) == ids

    def test_sweep_uses_at_most_a_third_of_the_start_execution_quota(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slept: list[float] = []
        monkeypatch.setattr("time.sleep", slept.append)
        for number in range(100):
            late(dynamodb, number)
        sweep({})
        # The sweep restarts at most 50 orders per second, so 100 orders take 2 s. The fakes of the AWS services respond
        # almost immediately, so the sweep spends almost all of this time in its pauses.
        assert sum(slept) == pytest.approx(2, rel=0.3)

    def test_sweep_ends_before_its_time_limit(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def left_ms(_context: Context) -> int:
            return 30_000 - 1_000 * len(dynamodb.faults.of("get_item"))

        monkeypatch.setattr(Context, "get_remaining_time_in_millis", left_ms)
        for number in range(100):
            late(dynamodb, number)
        assert sweep({}) == {"running": 26}

    def test_order_that_cannot_be_restarted_does_not_stop_the_sweep(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        late(dynamodb, 1)
        dynamodb.tables["orders"].items[order_id(1)].pop("user_id")
        late(dynamodb, 2)
        with pytest.raises(LateOrdersLeft, match="1 could not be restarted"):
            sweep({})
        assert list(stepfunctions.executions) == [order_id(2)]

    def test_throttled_sweep_stops_early(
        self, sweep: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        for number in range(100):
            late(dynamodb, number)
        stepfunctions.faults.refuse("start_execution", "ThrottlingException", times=100)
        with pytest.raises(LateOrdersLeft):
            sweep({})
        assert len(stepfunctions.faults.calls) == 20


class TestDecisions:
    """Tests that an order decided outside of the workflow leaves the index of late orders.

    tests/workflow covers the decisions of the workflow.
    """

    def test_cancelled_order_leaves_the_index_of_late_orders(self, orders_api: Api, dynamodb: FakeDynamoDB) -> None:
        cancelled = late(dynamodb)
        assert orders_api(Request(method="POST", path=f"/orders/{cancelled}/cancel")).status == 200
        assert not rows.is_late(row(dynamodb))

    @pytest.mark.parametrize("restarts", [0, 1, 12])
    def test_failed_order_leaves_the_index_of_late_orders(
        self, load: Load, dynamodb: FakeDynamoDB, restarts: int
    ) -> None:
        name = execution_name(late(dynamodb, age=timedelta(days=2)), restarts)
        ended = {"detail": {"name": name, "status": "TIMED_OUT", "error": None}}
        assert load("fail_order")(ended) == {"failed": True}
        assert row(dynamodb)["status"] == {"S": "FAILED"}
        assert not rows.is_late(row(dynamodb))

    def test_api_response_does_not_contain_the_attributes_of_late_orders(
        self, orders_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        shown = late(dynamodb, restarts={"N": "1"})
        body = orders_api(Request(method="GET", path=f"/orders/{shown}")).body
        assert not {"late_shard", "restarts"} & set(body)


@pytest.mark.parametrize("name", ["", "x", f"{order_id()}-", f"{order_id()}-0", f"{order_id()}-01", f"{order_id()}-a"])
def test_name_of_an_unrelated_execution_is_returned_instead_of_an_order_id(name: str) -> None:
    assert order_id_of(name) == name


@pytest.mark.parametrize("restarts", [0, 1, 10**9])
def test_order_id_is_found_in_the_name_of_each_execution_of_the_order(restarts: int) -> None:
    name = execution_name(order_id(), restarts)
    assert order_id_of(name) == order_id()
    assert len(name) <= 80  # Step Functions' limit.
