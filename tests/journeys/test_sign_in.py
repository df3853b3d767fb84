"""Journey 1: users sign in and create profiles. The APIs refuse tokens that are invalid or meant for another API."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local.client import SignInError, Tokens
from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import PASSWORD, People, Person, unique
from tests.journeys.stack import Stack

Make = Callable[[], Tokens]


def test_sample_customer_can_sign_in_and_has_a_profile(stack: Stack, client: CheckedClient) -> None:
    seeded = Person(client, **_credentials(stack, "customer"))
    sub = _claims(seeded.id_token)["sub"]
    answer = seeded.rest("GET", f"/users/{sub}")
    assert (answer.status, answer.json()["email"]) == (200, seeded.email)


def test_sample_admin_can_sign_in_and_write_the_catalog(stack: Stack, client: CheckedClient) -> None:
    seeded = Person(client, **_credentials(stack, "admin"))
    assert _claims(seeded.id_token)["cognito:groups"] == ["admin"]
    assert seeded.put(1)


def test_sign_in_ignores_the_letter_case_of_the_address(people: People, client: CheckedClient) -> None:
    somebody = people.somebody()
    for sign_in in (client.sign_in, client.sign_in_by_code):
        claims = _claims(sign_in(somebody.email.upper(), somebody.password).id_token)
        assert (claims["sub"], claims["email"]) == (somebody.sub, somebody.email)


def test_sign_in_with_a_wrong_password_is_refused(people: People, client: CheckedClient) -> None:
    somebody = people.somebody()
    with pytest.raises(SignInError, match="NotAuthorizedException"):
        client.sign_in(somebody.email, "Wrong-horse-1")


def test_unknown_user_gets_the_same_error_as_for_a_wrong_password(client: CheckedClient) -> None:
    with pytest.raises(SignInError, match="NotAuthorizedException"):
        client.sign_in("nobody@example.com", PASSWORD)


def test_authorization_code_flow_returns_a_token_with_the_requested_scopes(
    people: People, client: CheckedClient
) -> None:
    somebody = people.somebody()
    tokens = client.sign_in_by_code(somebody.email, somebody.password)
    assert set(_claims(tokens.access_token)["scope"].split()) == {"openid", "email"}
    assert _claims(tokens.id_token)["sub"] == somebody.sub


def test_authorization_code_flow_with_a_wrong_password_is_refused(people: People, client: CheckedClient) -> None:
    with pytest.raises(SignInError):
        client.sign_in_by_code(people.somebody().email, "Wrong-horse-1")


def test_new_profile_can_be_read_at_its_location(people: People, stack: Stack) -> None:
    somebody = people.somebody()
    created = somebody.rest("POST", "/users", {"name": "花子", "email": somebody.email})
    assert created.status == 201
    assert created.json() | {"created_at": ""} == {
        "user_id": somebody.sub,
        "name": "花子",
        "email": somebody.email,
        "created_at": "",
    }
    location = created.headers["location"]
    assert location == f"/{stack.frontend['stage']}/users/{somebody.sub}"
    read = somebody.rest("GET", location.removeprefix(f"/{stack.frontend['stage']}"))
    assert (read.status, read.json()) == (200, created.json())


def test_second_profile_of_a_user_returns_409(customer: Person) -> None:
    answer = customer.rest("POST", "/users", {"name": "Other", "email": customer.email})
    assert (answer.status, answer.json()["code"]) == (409, "UserAlreadyExists")
    assert customer.rest("GET", f"/users/{customer.sub}").json()["email"] == customer.email


def test_profile_of_another_user_returns_the_same_error_as_a_missing_profile(people: People, customer: Person) -> None:
    somebody = people.somebody()
    others, none = somebody.rest("GET", f"/users/{customer.sub}"), somebody.rest("GET", f"/users/{somebody.sub}")
    assert (others.status, others.json()["code"]) == (404, "UserNotFound")
    assert others.json() | {"request_id": ""} == none.json() | {"request_id": ""}


def test_admin_can_read_any_profile(admin: Person, customer: Person) -> None:
    assert admin.rest("GET", f"/users/{customer.sub}").json()["email"] == customer.email


def test_token_is_accepted_with_and_without_the_prefix_bearer(customer: Person) -> None:
    for token in (customer.id_token, f"Bearer {customer.id_token}"):
        assert customer.client.rest("GET", "/orders", headers={"Authorization": token}).status == 200
    for token in (customer.access_token, f"Bearer {customer.access_token}"):
        assert customer.client.http("GET", "/products", headers={"Authorization": token}).status == 200


def test_token_without_the_scope_email_gets_403_on_the_http_api(people: People, client: CheckedClient) -> None:
    somebody = people.somebody()
    by_password = client.sign_in(somebody.email, somebody.password).access_token
    openid_alone = client.sign_in_by_code(somebody.email, somebody.password, scopes=("openid",)).access_token
    for token in (by_password, openid_alone):
        assert client.http("GET", "/products", token).status == 403


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "not-a-token", "Bearer a.b.c", "Basic dTpw"])
def test_missing_or_malformed_token_gets_401(client: CheckedClient, value: str | None) -> None:
    headers = {} if value is None else {"Authorization": value}
    rest, http = client.rest("GET", "/orders", headers=headers), client.http("GET", "/products", headers=headers)
    assert (rest.status, rest.json()["code"], http.status) == (401, "Unauthorized", 401)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users"),
        ("GET", "/users/someone"),
        ("POST", "/orders"),
        ("GET", "/orders"),
        ("GET", "/orders/one"),
        ("POST", "/orders/one/cancel"),
        ("POST", "/process"),
    ],
)
def test_every_rest_operation_requires_a_token(client: CheckedClient, method: str, path: str) -> None:
    assert client.rest(method, path).status == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/products"), ("GET", "/products/a"), ("PUT", "/products/a")])
def test_every_http_operation_requires_a_token(client: CheckedClient, method: str, path: str) -> None:
    assert client.http(method, path).status == 401


def test_access_token_gets_401_on_the_rest_api(customer: Person) -> None:
    assert customer.client.rest("GET", "/orders", customer.access_token).status == 401


def test_id_token_is_refused_on_the_http_api(customer: Person) -> None:
    # The HTTP API requires a scope. The audience of an ID token is valid, but only access tokens have scopes, so the
    # API rejects the ID token.
    assert customer.client.http("GET", "/products", customer.id_token).status in (401, 403)


def test_modified_token_gets_401(people: People, customer: Person) -> None:
    other = people.somebody()
    for change in ({"sub": other.sub}, {"cognito:groups": ["admin"]}, {"exp": int(time.time()) + 10**6}):
        _refused_everywhere(
            customer.client, _changed(customer.id_token, change), _changed(customer.access_token, change)
        )


def test_unsigned_token_gets_401(customer: Person) -> None:
    _refused_everywhere(customer.client, _unsigned(customer.id_token), _unsigned(customer.access_token))


def test_token_of_another_user_pool_gets_401(stack: Stack, client: CheckedClient) -> None:
    pool = stack.aws("cognito-idp", "create_user_pool", PoolName=unique("foreign"))["UserPool"]["Id"]
    foreign = _with_client(stack, client, pool)
    _account(stack, pool, "foreigner")
    tokens = foreign.sign_in("foreigner", PASSWORD)
    _refused_everywhere(client, tokens.id_token, tokens.access_token)


def test_access_token_of_another_app_client_gets_401(stack: Stack, client: CheckedClient, people: People) -> None:
    other = _with_client(stack, client, stack.frontend["auth"]["userPoolId"])
    somebody = people.somebody()
    assert client.http("GET", "/products", other.sign_in(somebody.email, PASSWORD).access_token).status == 401


def test_expired_token_gets_401(stack: Stack, people: People, client: CheckedClient) -> None:
    somebody = people.somebody()
    with_seconds = {"IdTokenValidity": 1, "AccessTokenValidity": 1}
    auth = stack.frontend["auth"]
    named = {"UserPoolId": auth["userPoolId"], "ClientId": auth["userPoolClientId"]}
    described = stack.aws("cognito-idp", "describe_user_pool_client", **named)["UserPoolClient"]
    kept = {key: value for key, value in described.items() if value and not key.endswith("Date")}
    units = {"IdToken": "seconds", "AccessToken": "seconds", "RefreshToken": "days"}
    try:
        stack.aws("cognito-idp", "update_user_pool_client", **{**kept, **with_seconds, "TokenValidityUnits": units})
        tokens = client.sign_in_by_code(somebody.email, somebody.password)
    finally:
        stack.aws("cognito-idp", "update_user_pool_client", **kept)
    time.sleep(max(0.0, _claims(tokens.id_token)["exp"] - time.time()) + 0.1)
    _refused_everywhere(client, tokens.id_token, tokens.access_token)


def _refused_everywhere(client: CheckedClient, id_token: str, access_token: str) -> None:
    assert client.rest("GET", "/orders", id_token).status == 401
    assert client.rest("POST", "/process", id_token, {"items": []}).status == 401
    assert client.http("GET", "/products", access_token).status == 401


def _credentials(stack: Stack, who: str) -> dict[str, str]:
    seeded: Mapping[str, str] = stack.outputs["local"][who]
    return {"email": seeded["username"], "password": seeded["password"]}


def _with_client(stack: Stack, client: CheckedClient, pool: str) -> CheckedClient:
    """Return an API client that signs in with a new app client of the user pool `pool`."""
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = stack.aws(
        "cognito-idp", "create_user_pool_client", UserPoolId=pool, ClientName=unique("other"), ExplicitAuthFlows=flows
    )["UserPoolClient"]["ClientId"]
    auth = {**stack.frontend["auth"], "userPoolId": pool, "userPoolClientId": made}
    return CheckedClient({**stack.frontend, "auth": auth}, client.cognito_url)


def _account(stack: Stack, pool: str, username: str) -> None:
    named = {"UserPoolId": pool, "Username": username}
    stack.aws("cognito-idp", "admin_create_user", **named, MessageAction="SUPPRESS")
    stack.aws("cognito-idp", "admin_set_user_password", **named, Password=PASSWORD, Permanent=True)


def _claims(token: str) -> dict[str, Any]:
    return json.loads(_decoded(token.split(".")[1]))


def _changed(token: str, change: Mapping[str, Any]) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{_encoded({**_claims(token), **change})}.{signature}"


def _unsigned(token: str) -> str:
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
