import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.aws import CallError
from local.client import Client, Tokens
from tests.local.cloud import Cloud, unique
from tests.local.srp import Proof

PASSWORD = "Aa1-aaaaaaaa"
STORED, TYPED = "Ann@Example.com", "aNN@eXAMPLE.com"


@dataclass
class Pool:
    """A user pool with one app client and one user. The user has the name STORED and can sign in."""

    cloud: Cloud
    id: str
    client_id: str

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.cloud("cognito-idp", operation, UserPoolId=self.id, **parameters)

    def self_service(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.cloud("cognito-idp", operation, ClientId=self.client_id, **parameters)

    @property
    def client(self) -> Client:
        auth = {"userPoolClientId": self.client_id, "redirectUris": [REDIRECT], "hostedUiUrl": self.cloud.instance.url}
        return Client({"auth": auth}, self.cloud.instance.url)


REDIRECT = "https://shop.example.com/back"


def make(cloud: Cloud, *, by_email: bool, case_sensitive: bool) -> Pool:
    created = cloud(
        "cognito-idp",
        "create_user_pool",
        PoolName=unique("pool"),
        UsernameAttributes=["email"] if by_email else None,
        UsernameConfiguration={"CaseSensitive": case_sensitive},
    )["UserPool"]
    flows = ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]
    client = cloud(
        "cognito-idp",
        "create_user_pool_client",
        UserPoolId=created["Id"],
        ClientName="c",
        ExplicitAuthFlows=[f"ALLOW_{flow}" for flow in flows],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        CallbackURLs=[REDIRECT],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]
    pool = Pool(cloud, created["Id"], client["ClientId"])
    email = {"Name": "email", "Value": STORED}
    pool("admin_create_user", Username=STORED, UserAttributes=[email], MessageAction="SUPPRESS")
    pool("admin_set_user_password", Username=STORED, Password=PASSWORD, Permanent=True)
    return pool


@pytest.fixture
def pool(cloud: Cloud) -> Pool:
    return make(cloud, by_email=True, case_sensitive=False)


def by_password(pool: Pool, name: str) -> Tokens:
    return pool.client.sign_in(name, PASSWORD)


def on_the_hosted_page(pool: Pool, name: str) -> Tokens:
    return pool.client.sign_in_by_code(name, PASSWORD)


def by_srp(pool: Pool, name: str) -> Tokens:
    proof = Proof()
    parameters = {"USERNAME": name, "SRP_A": proof.a}
    started = pool.self_service("initiate_auth", AuthFlow="USER_SRP_AUTH", AuthParameters=parameters)
    responses = proof.answer(pool.id, started["ChallengeParameters"], name, PASSWORD)
    ended = pool.self_service(
        "respond_to_auth_challenge", ChallengeName=started["ChallengeName"], ChallengeResponses=responses
    )
    return tokens(ended)


def by_an_admin(pool: Pool, name: str) -> Tokens:
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    flow = {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters}
    return tokens(pool("admin_initiate_auth", ClientId=pool.client_id, **flow))


def tokens(answer: dict[str, Any]) -> Tokens:
    return Tokens(answer["AuthenticationResult"]["IdToken"], answer["AuthenticationResult"]["AccessToken"])


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def who(pool: Pool, name: str) -> dict[str, str]:
    found = pool("admin_get_user", Username=name)
    return {each["Name"]: each["Value"] for each in found["UserAttributes"]} | {"username": found["Username"]}


@pytest.mark.parametrize("sign_in", [by_password, on_the_hosted_page, by_srp, by_an_admin])
def test_sign_in_ignores_the_letter_case_of_the_user_name(pool: Pool, sign_in: Callable[[Pool, str], Tokens]) -> None:
    exact, typed = sign_in(pool, STORED), sign_in(pool, TYPED)

    for token in ("id_token", "access_token"):
        one, other = claims(getattr(exact, token)), claims(getattr(typed, token))
        same = ("sub", "username", "cognito:username", "email")
        assert {name: one.get(name) for name in same} == {name: other.get(name) for name in same}
    assert claims(typed.id_token)["email"] == STORED.lower()
    assert claims(typed.id_token)["sub"] == who(pool, STORED)["sub"]


def test_user_name_that_differs_only_in_letter_case_is_already_taken(pool: Pool) -> None:
    with pytest.raises(CallError, match="UsernameExistsException"):
        pool("admin_create_user", Username=TYPED, MessageAction="SUPPRESS")
    with pytest.raises(CallError, match="UsernameExistsException"):
        pool.self_service("sign_up", Username=TYPED, Password=PASSWORD)


def test_every_call_ignores_the_letter_case_of_the_user_name(pool: Pool) -> None:
    changed = "Bb1-bbbbbbbb"
    pool("create_group", GroupName="staff")

    pool("admin_add_user_to_group", Username=TYPED, GroupName="staff")
    pool("admin_set_user_password", Username=TYPED, Password=changed, Permanent=True)
    pool.self_service("forgot_password", Username=TYPED)

    assert claims(pool.client.sign_in(STORED, changed).id_token)["cognito:groups"] == ["staff"]
    assert who(pool, TYPED) == who(pool, STORED)
    with pytest.raises(CallError, match="CodeMismatchException"):
        pool.self_service("confirm_forgot_password", Username=TYPED, ConfirmationCode="0", Password=changed)


def test_user_names_and_email_addresses_are_returned_in_lowercase(cloud: Cloud) -> None:
    pool = make(cloud, by_email=False, case_sensitive=False)
    change = [{"Name": "email", "Value": "New@Example.com"}, {"Name": "name", "Value": "Ann"}]
    pool("admin_update_user_attributes", Username=TYPED, UserAttributes=change)

    found = who(pool, TYPED)
    assert (found["username"], found["email"], found["name"]) == (STORED.lower(), "new@example.com", "Ann")


def test_case_sensitive_pool_distinguishes_letter_cases(cloud: Cloud) -> None:
    pool = make(cloud, by_email=True, case_sensitive=True)

    pool("admin_create_user", Username=TYPED, MessageAction="SUPPRESS")

    assert who(pool, TYPED)["sub"] != who(pool, STORED)["sub"]
    assert who(pool, STORED)["email"] == STORED


def test_password_in_another_letter_case_is_wrong(pool: Pool) -> None:
    with pytest.raises(CallError, match="NotAuthorizedException"):
        pool.self_service(
            "initiate_auth",
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": TYPED, "PASSWORD": PASSWORD.upper()},
        )
