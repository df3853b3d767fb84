"""process_order and fail_order: what events lead to, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import rows
from shared.domain.orders import Order, new_order, request_hash
from shared.domain.times import timestamp
from shared.errors import OrderNotFound, OrderUndecided, ValidationError
from shared.events import DETAIL_TYPES, detail_of
from shared.order_store import OUR_FAULT
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeStepFunctions
from tests.functions.conftest import Load

ORDER_ID = "00000000-0000-4000-8000-000000000001"


def order(**changes: Any) -> Order:
    made: Any = new_order(ORDER_ID, USER, [{"product_id": "tea", "quantity": 2}], datetime.now(UTC))
    return made | changes


def event(about: Order) -> dict[str, Any]:
    """Return what EventBridge invokes a function with."""
    return {
        "version": "0",
        "id": "changes with every delivery",
        "source": "orders.api",
        "detail-type": DETAIL_TYPES[about["status"]],
        "detail": detail_of(about),
    }


NO_EVENTS: list[Any] = [
    None,
    [],
    {},
    {"detail": None},
    {"detail-type": "OrderCreated"},
    {"detail-type": "OrderCreated", "detail": []},
    {"detail-type": "OrderCreated", "detail": {"event_id": "1", "order": {}}},
    {"detail-type": ["OrderCreated"], "detail": {}},
    event(order()) | {"detail-type": "OrderShipped"},
    event(order()) | {"detail-type": "OrderConfirmed"},
    event(order(order_id="1")),
    event(order(items=[])),
    event(order(unknown=1)),
]


@pytest.mark.parametrize("function", ["process_order", "send_email"])
@pytest.mark.parametrize("sent", NO_EVENTS)
def test_what_is_no_event_of_the_contracts_goes_to_the_failure_queue_with_that_reason(
    load: Load, dynamodb: FakeDynamoDB, clients: dict[str, Any], function: str, sent: Any
) -> None:
    with pytest.raises(ValidationError):
        load(function)(sent)
    assert [client for client in clients.values() if client.faults.calls] == []
    assert [table for table in dynamodb.tables.values() if table.items] == []


class TestProcessOrder:
    @pytest.fixture
    def process_order(self, load: Load) -> LoadedFunction:
        return load("process_order")

    @staticmethod
    def store(dynamodb: FakeDynamoDB, stands: Order, *, synchronous: bool = False) -> None:
        row = rows.order_row(stands, request_hash=request_hash(stands["items"]), synchronous=synchronous)
        dynamodb.put("orders", row)

    def test_an_accepted_order_starts_one_execution_under_its_id(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        accepted = order()
        self.store(dynamodb, accepted)
        assert process_order(event(accepted)) == {"started": True}
        (execution,) = stepfunctions.executions.values()
        assert (execution["stateMachineArn"], execution["name"]) == ("arn:standard", ORDER_ID)
        assert json.loads(execution["input"]) == {"order": accepted}

    def test_an_execution_that_exists_is_success(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order())
        process_order(event(order()))
        assert process_order(event(order())) == {"started": True}
        assert len(stepfunctions.executions) == 1

    @pytest.mark.parametrize("status", ["CONFIRMED", "REJECTED", "FAILED", "CANCELLED"])
    def test_a_decided_order_starts_nothing(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions, status: str
    ) -> None:
        self.store(dynamodb, order(status=status))
        assert process_order(event(order())) == {"started": False}
        assert stepfunctions.executions == {}

    def test_the_row_and_not_the_event_says_what_is_ordered(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        stands = order()
        self.store(dynamodb, stands)
        process_order(event(order(items=[{"product_id": "gold", "quantity": 1000}])))
        assert json.loads(stepfunctions.executions[ORDER_ID]["input"]) == {"order": stands}

    def test_an_order_of_process_is_left_to_its_own_execution_for_half_a_minute(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order(), synchronous=True)
        with pytest.raises(OrderUndecided):
            process_order(event(order()))
        assert stepfunctions.executions == {}

    def test_an_order_of_process_whose_execution_died_is_taken_over(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        old = order(created_at=timestamp(datetime.now(UTC) - timedelta(seconds=31)))
        self.store(dynamodb, old, synchronous=True)
        assert process_order(event(old)) == {"started": True}
        assert list(stepfunctions.executions) == [ORDER_ID]

    def test_an_order_without_a_row_goes_to_the_failure_queue(self, process_order: LoadedFunction) -> None:
        with pytest.raises(OrderNotFound):
            process_order(event(order()))

    def test_any_other_refusal_is_repeated_by_lambda(
        self, process_order: LoadedFunction, dynamodb: FakeDynamoDB, stepfunctions: FakeStepFunctions
    ) -> None:
        self.store(dynamodb, order())
        stepfunctions.faults.refuse("start_execution", "ExecutionLimitExceeded")
        with pytest.raises(Exception, match="ExecutionLimitExceeded"):
            process_order(event(order()))


class TestFailOrder:
    """An execution ended, for whatever reason."""

    @pytest.fixture
    def fail_order(self, load: Load) -> LoadedFunction:
        return load("fail_order")

    @staticmethod
    def ended(status: str = "ABORTED", error: str | None = None) -> dict[str, Any]:
        """Return what Step Functions tells of it."""
        detail = {"name": ORDER_ID, "status": status, "error": error, "stateMachineArn": "arn:standard"}
        return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}

    @pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
    def test_an_order_that_is_still_pending_has_failed(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB, status: str
    ) -> None:
        TestProcessOrder.store(dynamodb, before := order())
        assert fail_order(self.ended(status)) == {"failed": True}
        stands = rows.order_of(dynamodb.item("orders", ORDER_ID) or {})
        assert stands["updated_at"] >= before["updated_at"]
        assert stands == {**before, "status": "FAILED", "reason": OUR_FAULT, "updated_at": stands["updated_at"]}

    @pytest.mark.parametrize("status", ["CONFIRMED", "REJECTED", "FAILED", "CANCELLED"])
    def test_an_order_that_is_decided_is_left_as_it_is(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB, status: str
    ) -> None:
        TestProcessOrder.store(dynamodb, order(status=status))
        before = dynamodb.item("orders", ORDER_ID)
        assert fail_order(self.ended("FAILED", "OutOfStock")) == {"failed": False}
        assert dynamodb.item("orders", ORDER_ID) == before

    def test_no_row_is_made_for_an_order_that_there_is_not(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        assert fail_order(self.ended()) == {"failed": False}
        assert dynamodb.tables["orders"].items == {}

    def test_its_own_write_repeated_by_the_sdk_changes_nothing(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        TestProcessOrder.store(dynamodb, order())
        dynamodb.faults.lose_answer("update_item")
        fail_order(self.ended())
        assert [change["dynamodb"]["NewImage"]["status"]["S"] for change in dynamodb.tables["orders"].stream] == [
            "PENDING",
            "FAILED",
        ]

    def test_what_dynamodb_refuses_is_repeated_by_lambda(
        self, fail_order: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        dynamodb.faults.refuse("update_item", "InternalServerError")
        with pytest.raises(Exception, match="InternalServerError"):
            fail_order(self.ended())
