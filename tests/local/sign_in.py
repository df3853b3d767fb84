"""A user pool with a sign-in page and one user, for tests of the emulator's sign-in page."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from local.client import Answer, Client
from tests.local.cloud import Cloud, unique

USER: Final = "ann@example.com"
PASSWORD: Final = "Aa1-aaaaaaaa"
REDIRECT: Final = "https://shop.example.com/back"
LOGOUT: Final = "https://shop.example.com/"


@dataclass
class SignInPage:
    """The sign-in page of a user pool, with methods that send requests to it."""

    cloud: Cloud
    pool_id: str
    client_id: str

    @classmethod
    def make(cls, cloud: Cloud) -> SignInPage:
        pool_id = cloud("cognito-idp", "create_user_pool", PoolName=unique("pool"))["UserPool"]["Id"]
        client = cloud(
            "cognito-idp",
            "create_user_pool_client",
            UserPoolId=pool_id,
            ClientName="c",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid", "email"],
            CallbackURLs=[REDIRECT],
            LogoutURLs=[LOGOUT],
            SupportedIdentityProviders=["COGNITO"],
            EnableTokenRevocation=True,
        )["UserPoolClient"]
        named = {"UserPoolId": pool_id, "Username": USER}
        cloud("cognito-idp", "admin_create_user", **named, MessageAction="SUPPRESS")
        cloud("cognito-idp", "admin_set_user_password", **named, Password=PASSWORD, Permanent=True)
        return cls(cloud, pool_id, client["ClientId"])

    @property
    def request(self) -> dict[str, str]:
        """The parameters of a request for an authorization code."""
        scope = {"scope": "openid email", "state": "s"}
        return {"response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT, **scope}

    def get(self, path: str, **query: str) -> Answer:
        return self._client.send("GET", f"{self.cloud.instance.url}{path}?{urlencode(query)}")

    def post(self, path: str, **form: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._client.send("POST", self.cloud.instance.url + path, urlencode(form), headers)

    def discovery(self) -> dict[str, Any]:
        return self.get(f"/{self.pool_id}/.well-known/openid-configuration").json()

    def tokens(self) -> dict[str, str]:
        """Sign in on the page, and return the tokens from the response of the token endpoint."""
        landed = self.post("/login", **self.request, username=USER, password=PASSWORD)
        code = landed.headers["location"].partition("code=")[2].partition("&")[0]
        grant = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code}
        return self.post("/oauth2/token", **grant, client_id=self.client_id).json()

    def refresh(self, refresh_token: str) -> Answer:
        grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("/oauth2/token", **grant, client_id=self.client_id)

    @property
    def _client(self) -> Client:
        return Client({}, self.cloud.instance.url)


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token, without checking its signature."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
