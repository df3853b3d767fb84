"""Tests that send_email sends one email per event, in sequence, even if responses are lost or invocations fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ReadTimeoutError

from contracts.queues import RECEIVED_AT_MOST
from shared import rows
from tests.fakes import messages
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeSes, FakeSqs
from tests.functions.conftest import ENVIRONMENT, Load
from tests.functions.test_consumers import INVALID_EVENTS, ORDER_ID, event, order

ADDRESS = "ada@example.com"
CONFIRMED: dict[str, Any] = {
    "status": "CONFIRMED",
    "items": [{"product_id": "tea", "quantity": 2, "unit_price": 600}],
    "total": 1200,
    "currency": "JPY",
}


@pytest.fixture
def send_email(load: Load) -> LoadedFunction:
    return load("send_email")


@pytest.fixture(autouse=True)
def profile(dynamodb: FakeDynamoDB) -> None:
    user: Any = {"user_id": USER, "name": "Ada", "email": ADDRESS, "created_at": "2026-01-02T03:04:05.678Z"}
    dynamodb.put("users", rows.user_row(user, request_id="r"))


def deliver(send_email: LoadedFunction, *bodies: Any, received: int = 1) -> list[str]:
    """Deliver `bodies` as one batch of messages. Return the ids of the messages that SQS must deliver again."""
    delivery = messages.batch(*bodies, received=received)
    try:
        answer = send_email(delivery)
    except BatchProcessingError:
        # Powertools raises this error if no message could be handled. SQS then delivers all messages again.
        return [record["messageId"] for record in delivery["Records"]]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def subjects(ses: FakeSes) -> list[str]:
    """Return the last word of each sent email's subject, in the sequence in which the emails were sent."""
    return [email["Content"]["Simple"]["Subject"]["Data"].rpartition(" ")[2] for email in ses.sent]


def test_email_goes_from_sender_to_profile_address(send_email: LoadedFunction, ses: FakeSes) -> None:
    assert deliver(send_email, event(order())) == []
    (email,) = ses.sent
    assert email["FromEmailAddress"] == "orders@example.com"
    assert email["Destination"] == {"ToAddresses": [ADDRESS]}


@pytest.mark.parametrize(
    ("changes", "subject", "text"),
    [
        ({}, "Your order is received", "2 x tea"),
        (CONFIRMED, "Your order is confirmed", "1,200 JPY"),
        (
            {"status": "REJECTED", "reason": {"code": "OutOfStock", "message": "none left"}},
            "Your order is rejected",
            "none left",
        ),
        ({"status": "CANCELLED"}, "Your order is cancelled", ORDER_ID),
    ],
)
def test_each_status_has_its_own_email(
    send_email: LoadedFunction, ses: FakeSes, changes: dict[str, Any], subject: str, text: str
) -> None:
    deliver(send_email, event(order(**changes)))
    content = ses.sent[0]["Content"]["Simple"]
    assert content["Subject"]["Data"] == subject
    assert text in content["Body"]["Text"]["Data"]


def test_email_hides_the_cause_of_internal_errors(send_email: LoadedFunction, ses: FakeSes) -> None:
    deliver(send_email, event(order(status="FAILED", reason={"code": "InternalError", "message": "DynamoDB said no"})))
    assert "DynamoDB" not in json.dumps(ses.sent)


def test_event_delivered_twice_sends_one_email(
    send_email: LoadedFunction, ses: FakeSes, counted: Callable[[], dict[str, int]]
) -> None:
    again = event(order())
    assert deliver(send_email, again, again) == deliver(send_email, again) == []
    assert len(ses.sent) == 1
    assert counted() == {"MailSent": 1}


def test_emails_of_an_order_follow_its_statuses(send_email: LoadedFunction, ses: FakeSes) -> None:
    deliver(send_email, event(order()), event(order(**CONFIRMED)), event(order(**{**CONFIRMED, "status": "CANCELLED"})))
    assert subjects(ses) == ["received", "confirmed", "cancelled"]


