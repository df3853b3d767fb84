"""Tests of process_order and fail_order, and of how consumers reject invalid events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import rows
from shared.domain.orders import Order, new_order, request_hash
from shared.domain.times import timestamp, utc_now
from shared.errors import OrderNotFound, OrderUndecided, ValidationError
from shared.events import DETAIL_TYPES, detail_of
from shared.order_store import INTERNAL_ERROR
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import USER
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction
from tests.fakes.services import FakeStepFunctions
from tests.functions.conftest import Load

STANDARD_TIMEOUT_S = int(ENVIRONMENT["STANDARD_TIMEOUT_S"])
ORDER_ID = "00000000-0000-4000-8000-000000000001"


def order(**changes: Any) -> Order:
    made: Any = new_order(ORDER_ID, USER, [{"product_id": "tea", "quantity": 2}], datetime.now(UTC))
    return made | changes


def event(about: Order) -> dict[str, Any]:
    """Return the event with which EventBridge invokes a Lambda function after a status change of the order `about`."""
    return {
        "version": "0",
        "id": "changes with every delivery",
        "source": "orders.api",
        "detail-type": DETAIL_TYPES[about["status"]],
        "detail": detail_of(about),
    }


INVALID_EVENTS: list[Any] = [
    None,
    [],
    {},
    {"detail": None},
    {"detail-type": "OrderCreated"},
    {"detail-type": "OrderCreated", "detail": []},
    {"detail-type": "OrderCreated", "detail": {"event_id": "1", "order": {}}},
    {"detail-type": ["OrderCreated"], "detail": {}},
    event(order()) | {"detail-type": "NoSuchEvent"},
    event(order()) | {"detail-type": "OrderConfirmed"},
    event(order(order_id="1")),
    event(order(items=[])),
    event(order(unknown=1)),
]


@pytest.mark.parametrize("sent", INVALID_EVENTS)
def test_invalid_event_raises_validation_error(
    load: Load, dynamodb: FakeDynamoDB, clients: dict[str, Any], sent: Any
) -> None:
    with pytest.raises(ValidationError):
        load("process_order")(sent)
    assert [client for client in clients.values() if client.faults.calls] == []
    assert [table for table in dynamodb.tables.values() if table.items] == []


class TestProcessOrder:
    @pytest.fixture
    def process_order(self, load: Load) -> LoadedFunction:
        return load("process_order")

    @staticmethod
    def store(dynamodb: FakeDynamoDB, order_: Order, *, synchronous: bool = False) -> None:
        row = rows.order_row(order_, request_hash=request_hash(order_["items"]), synchronous=synchronous)
        dynamodb.put("orders", row)

    def test_execution_of_an_accepted_order_has_the_order_id_as_its_name(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        accepted = order()
        self.store(dynamodb, accepted)
        assert process_order(event(accepted)) == {"started": True}
        (execution,) = stepfunctions.executions.values()
        assert (execution["stateMachineArn"], execution["name"]) == ("arn:standard", ORDER_ID)
        assert json.loads(execution["input"]) == {"order": accepted}

    def test_existing_execution_counts_as_started(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order())
        process_order(event(order()))
        assert process_order(event(order())) == {"started": True}
        assert len(stepfunctions.executions) == 1

    @pytest.mark.parametrize("status", ["CONFIRMED", "REJECTED", "FAILED", "CANCELLED"])
    def test_order_that_is_not_pending_starts_no_execution(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions, status: str
    ) -> None:
        self.store(dynamodb, order(status=status))
        assert process_order(event(order())) == {"started": False}
        assert stepfunctions.executions == {}

    def test_execution_input_contains_the_order_from_the_table_instead_of_the_event(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        in_table = order()
        self.store(dynamodb, in_table)
        process_order(event(order(items=[{"product_id": "gold", "quantity": 1000}])))
        assert json.loads(stepfunctions.executions[ORDER_ID]["input"]) == {"order": in_table}

    def test_new_synchronous_order_starts_no_standard_execution(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order(), synchronous=True)
        with pytest.raises(OrderUndecided):
            process_order(event(order()))
        assert stepfunctions.executions == {}

    def test_standard_execution_starts_for_a_synchronous_order_older_than_30_seconds(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        old = order(created_at=timestamp(datetime.now(UTC) - timedelta(seconds=31)))
        self.store(dynamodb, old, synchronous=True)
        assert process_order(event(old)) == {"started": True}
        assert list(stepfunctions.executions) == [ORDER_ID]

    def test_missing_row_raises_order_not_found(self, process_order: LoadedFunction) -> None:
        with pytest.raises(OrderNotFound):
            process_order(event(order()))

    def test_unexpected_start_execution_error_fails_the_invocation(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order())
        stepfunctions.faults.refuse("start_execution", "ExecutionLimitExceeded")
        with pytest.raises(Exception, match="ExecutionLimitExceeded"):
            process_order(event(order()))


class TestFailOrder:
    """Tests of fail_order, which EventBridge invokes when a STANDARD execution ends without success."""

    @pytest.fixture
    def fail_order(self, load: Load) -> LoadedFunction:
        return load("fail_order")

    @staticmethod
    def ended(status: str = "ABORTED", error: str | None = None) -> dict[str, Any]:
        """Return the event that Step Functions sends when the STANDARD execution of the order ORDER_ID has ended."""
        detail = {"name": ORDER_ID, "status": status, "error": error, "stateMachineArn": "arn:standard"}
        return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}

    @staticmethod
    def aged(seconds: float) -> Order:
        """Return a PENDING order that was created `seconds` ago."""
        created = timestamp(utc_now() - timedelta(seconds=seconds))
        return order(created_at=created, updated_at=created)

    @pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
    def test_pending_order_as_old_as_the_execution_time_limit_becomes_failed(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB, status: str
    ) -> None:
        TestProcessOrder.store(dynamodb, before := self.aged(STANDARD_TIMEOUT_S))
        assert fail_order(self.ended(status)) == {"failed": True}
        after = rows.order_of(dynamodb.item("orders", ORDER_ID) or {})
        assert after["updated_at"] >= before["updated_at"]
        assert after == {**before, "status": "FAILED", "reason": INTERNAL_ERROR, "updated_at": after["updated_at"]}

    @pytest.mark.parametrize("status", ["ABORTED", "FAILED"])
    def test_pending_order_younger_than_the_execution_time_limit_stays_pending(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB, status: str
    ) -> None:
        TestProcessOrder.store(dynamodb, self.aged(STANDARD_TIMEOUT_S - 60))
        before = dynamodb.item("orders", ORDER_ID)
        assert fail_order(self.ended(status)) == {"failed": False}
        assert dynamodb.item("orders", ORDER_ID) == before

    @pytest.mark.parametrize("status", ["CONFIRMED", "REJECTED", "FAILED", "CANCELLED"])
    def test_fail_order_does_not_change_an_order_that_is_not_pending(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB, status: str
    ) -> None:
        TestProcessOrder.store(dynamodb, order(status=status))
        before = dynamodb.item("orders", ORDER_ID)
        assert fail_order(self.ended("FAILED", "OutOfStock")) == {"failed": False}
        assert dynamodb.item("orders", ORDER_ID) == before

    def test_fail_order_waits_for_a_running_transaction(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        TestProcessOrder.store(dynamodb, self.aged(STANDARD_TIMEOUT_S))
        dynamodb.faults.refuse("update_item", "TransactionConflictException", times=5)
        assert fail_order(self.ended()) == {"failed": True}

    def test_fail_order_creates_no_row_for_a_missing_order(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        assert fail_order(self.ended()) == {"failed": False}
        assert dynamodb.tables["orders"].items == {}

    def test_fail_order_changes_the_status_once_if_the_sdk_retries_the_write(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        TestProcessOrder.store(dynamodb, self.aged(STANDARD_TIMEOUT_S))
        dynamodb.faults.lose_answer("update_item")
        fail_order(self.ended())
        assert [change["dynamodb"]["NewImage"]["status"]["S"] for change in dynamodb.tables["orders"].stream] == [
            "PENDING",
            "FAILED",
        ]

    def test_dynamodb_error_fails_the_invocation(self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
        dynamodb.faults.refuse("update_item", "InternalServerError")
        with pytest.raises(Exception, match="InternalServerError"):
            fail_order(self.ended())
