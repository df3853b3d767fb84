"""Creates every kind of wrong token for each API, and checks that responses reveal no data of the attacked user."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.client import Answer, Tokens
from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import PASSWORD, People, Person, unique
from tests.journeys.stack import Stack
from tests.proof.tokens import forge as tokens_forge
from tests.proof.tokens.forge import Forge, Sent, Use, parsed
from tests.proof.tokens.routes import Api, Route

USES: Final[Mapping[Api, Use]] = {"rest": "id", "http": "access"}
_AUDIENCE: Final[Mapping[Api, str]] = {"rest": "aud", "http": "client_id"}
NOBODY: Final = Sent({})


@dataclass(frozen=True)
class Victim:
    """A user whose profile, order and product the attack tries to read or change.

    test_tokens.py attacks an admin, because a wrongly accepted token of an admin does the most harm.
    """

    person: Person
    order: Mapping[str, Any]
    product: Mapping[str, Any]

    @property
    def ids(self) -> dict[str, str]:
        """{parameter or property of the APIs: value}.

        The values are the ids of the user, the order and the product, and the user's email address.
        """
        order, product = self.order["order_id"], self.product["product_id"]
        return {"user_id": self.person.sub, "order_id": order, "product_id": product, "email": self.person.email}

    @property
    def secrets(self) -> list[str]:
        """Texts that no other user may see."""
        return [self.person.name, *self.ids.values(), self.product["name"], self.order["created_at"]]

    def token(self, api: Api) -> str:
        """Return a valid token of the user for this API."""
        return self.person.id_token if api == "rest" else self.person.access_token

    def things(self) -> list[Any]:
        """Return the user's orders, profile and product as the APIs return them to the user now."""
        orders = self.person.rest("GET", "/orders?limit=100").json()
        profile = self.person.rest("GET", f"/users/{self.person.sub}").json()
        return [orders, profile, self.person.http("GET", f"/products/{self.product['product_id']}").json()]


def victim(people: People, *groups: str) -> Victim:
    """Create a user in `groups` who has a profile, a product and a confirmed order."""
    person, shop = people.somebody(*groups).introduce(), people.somebody("admin")
    product = shop.put(100, product_id=unique("secret-product"))
    order = person.process({product: 3}).json()
    return Victim(person, order, shop.http("GET", f"/products/{product}").json())


def wrong_tokens(api: Api, whose: Victim, stack: Stack, people: People, client: CheckedClient) -> dict[str, Sent]:
    """Return {name: request} for each kind of wrong token for `api`, derived from valid tokens of the user `whose`."""
    right, use = whose.token(api), USES[api]
    pool = stack.frontend["auth"]["userPoolId"]
    forge = Forge(stack.instance.data / "state" / "cognito-pool-keys", pool, use)
    foreign = people.somebody()
    foreign_token = foreign.id_token if api == "rest" else foreign.access_token
    shapeless = tokens_forge.shapeless(right)
    if api == "http":
        # Leave out the token whose header is a list, because the emulator's JWT authorizer returns 500 for it. AWS's
        # JWT authorizer does not return 500.
        del shapeless["header is a list"]
    return {
        **shapeless,
        **tokens_forge.misplaced(right),
        **tokens_forge.tampered(right, foreign_token, forge),
        **tokens_forge.signed_but_wrong(parsed(right)[1], forge, _AUDIENCE[api]),
        **_real(api, whose.person, stack, client),
        **(_scopeless(parsed(right)[1], forge, whose.person, client) if api == "http" else {}),
    }


def breaches(route: Route, answer: Answer, sent: Sent, secrets: list[str]) -> list[str]:
    """Return a message if `answer` has a wrong status, and a message for each of `secrets` that `answer` contains.

    `answer` is the response of `route` to `sent`, a request with a wrong token.
    """
    found = [] if answer.status in sent.statuses else [f"got status {answer.status}, allowed {sent.statuses}"]
    # Neither the body nor the headers of an error response may contain a secret of the victim.
    told = answer.text + json.dumps(dict(answer.headers))
    found += [f"the response contains {secret}" for secret in secrets if secret in told]
    return [f"{route.name}: {each}: {answer.text[:200]}" for each in found]