@pytest.mark.parametrize(
    ("deliveries", "sent"),
    [
        (["CONFIRMED", "PENDING"], ["confirmed"]),
        (["CANCELLED", "CONFIRMED", "PENDING"], ["cancelled"]),
        (["PENDING", "CANCELLED", "CONFIRMED"], ["received", "cancelled"]),
        (["CONFIRMED", "PENDING", "CANCELLED"], ["confirmed", "cancelled"]),
    ],
)
def test_late_email_about_an_earlier_status_is_not_sent(
    send_email: LoadedFunction, ses: FakeSes, deliveries: list[str], sent: list[str]
) -> None:
    for status in deliveries:
        changes = {} if status == "PENDING" else {**CONFIRMED, "status": status}
        assert deliver(send_email, event(order(**changes))) == []
    assert subjects(ses) == sent


def test_later_email_waits_while_an_earlier_email_is_sent(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    claimed(dynamodb, for_s=5)
    assert deliver(send_email, event(order(**CONFIRMED))) == ["m0"]
    assert ses.sent == []


def test_cancellation_of_a_pending_order_writes_no_claim_for_a_confirmation_email(
    send_email: LoadedFunction, dynamodb: FakeDynamoDB
) -> None:
    deliver(send_email, event(order()), event(order(status="CANCELLED")))
    assert {*dynamodb.tables["idempotency"].items} == {f"{ORDER_ID}:PENDING", f"{ORDER_ID}:CANCELLED"}


FINAL_ERRORS = ("BadRequestException", "MessageRejected")
_SEND_EMAIL: Any = botocore.session.get_session().get_service_model("sesv2").operation_model("SendEmail")
SES_ERRORS: list[str] = [shape.error_code for shape in _SEND_EMAIL.error_shapes]


def test_refusals_module_classifies_every_error_code_of_ses_send_email(send_email: LoadedFunction) -> None:
    errors = send_email.module.refusals.ERRORS
    assert {*SES_ERRORS} <= {*errors}
    assert {code for code, (end, _) in errors.items() if end == "final"} == {*FINAL_ERRORS}


@pytest.mark.parametrize("code", FINAL_ERRORS)
def test_refused_email_moves_to_the_failure_queue_immediately(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs, code: str
) -> None:
    ses.faults.refuse("send_email", client_error(code, "SendEmail", f"not verified: {ADDRESS}"))
    about = json.dumps(event(order()))
    assert deliver(send_email, about) == []
    (aside,) = sqs.sent
    assert (aside["QueueUrl"], aside["MessageBody"]) == (ENVIRONMENT["FAILURE_QUEUE_URL"], about)
    assert {name: value["StringValue"] for name, value in aside["MessageAttributes"].items()} == {
        "ERROR_CODE": "MailRefused",
        "ERROR_MESSAGE": f"email: SES returned {code}",
    }
    # The failure queue is a standard queue, so the message must have no group id and no deduplication id.
    assert not {"MessageGroupId", "MessageDeduplicationId"} & {*aside}
    # Deliver the message again, as `make redrive` would. This time, SES accepts the email.
    assert deliver(send_email, aside["MessageBody"]) == []
    assert len(ses.sent) == 1


@pytest.mark.parametrize(
    "error",
    [
        *sorted({*SES_ERRORS} - {*FINAL_ERRORS}),
        *("Throttling", "AccessDeniedException", "NeverSeenBefore"),
        ReadTimeoutError(endpoint_url="https://email"),
        KeyError("a fault of a new release"),
    ],
)
def test_transient_error_returns_the_message_to_the_queue(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs, error: Exception | str
) -> None:
    ses.faults.refuse("send_email", error, times=2)
    assert deliver(send_email, event(order())) == ["m0"]
    assert deliver(send_email, event(order()), received=RECEIVED_AT_MOST - 1) == ["m0"]
    assert sqs.sent == []
    assert 150 <= sqs.pauses_s["r0"] <= 300
    assert deliver(send_email, event(order())) == []
    assert len(ses.sent) == 1


def test_message_moves_to_the_failure_queue_after_its_last_attempt(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs
) -> None:
    ses.faults.refuse("send_email", "Throttling")
    assert deliver(send_email, event(order()), received=RECEIVED_AT_MOST) == []
    (aside,) = sqs.sent
    assert aside["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "MailDelayed"


def test_refused_email_stays_in_the_queue_without_permission_to_move_it(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs
) -> None:
    ses.faults.refuse("send_email", "MessageRejected")
    sqs.faults.refuse("send_message", "AccessDenied")
    assert deliver(send_email, event(order())) == ["m0"]


def test_one_failed_email_does_not_delay_the_others_of_its_batch(send_email: LoadedFunction, ses: FakeSes) -> None:
    ses.faults.refuse("send_email", "Throttling")
    other = event(order(order_id=f"{ORDER_ID[:-1]}2"))
    assert deliver(send_email, event(order()), other) == ["m0"]
    assert len(ses.sent) == 1


def test_batch_ends_before_the_time_limit(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_ms = iter([7_000] * 9)

    def left(_: Any) -> int:
        return next(left_ms)

    monkeypatch.setattr("tests.fakes.runtime.Context.get_remaining_time_in_millis", left)
    others = [event(order(order_id=f"{ORDER_ID[:-1]}{number}")) for number in (2, 3)]
    assert deliver(send_email, event(order()), *others) == ["m1", "m2"]
    assert len(ses.sent) == 1
    assert sqs.sent == []


def test_event_delivered_without_a_queue_as_in_release_0_1_0_is_put_into_the_queue(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs
) -> None:
    send_email(event(order()))
    (sent,) = sqs.sent
    assert sent == {"QueueUrl": ENVIRONMENT["QUEUE_URL"], "MessageBody": sent["MessageBody"]}
    assert ses.sent == []
    assert deliver(send_email, sent["MessageBody"]) == []
    assert len(ses.sent) == 1


def test_error_does_not_contain_the_recipient(
    send_email: LoadedFunction, ses: FakeSes, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
    deliver(send_email, event(order()))
    assert "message set aside" in [record["message"] for record in logs()]
    assert ADDRESS not in json.dumps(logs())


def test_email_to_a_user_without_a_profile_is_skipped_and_counted_once(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
) -> None:
    dynamodb.tables["users"].items.clear()
    assert deliver(send_email, event(order()), event(order())) == []
    assert ses.sent == []
    assert counted() == {"MailSkipped": 1}


def test_profile_with_an_unverified_address_receives_no_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
) -> None:
    """A profile from release 0.1.0 lacks `email_verified`, and can contain an address that nobody verified."""
    del dynamodb.tables["users"].items[USER]["email_verified"]
    assert deliver(send_email, event(order())) == []
    assert ses.sent == []
    assert counted() == {"MailSkipped": 1}


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Ada", "Hello Ada,"),
        ("J.R.R.Tolkien", "Hello J. R. R. Tolkien,"),
        ("t.co/x", "Hello t. co/x,"),
        ("山田。co", "Hello 山田。 co,"),
        ("Ada\nYour account is locked", "Hello,"),
        ("\u202eAda", "Hello,"),
        ("A\u200bda", "Hello,"),
        ("http://evil.example", "Hello,"),
        ("evil.example/x", "Hello,"),
        ("ada@evil.example", "Hello,"),
    ],
)
def test_email_shows_a_stored_name_in_one_line_without_links(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, name: str, greeting: str
) -> None:
    dynamodb.tables["users"].items[USER]["name"] = {"S": name}
    deliver(send_email, event(order()))
    assert text_of(ses).splitlines()[:2] == [greeting, ""]


def test_email_shows_a_reason_in_one_line_without_links(send_email: LoadedFunction, ses: FakeSes) -> None:
    message = "none left\r\n\u2028Pay at http://evil.example\u202e or www.evil.example, a@b.cd, \\\\evil\\x"
    deliver(send_email, event(order(status="REJECTED", reason={"code": "OutOfStock", "message": message})))
    expected = "Reason: none left Pay at http: //evil. example or www. evil. example, a@ b. cd, \\ \\ evil\\ x"
    assert text_of(ses).splitlines()[-1] == expected


def text_of(ses: FakeSes) -> str:
    (email,) = ses.sent
    return email["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_email_claim_contains_no_personal_data(send_email: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
    deliver(send_email, event(order()))
    row = row_of(dynamodb)
    assert set(row) == {"id", "status", "claim", "claimed_until", "expiration"}
    assert (row["id"], row["status"]) == ({"S": f"{ORDER_ID}:PENDING"}, {"S": "DONE"})


def test_email_claim_is_kept_for_the_configured_number_of_days(
    send_email: LoadedFunction, dynamodb: FakeDynamoDB
) -> None:
    deliver(send_email, event(order()))
    kept = datetime.fromtimestamp(int(row_of(dynamodb)["expiration"]["N"]), UTC) - datetime.now(UTC)
    assert timedelta(0) <= timedelta(days=int(ENVIRONMENT["REMEMBERED_DAYS"])) - kept < timedelta(minutes=1)


def row_of(dynamodb: FakeDynamoDB) -> dict[str, Any]:
    """Return the only row of the idempotency table."""
    (row,) = dynamodb.tables["idempotency"].items.values()
    return row


def claimed(dynamodb: FakeDynamoDB, *, for_s: float) -> None:
    """Write a claim of another invocation into the idempotency table. The claim expires in `for_s` seconds."""
    until = datetime.now(UTC) + timedelta(seconds=for_s)
    row = {"id": {"S": f"{ORDER_ID}:PENDING"}, "status": {"S": "CLAIMED"}, "claim": {"S": "another one's"}}
    times = {"claimed_until": {"N": str(int(until.timestamp() * 1000))}, "expiration": {"N": "9999999999"}}
    dynamodb.put("idempotency", row | times)


def test_claim_of_another_invocation_blocks_the_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    claimed(dynamodb, for_s=5)
    assert deliver(send_email, event(order())) == ["m0"]
    assert ses.sent == []


def test_expired_claim_does_not_block_the_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    claimed(dynamodb, for_s=-0.1)
    assert deliver(send_email, event(order())) == []
    assert len(ses.sent) == 1
    assert row_of(dynamodb)["status"] == {"S": "DONE"}


def test_claim_lasts_until_the_invocation_timeout(send_email: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
    began = datetime.now(UTC)
    deliver(send_email, event(order()))
    left_s = int(row_of(dynamodb)["claimed_until"]["N"]) / 1000 - began.timestamp()
    assert 9.9 <= left_s <= 12  # The fake Lambda context reports that 10 s remain until the timeout.


@pytest.mark.parametrize("operation", ["put_item", "update_item"])
def test_sdk_retry_recognizes_its_own_claim(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, operation: str
) -> None:
    dynamodb.faults.lose_answer(operation)
    assert deliver(send_email, event(order()), event(order())) == []
    assert len(ses.sent) == 1


def test_delayed_claim_does_not_overwrite_the_status_done(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    """On a slow network, the SDK's first attempt can arrive after its retry, when the claim is already DONE."""
    deliver(send_email, event(order()))
    (first,) = dynamodb.faults.of("put_item")
    with pytest.raises(Exception, match="conditional"):
        dynamodb.put_item(**first)
    assert deliver(send_email, event(order())) == []
    assert len(ses.sent) == 1


def test_delayed_release_of_a_claim_does_not_end_another_claim(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    ses.faults.refuse("send_email", "InternalServiceError")
    assert deliver(send_email, event(order())) == ["m0"]
    (late,) = dynamodb.faults.of("update_item")
    claimed(dynamodb, for_s=5)
    with pytest.raises(Exception, match="conditional"):
        dynamodb.update_item(**late)
    assert deliver(send_email, event(order())) == ["m0"]


def test_failed_release_of_a_claim_does_not_hide_the_error_of_ses(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs, dynamodb: FakeDynamoDB
) -> None:
    ses.faults.refuse("send_email", "MessageRejected")
    dynamodb.faults.refuse("update_item", "InternalServerError")
    assert deliver(send_email, event(order())) == []
    assert [sent["MessageAttributes"]["ERROR_CODE"]["StringValue"] for sent in sqs.sent] == ["MailRefused"]


@pytest.mark.parametrize("error", ["InternalServerError", ReadTimeoutError(endpoint_url="https://dynamodb")])
def test_failed_update_of_the_claim_causes_no_second_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, error: Exception | str
) -> None:
    """The email was sent, so the function must report success. A retry by SQS would send a second email."""
    dynamodb.faults.refuse("update_item", error)
    assert deliver(send_email, event(order())) == []
    assert len(ses.sent) == 1


@pytest.mark.parametrize("body", ["not json", "[" * 100_000, *map(json.dumps, INVALID_EVENTS)])
def test_invalid_event_moves_to_the_failure_queue_immediately(
    send_email: LoadedFunction, ses: FakeSes, sqs: FakeSqs, dynamodb: FakeDynamoDB, body: str
) -> None:
    assert deliver(send_email, body) == []
    (aside,) = sqs.sent
    assert aside["MessageBody"] == body
    assert aside["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "ValidationError"
    assert ses.sent == []
    assert dynamodb.faults.calls == []
