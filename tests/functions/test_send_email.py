"""Tests of send_email: it sends one email per event, even if responses are lost or invocations die."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from shared import rows
from shared.errors import MailClaimed, MailRefused, ValidationError
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.faults import client_error
from tests.fakes.gateway import USER
from tests.fakes.runtime import LoadedFunction
from tests.fakes.services import FakeSes
from tests.functions.conftest import ENVIRONMENT, Load
from tests.functions.test_consumers import ORDER_ID, event, order

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


def test_email_goes_from_sender_to_profile_address(send_email: LoadedFunction, ses: FakeSes) -> None:
    assert send_email(event(order())) == {"sent": True}
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
    send_email(event(order(**changes)))
    content = ses.sent[0]["Content"]["Simple"]
    assert content["Subject"]["Data"] == subject
    assert text in content["Body"]["Text"]["Data"]


def test_email_hides_the_cause_of_internal_errors(send_email: LoadedFunction, ses: FakeSes) -> None:
    send_email(event(order(status="FAILED", reason={"code": "InternalError", "message": "DynamoDB said no"})))
    assert "DynamoDB" not in json.dumps(ses.sent)


def test_event_delivered_twice_sends_one_email(
    send_email: LoadedFunction, ses: FakeSes, counted: Callable[[], dict[str, int]]
) -> None:
    again = event(order())
    assert (send_email(again), send_email(again)) == ({"sent": True}, {"sent": False})
    assert len(ses.sent) == 1
    assert counted() == {"MailSent": 1}


def test_each_event_of_an_order_sends_an_email(send_email: LoadedFunction, ses: FakeSes) -> None:
    send_email(event(order()))
    send_email(event(order(status="CANCELLED")))
    assert len(ses.sent) == 2


def test_refused_email_is_sent_on_retry(send_email: LoadedFunction, ses: FakeSes) -> None:
    ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
    with pytest.raises(MailRefused, match="MessageRejected"):
        send_email(event(order()))
    assert send_email(event(order())) == {"sent": True}
    assert len(ses.sent) == 1


def test_error_does_not_contain_the_recipient(send_email: LoadedFunction, ses: FakeSes) -> None:
    ses.faults.refuse("send_email", client_error("MessageRejected", "SendEmail", f"not verified: {ADDRESS}"))
    with pytest.raises(MailRefused) as refused:
        send_email(event(order()))
    assert ADDRESS not in str(refused.value)
    assert refused.value.__context__ is None


def test_missing_profile_skips_email_and_is_counted_once(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
) -> None:
    dynamodb.tables["users"].items.clear()
    assert send_email(event(order())) == send_email(event(order())) == {"sent": False}
    assert ses.sent == []
    assert counted() == {"MailSkipped": 1}


def test_profile_with_an_unverified_address_receives_no_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, counted: Callable[[], dict[str, int]]
) -> None:
    """Release 0.1.0 stored any address, and did not write `email_verified`."""
    del dynamodb.tables["users"].items[USER]["email_verified"]
    assert send_email(event(order())) == {"sent": False}
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
def test_email_shows_no_link_or_second_line_of_a_stored_name(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, name: str, greeting: str
) -> None:
    dynamodb.tables["users"].items[USER]["name"] = {"S": name}
    send_email(event(order()))
    assert text_of(ses).splitlines()[:2] == [greeting, ""]


def test_email_shows_no_link_or_second_line_of_a_reason(send_email: LoadedFunction, ses: FakeSes) -> None:
    message = "none left\r\n\u2028Pay at http://evil.example\u202e or www.evil.example, a@b.cd, \\\\evil\\x"
    send_email(event(order(status="REJECTED", reason={"code": "OutOfStock", "message": message})))
    expected = "Reason: none left Pay at http: //evil. example or www. evil. example, a@ b. cd, \\ \\ evil\\ x"
    assert text_of(ses).splitlines()[-1] == expected


def text_of(ses: FakeSes) -> str:
    (email,) = ses.sent
    return email["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_claim_contains_no_personal_data(send_email: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
    send_email(event(order()))
    row = row_of(dynamodb)
    assert set(row) == {"id", "status", "claim", "claimed_until", "expiration"}
    assert (row["id"], row["status"]) == ({"S": f"{ORDER_ID}:PENDING"}, {"S": "DONE"})


def test_claim_is_kept_for_the_configured_number_of_days(send_email: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
    send_email(event(order()))
    kept = datetime.fromtimestamp(int(row_of(dynamodb)["expiration"]["N"]), UTC) - datetime.now(UTC)
    assert timedelta(0) <= timedelta(days=int(ENVIRONMENT["REMEMBERED_DAYS"])) - kept < timedelta(minutes=1)


def row_of(dynamodb: FakeDynamoDB) -> dict[str, Any]:
    """Return the only row of the idempotency table."""
    (row,) = dynamodb.tables["idempotency"].items.values()
    return row


def claimed(dynamodb: FakeDynamoDB, *, for_s: float) -> None:
    """Claim the email for another invocation, whose time limit ends in `for_s` seconds."""
    until = datetime.now(UTC) + timedelta(seconds=for_s)
    row = {"id": {"S": f"{ORDER_ID}:PENDING"}, "status": {"S": "CLAIMED"}, "claim": {"S": "another one's"}}
    times = {"claimed_until": {"N": str(int(until.timestamp() * 1000))}, "expiration": {"N": "9999999999"}}
    dynamodb.put("idempotency", row | times)


def test_claim_of_another_invocation_blocks_the_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    claimed(dynamodb, for_s=5)
    with pytest.raises(MailClaimed):
        send_email(event(order()))
    assert ses.sent == []


def test_expired_claim_does_not_block_the_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    claimed(dynamodb, for_s=-0.1)
    assert send_email(event(order())) == {"sent": True}
    assert len(ses.sent) == 1
    assert row_of(dynamodb)["status"] == {"S": "DONE"}


def test_claim_lasts_until_the_invocation_timeout(send_email: LoadedFunction, dynamodb: FakeDynamoDB) -> None:
    began = datetime.now(UTC)
    send_email(event(order()))
    left_s = int(row_of(dynamodb)["claimed_until"]["N"]) / 1000 - began.timestamp()
    assert 9.9 <= left_s <= 12  # The fake Lambda context reports 10 s of remaining time.


@pytest.mark.parametrize("operation", ["put_item", "update_item"])
def test_sdk_retry_recognizes_its_own_claim(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, operation: str
) -> None:
    dynamodb.faults.lose_answer(operation)
    assert send_email(event(order())) == {"sent": True}
    assert send_email(event(order())) == {"sent": False}
    assert len(ses.sent) == 1


def test_late_claim_does_not_overwrite_the_status_done(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    """A slow network can deliver the SDK's first attempt after the email is DONE."""
    send_email(event(order()))
    (first,) = dynamodb.faults.of("put_item")
    with pytest.raises(Exception, match="conditional"):
        dynamodb.put_item(**first)
    assert send_email(event(order())) == {"sent": False}
    assert len(ses.sent) == 1


