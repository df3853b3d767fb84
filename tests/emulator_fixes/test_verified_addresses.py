"""Tests that the claim `email_verified` is true only for verified addresses (correction `verified_addresses`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.aws import CallError
from local.client import Client
from tests.local.cloud import Cloud, unique

PASSWORD = "Aa1-aaaaaaaa"
ADDRESS = "ann@example.com"
VERIFIED = {"Name": "email_verified", "Value": "true"}


def email(address: str) -> dict[str, str]:
    return {"Name": "email", "Value": address}


@dataclass
class Pool:
    """A user pool with one app client. Users must verify their email address when they sign up."""

    cloud: Cloud
    id: str
    client_id: str

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.cloud("cognito-idp", operation, **parameters)

    def create(self, *attributes: dict[str, str]) -> None:
        named = {"UserPoolId": self.id, "Username": ADDRESS}
        self("admin_create_user", **named, UserAttributes=[email(ADDRESS), *attributes], MessageAction="SUPPRESS")
        self("admin_set_user_password", **named, Password=PASSWORD, Permanent=True)

    def claims(self, name: str = ADDRESS) -> dict[str, Any]:
        """Sign in as the user `name`, and return the claims of the ID token."""
        token = Client({"auth": {"userPoolClientId": self.client_id}}, self.cloud.instance.url).sign_in(name, PASSWORD)
        body = token.id_token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def access_token(self) -> str:
        auth = {"auth": {"userPoolClientId": self.client_id}}
        return Client(auth, self.cloud.instance.url).sign_in(ADDRESS, PASSWORD).access_token


@pytest.fixture
def pool(cloud: Cloud) -> Pool:
    made = cloud(
        "cognito-idp",
        "create_user_pool",
        PoolName=unique("pool"),
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
    )["UserPool"]["Id"]
    client = cloud(
        "cognito-idp",
        "create_user_pool_client",
        UserPoolId=made,
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    return Pool(cloud, made, client)


@pytest.mark.parametrize(("attributes", "verified"), [((), False), ((VERIFIED,), True)])
def test_new_address_is_verified_only_if_the_administrator_sets_email_verified(
    pool: Pool, attributes: tuple[dict[str, str], ...], verified: bool
) -> None:
    pool.create(*attributes)
    assert pool.claims()["email_verified"] is verified


def change_as_user(pool: Pool, *attributes: dict[str, str]) -> None:
    pool("update_user_attributes", AccessToken=pool.access_token(), UserAttributes=attributes)


def change_as_admin(pool: Pool, *attributes: dict[str, str]) -> None:
    pool("admin_update_user_attributes", UserPoolId=pool.id, Username=ADDRESS, UserAttributes=attributes)


@pytest.mark.parametrize("change", [change_as_user, change_as_admin])
def test_changed_address_is_not_verified(pool: Pool, change: Callable[..., None]) -> None:
    pool.create(VERIFIED)
    change(pool, {"Name": "name", "Value": "Ann"})
    assert pool.claims()["email_verified"] is True
    sub = pool.claims()["sub"]
    change(pool, email("new@example.com"))
    claims = pool.claims(sub)
    assert (claims["email"], claims["email_verified"]) == ("new@example.com", False)


def test_user_cannot_set_email_verified(pool: Pool) -> None:
    pool.create()
    with pytest.raises(CallError, match="NotAuthorizedException"):
        change_as_user(pool, VERIFIED)
    new = {"Username": "new@example.com", "Password": PASSWORD, "UserAttributes": [email("new@example.com"), VERIFIED]}
    with pytest.raises(CallError, match="NotAuthorizedException"):
        pool("sign_up", ClientId=pool.client_id, **new)


def test_confirmed_sign_up_verifies_the_address(pool: Pool) -> None:
    pool("sign_up", ClientId=pool.client_id, Username=ADDRESS, Password=PASSWORD, UserAttributes=[email(ADDRESS)])
    pool("confirm_sign_up", ClientId=pool.client_id, Username=ADDRESS, ConfirmationCode="123456")
    assert pool.claims()["email_verified"] is True
