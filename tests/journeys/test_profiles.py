"""Tests that users cannot make the platform send emails to other people, or emails with links or extra lines."""

from __future__ import annotations

from typing import Any

import pytest

from local.client import Answer
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, at_once
from tests.journeys.stack import Stack

LINK = "http://evil.example/x"


def create(attacker: Person, **changes: str) -> Answer:
    return attacker.rest("POST", "/users", {"name": attacker.name, "email": attacker.email, **changes})


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.json()["code"]) == (400, "ValidationError"), answer


def about(order_id: str, mails: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [mail for mail in mails if order_id in mail["BodyText"]]


@pytest.fixture(scope="module")
def attacker(people: People) -> Person:
    """A user without a profile."""
    return people.somebody()


@pytest.mark.parametrize(
    "name",
    ["Ann\nPay now", "Ann\u2028Pay now", "Ann\u202egnp", "A\u200bnn", "A\U000e0041nn", LINK, "www.evil.example", "a@b"],
)
def test_profile_name_with_a_link_or_invisible_characters_returns_400(attacker: Person, name: str) -> None:
    assert_refused(create(attacker, name=name))
    assert attacker.rest("GET", f"/users/{attacker.sub}").status == 404


def test_profile_with_the_email_address_of_another_user_returns_400(attacker: Person, customer: Person) -> None:
    assert_refused(create(attacker, email=customer.email))
    assert attacker.rest("GET", f"/users/{attacker.sub}").status == 404


def test_profile_with_an_unverified_email_address_returns_400(people: People, customer: Person, stack: Stack) -> None:
    """The attacker sets the attribute `email` of the Cognito user to another person's address, but cannot verify it."""
    attacker = people.somebody()
    token = attacker.client.sign_in(attacker.email, attacker.password).access_token
    foreign = customer.email.replace("@", "+x@")
    stack.aws(
        "cognito-idp",
        "update_user_attributes",
        AccessToken=token,
        UserAttributes=[{"Name": "email", "Value": foreign}],
    )
    id_token = attacker.client.sign_in(attacker.sub, attacker.password).id_token
    for address in (foreign, attacker.email):
        body = {"name": attacker.name, "email": address}
        assert_refused(attacker.client.rest("POST", "/users", id_token, body))


def test_concurrent_requests_of_one_user_create_one_profile(people: People) -> None:
    attacker = people.somebody()
    assert attacker.id_token
    statuses = sorted(answer.status for answer in at_once(8, lambda: create(attacker)))
    assert statuses == [201] + [409] * 7


def test_profile_of_release_0_1_0_receives_emails_only_after_its_address_is_verified(
    people: People, admin: Person, customer: Person, stack: Stack, watcher: Watcher
) -> None:
    """The attacker's profile has the customer's address. The attacker's orders must cause no emails to the customer."""
    attacker, product = people.somebody(), admin.put(10)
    row: dict[str, Any] = {
        "user_id": attacker.sub,
        "name": LINK,
        "email": customer.email,
        "created_at": "2026-01-02T03:04:05.678Z",
        "request_id": "old",
    }
    item = {name: {"S": value} for name, value in row.items()}
    stack.aws("dynamodb", "put_item", TableName=stack.ops["tables"]["users"], Item=item)
    skipped = attacker.order({product: 1})["order_id"]
    assert watcher.decided(attacker, skipped)["status"] == "CONFIRMED"

    assert attacker.rest("GET", f"/users/{attacker.sub}").json()["email"] == customer.email
    assert create(attacker).status == 201
    mailed = attacker.order({product: 1})["order_id"]
    watcher.until(lambda: stack.handled_mails(mailed) == 2, "send_email handles the order's two events", mailed)
    assert about(mailed, stack.mails(attacker.email))
    assert about(skipped, stack.mails(customer.email)) == about(mailed, stack.mails(customer.email)) == []