def _real(api: Api, person: Person, stack: Stack, client: CheckedClient) -> dict[str, Sent]:
    """Return {name: request} with valid tokens that Cognito issued: for another user pool, app client or purpose."""
    pool = stack.aws("cognito-idp", "create_user_pool", PoolName=unique("foreign"))["UserPool"]["Id"]
    account = {"UserPoolId": pool, "Username": person.email}
    stack.aws("cognito-idp", "admin_create_user", **account, MessageAction="SUPPRESS")
    stack.aws("cognito-idp", "admin_set_user_password", **account, Password=PASSWORD, Permanent=True)
    ours = stack.frontend["auth"]["userPoolId"]
    foreign_pool = with_another_client(stack, client, pool).sign_in(person.email, PASSWORD)
    foreign_client = with_another_client(stack, client, ours).sign_in(person.email, person.password)
    own = client.sign_in_by_code(person.email, person.password)
    refresh = authenticated(stack, "USER_PASSWORD_AUTH", {"USERNAME": person.email, "PASSWORD": person.password})[
        "RefreshToken"
    ]
    stack.aws("cognito-idp", "delete_user_pool", UserPoolId=pool)

    def sent(token: str, *statuses: int) -> Sent:
        return Sent({"Authorization": f"Bearer {token}"}, statuses=statuses or (401,))

    def of(tokens: Tokens) -> str:
        return tokens.id_token if api == "rest" else tokens.access_token

    return {
        "of another pool": sent(of(foreign_pool)),
        "of another app client": sent(of(foreign_client)),
        # The HTTP API returns 403 for an ID token, not 401: it accepts the audience, but ID tokens lack the required
        # scope `email` (see contracts/http-api.yaml).
        "of the other kind": sent(own.access_token) if api == "rest" else sent(own.id_token, 403),
        # Cognito's refresh token is not a JWT, so AWS returns 401. The emulator's refresh token is a JWT without a
        # scope, so the emulator returns 403. The attack allows both statuses.
        "refresh token": sent(refresh, 401, 403),
    }


def _scopeless(claims: Mapping[str, Any], forge: Forge, person: Person, client: CheckedClient) -> dict[str, Sent]:
    """Return {name: request} with access tokens that lack the scope `email`."""
    forged = {
        f"scope {scope!r}": forge.signed({**claims, "scope": scope})
        for scope in ("", "openid profile", "emails", "EMAIL", "openid,email", "my/email")
    }
    tokens = {
        "by password, without scopes": client.sign_in(person.email, person.password).access_token,
        "scope openid alone": client.sign_in_by_code(person.email, person.password, ("openid",)).access_token,
        "no claim scope": forge.signed({key: value for key, value in claims.items() if key != "scope"}),
        **forged,
    }
    return {name: Sent({"Authorization": f"Bearer {token}"}, statuses=(403,)) for name, token in tokens.items()}


def with_another_client(stack: Stack, client: CheckedClient, pool: str) -> CheckedClient:
    """Return an API client that signs in with a new app client of `pool`."""
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    named = {"UserPoolId": pool, "ClientName": f"other-{uuid.uuid4().hex[:6]}", "ExplicitAuthFlows": flows}
    made = stack.aws("cognito-idp", "create_user_pool_client", **named)["UserPoolClient"]["ClientId"]
    auth = {**stack.frontend["auth"], "userPoolId": pool, "userPoolClientId": made}
    return CheckedClient({**stack.frontend, "auth": auth}, client.cognito_url)


def authenticated(stack: Stack, flow: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Sign in with Cognito's auth flow `flow`. Return {name: token} with IdToken, AccessToken and RefreshToken."""
    client_id = stack.frontend["auth"]["userPoolClientId"]
    asked = {"AuthFlow": flow, "ClientId": client_id, "AuthParameters": parameters}
    return stack.aws("cognito-idp", "initiate_auth", **asked)["AuthenticationResult"]
