"""Tests of POST /users and GET /users/{user_id}."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import OTHER_USER, USER, Request
from tests.functions.conftest import Api

ADA = {"name": "Ada", "email": "ada@example.com"}


def create(user_id: str = USER) -> Request:
    return Request(method="POST", path="/users", body=ADA, user_id=user_id)


def read(user_id: str, *, by: str = USER, groups: tuple[str, ...] = ()) -> Request:
    return Request(method="GET", path=f"/users/{user_id}", user_id=by, groups=groups)


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
