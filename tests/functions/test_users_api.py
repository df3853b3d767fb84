"""POST /users and GET /users/{user_id}."""

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


def test_a_profile_belongs_to_the_tokens_subject(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    answer = users_api(create())
    assert answer.status == 201
    assert answer.body == {"user_id": USER, **ADA, "created_at": answer.body["created_at"]}
    row = dynamodb.item("users", USER)
    assert row is not None
    assert row["email"] == {"S": ADA["email"]}


def test_the_location_of_a_new_profile_is_where_the_client_finds_it(users_api: Api) -> None:
    assert users_api(create()).headers["Location"] == f"/prod/users/{USER}"


def test_a_second_profile_is_refused_and_leaves_the_first_one(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    users_api(create())
    before = dynamodb.item("users", USER)
    answer = users_api(create())
    assert (answer.status, answer.body["code"]) == (409, "UserAlreadyExists")
    assert dynamodb.item("users", USER) == before


def test_a_profile_whose_write_the_sdk_repeated_is_created(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    dynamodb.faults.lose_answer("put_item")
    assert users_api(create()).status == 201


def test_a_profile_is_counted_when_it_is_created_and_only_then(
    users_api: Api, counted: Callable[[], dict[str, int]]
) -> None:
    users_api(create())
    assert counted() == {"UserCreated": 1}
    users_api(create())
    assert counted() == {}


def test_the_owner_reads_the_profile_without_internal_columns(users_api: Api) -> None:
    created = users_api(create())
    answer = users_api(read(USER))
    assert (answer.status, answer.body) == (200, created.body)


def test_anothers_profile_is_answered_like_none(users_api: Api) -> None:
    users_api(create())
    anothers, none = users_api(read(USER, by=OTHER_USER)), users_api(read(OTHER_USER, by=OTHER_USER))
    assert (anothers.status, anothers.body) == (none.status, none.body)
    assert none.body["code"] == "UserNotFound"


def test_an_admin_reads_any_profile(users_api: Api) -> None:
    users_api(create())
    assert users_api(read(USER, by=OTHER_USER, groups=("staff", "admin"))).status == 200


def test_an_id_that_no_user_can_have_is_not_found_even_by_an_admin(users_api: Api, dynamodb: FakeDynamoDB) -> None:
    assert users_api(read("x" * 3000, groups=("admin",))).status == 404
    assert dynamodb.faults.of("get_item") == []
