"""A small client that signs in and calls the REST API and the HTTP API.

`make order`, the seeds and the tests use it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

from local import loopback
from local.patience import PATIENCE

# API Gateway waits for a function for up to 29 s, and the emulator multiplies this limit by PATIENCE. The client waits
# a little longer, so that it receives the timeout response of API Gateway.
_TIMEOUT_S: Final = 35 * PATIENCE
_REDIRECTS: Final = (301, 302, 303)


class SignInError(Exception):
    """Cognito returned no tokens. The message contains the status of Cognito's response."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    """Response headers, with names in lower case."""
    text: str

    def json(self) -> Any:
        """Return the parsed JSON body."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Tokens:
    """The tokens that Cognito returns for a sign-in."""

    id_token: str
    """Token for the REST API."""
    access_token: str
    """Token for the HTTP API, which accepts it only with the scope `email`."""


@dataclass
class Client:
    """Signs in and calls the APIs as a frontend does, with only the data in the stack output `frontend`."""

    frontend: Mapping[str, Any]
    """The stack output `frontend`."""
    cognito_url: str
    """URL of the Cognito API: https://cognito-idp.REGION.amazonaws.com on AWS, the emulator's URL on a local stack."""
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def sign_in(self, username: str, password: str) -> Tokens:
        """Sign in with a password (USER_PASSWORD_AUTH) and return the tokens. Raises SignInError."""
        request = {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.frontend["auth"]["userPoolClientId"],
            "AuthParameters": {"USERNAME": username, "PASSWORD": password},
        }
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        }
        answer = self.send("POST", self.cognito_url, body=json.dumps(request), headers=headers)
        result = answer.json().get("AuthenticationResult") if answer.status == 200 else None  # noqa: PLR2004
        if not result:
            raise SignInError(f"sign-in of {username} by password: got status {answer.status}: {answer.text}")
        return Tokens(result["IdToken"], result["AccessToken"])

    def sign_in_by_code(self, username: str, password: str, scopes: tuple[str, ...] = ("openid", "email")) -> Tokens:
        """Sign in on the hosted page with the authorization code flow and PKCE, as a browser does.

        The tokens are valid for `scopes`. Raises SignInError.
        """
        auth = self.frontend["auth"]
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        wanted = {
            "response_type": "code",
            "client_id": auth["userPoolClientId"],
            "redirect_uri": auth["redirectUris"][0],
            "scope": " ".join(scopes),
            "state": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = self.send("GET", f"{auth['hostedUiUrl']}/oauth2/authorize?{urlencode(wanted)}")
        form = {**wanted, **_hidden_fields(page.text), "username": username, "password": password}
        landed = self._form(f"{auth['hostedUiUrl']}/login", form)
        query = parse_qs(urlsplit(landed.headers.get("location", "")).query)
        if landed.status not in _REDIRECTS or query.get("state") != [wanted["state"]] or "code" not in query:
            raise SignInError(f"sign-in of {username} on the hosted page: got status {landed.status} without a code")
        exchange = {
            "grant_type": "authorization_code",
            "client_id": wanted["client_id"],
            "redirect_uri": wanted["redirect_uri"],
            "code": query["code"][0],
            "code_verifier": verifier,
        }
        answer = self._form(f"{auth['hostedUiUrl']}/oauth2/token", exchange)
        if answer.status != 200:  # noqa: PLR2004
            raise SignInError(f"exchange of {username}'s code for tokens: got status {answer.status}: {answer.text}")
        given = answer.json()
        return Tokens(given["id_token"], given["access_token"])

    def rest(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the REST API with the bearer token `token`. A `body` that is neither text nor bytes is sent as JSON."""
        return self._call(method, self.frontend["restApi"]["url"] + path, token, body, headers)

    def http(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the HTTP API with the bearer token `token`. A `body` that is neither text nor bytes is sent as JSON."""
        return self._call(method, self.frontend["httpApi"]["url"] + path, token, body, headers)

    def send(
        self, method: str, url: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request without following redirects. Raises NoAnswerError."""
        answer = loopback.send(self._pool, method, url, body=body, headers=dict(headers or {}), timeout=_TIMEOUT_S)
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, named, answer.data.decode(errors="replace"))

    def _call(self, method: str, url: str, token: str | None, body: Any, headers: Mapping[str, str] | None) -> Answer:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            sent["Content-Type"] = "application/json"
        return self.send(method, url, body=body, headers={**sent, **(headers or {})})

    def _form(self, url: str, fields: Mapping[str, str]) -> Answer:
        return self.send("POST", url, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})


def client_of(outputs: Mapping[str, Any]) -> Client:
    """Return a client for the stack with these `outputs`. They have the form of .local/outputs.json."""
    return Client(frontend=outputs["frontend"], cognito_url=outputs["local"]["endpointUrl"])


def _hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms, which a browser sends with the user's input."""
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        found = dict(re.findall(r"(name|value)=\"([^\"]*)\"", tag))
        if "name" in found:
            fields[found["name"]] = found.get("value", "")
    return fields
