"""Tests that logs, traces and failure queues contain order ids, but no personal data and no request bodies."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from shared import aws, rows
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.gateway import OTHER_USER, USER, Request, rest_event
from tests.fakes.messages import batch
from tests.fakes.services import FakeEventBridge, FakeSes, FakeSqs
from tests.functions.conftest import Api, Load
from tests.support.graph import ROOT

NAME, ADDRESS, WORD = "Ada Lovelace", "ada.lovelace@example.com", "a-word-of-the-body"
PRICES = [{"product_id": "tea", "unit_price": 500, "currency": "JPY"}]
Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def everything_logged(logs: Logs, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Return a function that returns all text that Lambda would write to the log group, including printed text."""
    others = io.StringIO()
    handler = logging.StreamHandler(others)
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: json.dumps(logs(), ensure_ascii=False) + others.getvalue() + "".join(capsys.readouterr())
    root.removeHandler(handler)


def create_user(**body: Any) -> Request:
    return Request(method="POST", path="/users", body={"name": NAME, "email": ADDRESS, **body}, email=ADDRESS)


def place(*lines: dict[str, Any], **others: Any) -> Request:
    items = list(lines) or [{"product_id": "tea", "quantity": 2}]
    return Request(method="POST", path="/orders", body={"items": items, **others})


def about(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "detail-type": "OrderCreated",
        "detail": {"event_id": f"{order['order_id']}:PENDING", "order": order},
    }


class TestNothingPersonal:
    def test_profile_requests_log_no_personal_data(self, users_api: Api, everything_logged: Callable[[], str]) -> None:
        users_api(create_user())
        users_api(create_user())
        users_api(Request(method="GET", path=f"/users/{USER}"))
        users_api(Request(method="GET", path=f"/users/{USER}", user_id=OTHER_USER))
        logged = everything_logged()
        assert "UserAlreadyExists" in logged
        assert NAME not in logged
        assert ADDRESS not in logged

    @pytest.mark.parametrize("change", [{"email": WORD}, {WORD: 1}, {"name": WORD * 30}, {"name": {WORD: 1}}])
    def test_rejected_profile_logs_nothing_from_its_body(
        self, users_api: Api, everything_logged: Callable[[], str], change: dict[str, Any]
    ) -> None:
        assert users_api(create_user(**change)).status == 400
        logged = everything_logged()
        assert "ValidationError" in logged
        for word in (WORD, NAME, ADDRESS):
            assert word not in logged

    def test_unexpected_error_logs_no_personal_data(
        self, users_api: Api, dynamodb: FakeDynamoDB, everything_logged: Callable[[], str]
    ) -> None:
        dynamodb.faults.refuse("put_item", "AccessDeniedException")
        assert users_api(create_user()).status == 500
        logged = everything_logged()
        assert "AccessDeniedException" in logged
        assert NAME not in logged
        assert ADDRESS not in logged

    @pytest.mark.parametrize("request_", [place({"product_id": f"!{WORD}", "quantity": 1}), place(**{WORD: WORD})])
    def test_rejected_order_logs_nothing_from_its_body(
        self, orders_api: Api, everything_logged: Callable[[], str], request_: Request
    ) -> None:
        answer = orders_api(request_)
        assert answer.status == 400
        assert WORD not in json.dumps(answer.body)
        assert WORD not in everything_logged()

    def test_rejected_synchronous_order_logs_nothing_from_its_body(
        self, load: Load, everything_logged: Callable[[], str]
    ) -> None:
        content = {"items": [{"product_id": f"!{WORD}", "quantity": 1}]}
        with pytest.raises(Exception, match=r"items\[0\].product_id") as refused:
            load("validate_order")({"request": {"user_id": USER, "content": content}})
        assert WORD not in str(refused.value)
        assert WORD not in everything_logged()

    def test_sent_email_logs_no_recipient(
        self, users_api: Api, orders_api: Api, load: Load, everything_logged: Callable[[], str]
    ) -> None:
        users_api(create_user())
        load("send_email")(batch(about(orders_api(place()).body)))
        logged = everything_logged()
        assert "email sent" in logged
        assert NAME not in logged
        assert ADDRESS not in logged

    def test_refused_email_logs_no_recipient(
        self, load: Load, dynamodb: FakeDynamoDB, ses: FakeSes, sqs: FakeSqs, everything_logged: Callable[[], str]
    ) -> None:
        user: Any = {"user_id": USER, "name": NAME, "email": ADDRESS, "created_at": ""}
        dynamodb.put("users", rows.user_row(user, request_id="r"))
        ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
        accepted = load("orders_api")(rest_event(place()))
        load("send_email")(batch(about(json.loads(accepted["body"]))))
        # send_email also sends the error message to the failure queue, so the test searches this message for personal
        # data too.
        logged = everything_logged() + json.dumps([sent["MessageAttributes"] for sent in sqs.sent])
        assert "MessageRejected" in logged
        assert NAME not in logged
        assert ADDRESS not in logged

    def test_invalid_row_logs_none_of_its_values(self, load: Load, everything_logged: Callable[[], str]) -> None:
        poison: dict[str, Any] = {
            "order_id": {"S": "1"},
            "user_id": {"S": USER},
            "status": {"S": WORD},
            "items": {"L": []},
        }
        image = {**poison, "created_at": {"S": ""}, "updated_at": {"S": ""}}
        load("publish_order_events")({"Records": [{"dynamodb": {"SequenceNumber": "1", "NewImage": image}}]})
        logged = everything_logged()
        assert "record set aside" in logged
        assert WORD not in logged

    def test_aws_client_with_silent_errors_raises_errors_without_the_message_of_aws(self) -> None:
        # Without `silent_errors`, the tracer would write the error message of a failed call into the trace. Error
        # messages of SES contain email addresses.
        client: Any = aws.client("sesv2", silent_errors=True)
        stubbed = Stubber(client)
        stubbed.add_client_error("send_email", "MessageRejected", f"not verified: {ADDRESS}", 400)
        with stubbed, pytest.raises(ClientError) as refused:
            client.send_email(Destination={"ToAddresses": [ADDRESS]}, Content={})
        assert aws.error_code(refused.value) == "MessageRejected"
        assert ADDRESS not in str(refused.value) + json.dumps(refused.value.response)

    def test_client_error_is_logged_without_traceback(
        self, orders_api: Api, everything_logged: Callable[[], str]
    ) -> None:
        orders_api(place({"product_id": "tea", "quantity": 0}))
        assert "Traceback" not in everything_logged()


