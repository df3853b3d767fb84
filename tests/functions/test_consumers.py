"""process_order and send_email: what events lead to, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from shared import rows
from shared.domain.orders import Order, new_order, request_hash
from shared.domain.times import timestamp
from shared.errors import MailRefused, OrderNotFound, OrderUndecided
from shared.events import DETAIL_TYPES, detail_of
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeSes, FakeStepFunctions
from tests.functions.conftest import Load

ORDER_ID = "00000000-0000-4000-8000-000000000001"
ADDRESS = "ada@example.com"


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


class TestSendEmail:
    @pytest.fixture
    def send_email(self, load: Load) -> LoadedFunction:
        return load("send_email")

    @pytest.fixture(autouse=True)
    def profile(self, dynamodb: FakeDynamoDB) -> None:
        user: Any = {"user_id": USER, "name": "Ada", "email": ADDRESS, "created_at": "2026-01-02T03:04:05.678Z"}
        dynamodb.put("users", rows.user_row(user, request_id="r"))

    def test_the_mail_goes_from_the_sender_to_the_profiles_address(
        self, send_email: LoadedFunction, ses: FakeSes
    ) -> None:
        assert send_email(event(order())) == {"sent": True}
        (mail,) = ses.sent
        assert mail["FromEmailAddress"] == "orders@example.com"
        assert mail["Destination"] == {"ToAddresses": [ADDRESS]}

    @pytest.mark.parametrize(
        ("changes", "subject", "says"),
        [
            ({}, "Your order is received", "2 x tea"),
            ({"status": "CONFIRMED", "total": 1200, "currency": "JPY"}, "Your order is confirmed", "1,200 JPY"),
            (
                {"status": "REJECTED", "reason": {"code": "OutOfStock", "message": "none left"}},
                "Your order is rejected",
                "none left",
            ),
            ({"status": "CANCELLED"}, "Your order is cancelled", ORDER_ID),
        ],
    )
    def test_each_status_has_its_mail(
        self, send_email: LoadedFunction, ses: FakeSes, changes: dict[str, Any], subject: str, says: str
    ) -> None:
        send_email(event(order(**changes)))
        content = ses.sent[0]["Content"]["Simple"]
        assert content["Subject"]["Data"] == subject
        assert says in content["Body"]["Text"]["Data"]

    def test_the_cause_of_our_own_faults_is_not_mailed(self, send_email: LoadedFunction, ses: FakeSes) -> None:
        send_email(event(order(status="FAILED", reason={"code": "InternalError", "message": "DynamoDB said no"})))
        assert "DynamoDB" not in json.dumps(ses.sent)

    def test_an_event_that_comes_twice_is_one_mail(
        self, send_email: LoadedFunction, ses: FakeSes, counted: Callable[[], dict[str, int]]
    ) -> None:
        again = event(order())
        assert send_email(again) == send_email(again) == {"sent": True}
        assert len(ses.sent) == 1
        assert counted() == {"MailSent": 1}

    def test_each_event_of_an_order_is_its_own_mail(self, send_email: LoadedFunction, ses: FakeSes) -> None:
        send_email(event(order()))
        send_email(event(order(status="CANCELLED")))
        assert len(ses.sent) == 2

    def test_a_mail_that_was_refused_is_sent_when_the_event_comes_again(
        self, send_email: LoadedFunction, ses: FakeSes
    ) -> None:
        ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
        with pytest.raises(MailRefused, match="MessageRejected"):
            send_email(event(order()))
        assert send_email(event(order())) == {"sent": True}
        assert len(ses.sent) == 1

    def test_what_the_failure_queue_learns_does_not_name_the_recipient(
        self, send_email: LoadedFunction, ses: FakeSes
    ) -> None:
        ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
        with pytest.raises(MailRefused) as refused:
            send_email(event(order()))
        assert ADDRESS not in str(refused.value)
        assert refused.value.__context__ is None

    def test_without_a_profile_no_mail_is_sent_and_that_is_counted_once(
        self, send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
    ) -> None:
        dynamodb.tables["users"].items.clear()
        assert send_email(event(order())) == send_email(event(order())) == {"sent": False}
        assert ses.sent == []
        assert counted() == {"MailSkipped": 1}

    def test_the_idempotency_record_holds_nothing_personal(
        self, send_email: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        send_email(event(order()))
        (record,) = dynamodb.tables["idempotency"].items.values()
        assert set(record) == {"id", "expiration", "status", "data", "in_progress_expiration"}
        assert record["data"] == {"S": '{"sent": true}'}

    def test_a_mail_whose_claim_the_sdk_repeated_is_sent_when_the_event_comes_again(
        self, send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
    ) -> None:
        dynamodb.faults.lose_answer("put_item")
        with pytest.raises(IdempotencyAlreadyInProgressError):
            send_email(event(order()))
        (record,) = dynamodb.tables["idempotency"].items.values()
        claimed_until_s = int(record["in_progress_expiration"]["N"]) / 1000
        assert claimed_until_s - datetime.now(UTC).timestamp() <= 10  # the invocation's time limit
        record["in_progress_expiration"] = {"N": "1"}
        assert send_email(event(order())) == {"sent": True}
        assert len(ses.sent) == 1

    def test_the_record_outlives_the_archive_of_events(
        self, send_email: LoadedFunction, dynamodb: FakeDynamoDB
    ) -> None:
        send_email(event(order()))
        (record,) = dynamodb.tables["idempotency"].items.values()
        kept = datetime.fromtimestamp(int(record["expiration"]["N"]), UTC) - datetime.now(UTC)
        assert kept > timedelta(days=100)

    def test_an_event_without_an_id_is_not_mailed(self, send_email: LoadedFunction, ses: FakeSes) -> None:
        broken = event(order())
        broken["detail"]["event_id"] = None
        with pytest.raises(Exception, match="idempotency_key"):
            send_email(broken)
        assert ses.sent == []