def test_late_release_does_not_end_another_claim(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    ses.faults.refuse("send_email", "InternalServiceError")
    with pytest.raises(MailRefused):
        send_email(event(order()))
    (late,) = dynamodb.faults.of("update_item")
    claimed(dynamodb, for_s=5)
    with pytest.raises(Exception, match="conditional"):
        dynamodb.update_item(**late)
    with pytest.raises(MailClaimed):
        send_email(event(order()))


def test_failed_release_does_not_hide_the_error(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB
) -> None:
    ses.faults.refuse("send_email", "MessageRejected")
    dynamodb.faults.refuse("update_item", "InternalServerError")
    with pytest.raises(MailRefused, match="MessageRejected"):
        send_email(event(order()))


@pytest.mark.parametrize("error", ["InternalServerError", ReadTimeoutError(endpoint_url="https://dynamodb")])
def test_failed_update_of_the_claim_causes_no_second_email(
    send_email: LoadedFunction, ses: FakeSes, dynamodb: FakeDynamoDB, error: Exception | str
) -> None:
    """If the function failed here, Lambda would retry the event and send a second email."""
    dynamodb.faults.refuse("update_item", error)
    assert send_email(event(order())) == {"sent": True}
    assert len(ses.sent) == 1


def test_event_without_id_sends_no_email(send_email: LoadedFunction, ses: FakeSes) -> None:
    broken = event(order())
    broken["detail"]["event_id"] = None
    with pytest.raises(ValidationError, match="event_id"):
        send_email(broken)
    assert ses.sent == []
