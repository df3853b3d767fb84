"""Tests of POST /users and GET /users/{user_id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import ADDRESS, OTHER_USER, USER, Request
from tests.functions.conftest import Api

ADA = {"name": "Ada", "email": ADDRESS}
OTHER_ADDRESS = "victim@example.org"


def create(user_id: str = USER, **claims: Any) -> Request:
    return Request(method="POST", path="/users", body=ADA, user_id=user_id, **claims)


def create_with(**changes: str) -> Request:
    return Request(method="POST", path="/users", body={**ADA, **changes})


def read(user_id: str, *, by: str = USER, groups: tuple[str, ...] = (), **claims: Any) -> Request:
    return Request(method="GET", path=f"/users/{user_id}", user_id=by, groups=groups, **claims)


def put_unverified(dynamodb: FakeDynamoDB, **changes: str) -> None:
    """Put a profile in the format of release 0.1.0, without `email_verified`. `changes` can set any attribute."""
    row = {"user_id": USER, **ADA, "created_at": "2026-01-02T03:04:05.678Z", "request_id": "old", **changes}
    dynamodb.put("users", {name: {"S": value} for name, value in row.items()})


def test_profile_belongs_to_the_token_subject(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    answer = users_api(create())
    assert answer.status == 201
    assert answer.body == {"user_id": USER, **ADA, "created_at": answer.body["created_at"]}
    row = dynamodb.item("users", USER)
    assert row is not None
    assert row["email"] == {"S": ADA["email"]}


def test_location_of_new_profile_includes_the_stage(users_api: Api) -> None:
    assert users_api(create()).headers["Location"] == f"/prod/users/{USER}"


def test_second_profile_is_rejected_and_changes_nothing(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    users_api(create())
    before = dynamodb.item("users", USER)
    answer = users_api(create())
    assert (answer.status, answer.body["code"]) == (409, "UserAlreadyExists")
    assert dynamodb.item("users", USER) == before


def test_sdk_retry_of_profile_creation_returns_201(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    dynamodb.faults.lose_answer("put_item")
    assert users_api(create()).status == 201


def test_only_created_profiles_are_counted(users_api: Api, counted: Callable[[], dict[str, int]]) -> None:
    users_api(create())
    assert counted() == {"UserCreated": 1}
    users_api(create())
    assert counted() == {}


def test_owner_reads_profile_without_internal_attributes(users_api: Api) -> None:
    created = users_api(create())
    answer = users_api(read(USER))
    assert (answer.status, answer.body) == (200, created.body)


def test_profile_of_another_user_is_not_found(users_api: Api) -> None:
    users_api(create())
    anothers, none = users_api(read(USER, by=OTHER_USER)), users_api(read(OTHER_USER, by=OTHER_USER))
    assert (anothers.status, anothers.body) == (none.status, none.body)
    assert none.body["code"] == "UserNotFound"


def test_admin_can_read_any_profile(users_api: Api) -> None:
    users_api(create())
    assert users_api(read(USER, by=OTHER_USER, groups=("staff", "admin"))).status == 200


def test_malformed_user_id_is_not_found_even_for_admin(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    assert users_api(read("x" * 3000, groups=("admin",))).status == 404
    assert dynamodb.faults.of("get_item") == []


class TestOwnAddress:
    @pytest.mark.parametrize(
        "claims",
        [
            {"email": OTHER_ADDRESS},
            {"email": None},
            {"email": ""},
            {"email_verified": "false"},
            {"email_verified": False},
            {"email_verified": None},
            {"email_verified": ""},
            {"email_verified": "yes"},
            {"email": f"{ADDRESS},{OTHER_ADDRESS}"},
        ],
        ids=str,
    )
    def test_address_without_verified_claim_is_rejected(
        self, users_api: Api, dynamodb: FakeDynamoDB, claims: dict[str, Any]
    ) -> None:
        answer = users_api(create(**claims))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")
        assert answer.body["message"].startswith("body.email: ")
        assert "verified" in answer.body["message"]
        assert dynamodb.item("users", USER) is None

    def test_address_of_somebody_else_is_rejected(self, users_api: Api, dynamodb: FakeDynamoDB) -> None:
        assert users_api(create_with(email=OTHER_ADDRESS)).status == 400
        assert dynamodb.item("users", USER) is None

    @pytest.mark.parametrize("verified", ["true", "True", True])
    def test_verified_address_is_accepted_in_any_letter_case(self, users_api: Api, verified: Any) -> None:
        """The profile must contain the address in the letter case in which the user pool verified it."""
        answer = users_api(create(email="Ada@EXAMPLE.com", email_verified=verified))
        assert (answer.status, answer.body["email"]) == (201, "Ada@EXAMPLE.com")

    def test_verified_address_with_a_kelvin_sign_does_not_match_the_letter_k(self, users_api: Api) -> None:
        """In lower case, the Kelvin sign becomes the letter k.

        An address with the Kelvin sign is still another address.
        """
        body = {"name": "Kim", "email": "kim@example.com"}
        request = Request(method="POST", path="/users", body=body, email="\N{KELVIN SIGN}im@example.com")
        assert users_api(request).status == 400

    def test_1000_requests_of_one_caller_create_one_profile(self, users_api: Api, dynamodb: FakeDynamoDB) -> None:
        statuses = [users_api(create_with(name=f"Ada {number}")).status for number in range(1000)]
        assert statuses == [201] + [409] * 999
        assert len(dynamodb.tables["users"].items) == 1

    def test_profile_can_be_replaced_after_the_account_gets_a_new_verified_address(self, users_api: Api) -> None:
        users_api(create())
        body = {"name": "Ada", "email": "new@example.com"}
        moved = users_api(Request(method="POST", path="/users", body=body, email="new@example.com"))
        assert (moved.status, moved.body["email"]) == (201, "new@example.com")
        assert users_api(read(USER)).body == moved.body


class TestProfileOfRelease010:
    """Release 0.1.0 accepted unverified addresses. Its profiles receive no emails until the addresses are verified."""

    def is_verified(self, dynamodb: FakeDynamoDB) -> bool:
        row = dynamodb.item("users", USER)
        assert row is not None
        return row.get("email_verified") == {"BOOL": True}

    def test_owner_verifies_the_address_by_reading_the_profile(self, users_api: Api, dynamodb: FakeDynamoDB) -> None:
        put_unverified(dynamodb, email=ADDRESS.title())
        first, second = users_api(read(USER)), users_api(read(USER))
        assert first.body["email"] == ADDRESS
        assert second.body == first.body
        assert self.is_verified(dynamodb)
        assert len(dynamodb.faults.of("put_item")) == 1

    @pytest.mark.parametrize(
        "request_",
        [
            read(USER, email=OTHER_ADDRESS),
            read(USER, email_verified="false"),
            read(USER, email=None),
            read(USER, by=OTHER_USER, groups=("admin",)),
            read(USER, by=OTHER_USER),
        ],
        ids=["other address", "unverified", "no address", "admin", "other user"],
    )
    def test_read_without_the_owners_verified_address_does_not_verify_the_profile(
        self, users_api: Api, dynamodb: FakeDynamoDB, request_: Request
    ) -> None:
        put_unverified(dynamodb)
        before = dynamodb.item("users", USER)
        users_api(request_)
        assert dynamodb.item("users", USER) == before

    def test_unverified_profile_with_the_address_of_another_user_can_be_replaced(
        self, users_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        put_unverified(dynamodb, email=OTHER_ADDRESS)
        assert users_api(read(USER)).body["email"] == OTHER_ADDRESS
        assert not self.is_verified(dynamodb)
        assert users_api(create()).body["email"] == ADDRESS
        assert self.is_verified(dynamodb)
        assert users_api(create()).status == 409

    def test_concurrent_change_of_the_profile_is_not_overwritten(self, users_api: Api, dynamodb: FakeDynamoDB) -> None:
        put_unverified(dynamodb)
        dynamodb.faults.before("put_item", lambda: put_unverified(dynamodb, email=OTHER_ADDRESS))
        assert users_api(read(USER)).status == 200
        assert not self.is_verified(dynamodb)


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            *("J.R. Tolkien", "J.R.R.Tolkien", "J.Smith", "Dr. No", "O'Neil-Smith", "José", "山田太郎", "渋谷 🍵"),
            *("Sammy Davis Jr.", "Muthu a/l Samy", "モーニング娘。", "नरेन्द्र", "محمد", "N'Golo", "Ph.D. Ann", "X"),
        ],
    )
    def test_name_with_periods_slashes_or_non_latin_letters_is_accepted(self, users_api: Api, name: str) -> None:
        assert users_api(create_with(name=name)).body["name"] == name

    @pytest.mark.parametrize(
        "name",
        [
            *("Ann\nYour account is locked", "Ann\r\nBcc: x@y.zz", "Ann\x0bx", "Ann\x85x", "Ann\u2028x", "Ann\u2029x"),
            *("Ann\x00", "Ann\x1b[31m", "Ann\x7f", "Ann\n", "\tAnn", "Ann\u202egnp.exe", "\u2066Ann", "Ann\u200f"),
            *("A\u200bnn", "A\u200cnn", "A\u200dnn", "A\u2060nn", "\ufeffAnn", "A\u00adnn", "A\U000e0041nn"),
        ],
        ids=ascii,
    )
    def test_name_with_invisible_characters_is_rejected(
        self, users_api: Api, dynamodb: FakeDynamoDB, name: str
    ) -> None:
        answer = users_api(create_with(name=name))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")
        assert answer.body["message"].startswith("body.name: ")
        assert dynamodb.item("users", USER) is None

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "http://evil.example",
                "Click https://evil.example/x",
                "evil.example",
                "evil.example/x",
                "www.evil.example",
            ),
            *("WWW.e.x", "a@evil.example", "mailto:a", "tel:123", "javascript:x", "\\\\evil\\share", "пример.рф"),
            *("my-shop.co.jp", "a.evil.example", "Ann (evil.example)", "Ann,evil.example."),
        ],
    )
    def test_name_that_looks_like_a_link_is_rejected(self, users_api: Api, dynamodb: FakeDynamoDB, name: str) -> None:
        answer = users_api(create_with(name=name))
        assert (answer.status, answer.body["code"]) == (400, "ValidationError")
        assert answer.body["message"].startswith("body.name: ")
        assert dynamodb.item("users", USER) is None