class TestCorrelation:
    def test_order_id_is_correlation_id_in_every_function(
        self,
        load: Load,
        clients: dict[str, Any],
        stock: Callable[..., None],
        logs: Logs,
    ) -> None:
        dynamodb: FakeDynamoDB = clients["dynamodb"]
        eventbridge: FakeEventBridge = clients["events"]
        stock("tea")
        order = json.loads(load("orders_api")(rest_event(place()))["body"])
        load("publish_order_events")({"Records": dynamodb.tables["orders"].stream})
        entry = eventbridge.entries[0]
        event = {"detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
        load("process_order")(event)
        valid = load("validate_order")({"order": order})["order"]
        load("update_inventory")({"order": valid, "products": PRICES})
        load("send_email")(batch(event))
        body = json.dumps({**event["detail"], "detail_type": "OrderCreated"})
        load("record_analytics")(batch(body, group="o"))
        followed = {record["function_name"] for record in logs() if record["correlation_id"] == order["order_id"]}
        assert followed == {
            "orders_api",
            "publish_order_events",
            "process_order",
            "validate_order",
            "update_inventory",
            "send_email",
            "record_analytics",
        }

    def test_request_without_an_order_uses_its_request_id_as_correlation_id(self, users_api: Api, logs: Logs) -> None:
        users_api(Request(method="GET", path=f"/users/{USER}"))
        assert {(record["correlation_id"], record["request_id"]) for record in logs()} == {
            ("gateway-request", "gateway-request")
        }

    def test_log_keys_are_cleared_between_invocations(self, orders_api: Api, logs: Logs) -> None:
        order_id = orders_api(place()).body["order_id"]
        orders_api(Request(method="GET", path="/orders", query={"limit": "0"}))
        assert logs()[-1]["correlation_id"] != order_id
        assert "order_id" not in logs()[-1]

    def test_log_messages_are_constant(self) -> None:
        """If a message is constant, one query finds all log lines with this message.

        Varying values belong in other keys of the JSON log line.
        """
        for path in (ROOT / "functions").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.") and node.args:
                    name = ast.unparse(node.func).removeprefix("logger.")
                    if name in {"debug", "info", "warning", "error", "exception"}:
                        assert isinstance(node.args[0], ast.Constant), f"{path.name}: {ast.unparse(node)}"


def test_handlers_have_the_same_decorators_in_the_same_order() -> None:
    found: dict[str, list[str]] = {}
    handlers = sorted((ROOT / "functions").glob("*/handler.py"))
    for path in handlers:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == "lambda_handler":
                found[path.parent.name] = [ast.unparse(decorator) for decorator in node.decorator_list]
    assert list(found) == [path.parent.name for path in handlers]
    assert set(map(tuple, found.values())) == {
        (
            "logger.inject_lambda_context(clear_state=True)",
            # Without these arguments, traces would contain the response to each request (for example, a profile) and
            # the error of each failed request.
            "tracer.capture_lambda_handler(capture_response=False, capture_error=False)",
            "metrics.log_metrics(capture_cold_start_metric=True)",
        )
    }
