"""No wrong token gets access to any route.

The emulator differs from AWS. Its API gateways ignore a token's algorithm (`alg`), and accept tokens without an expiry
time (`exp`). An attacker can't use these differences, because the gateways verify the signature, and only the user pool
has the key to sign a token. The correction emulator_fixes/rest_checks.py makes the emulator's REST API reject access
tokens and the tokens of other app clients. test_tokens_graph.py checks what the emulator can't show.

To check these tests, we broke copies of the program on purpose. POST /process without its authorizer let everybody in.
GET /orders/{order_id} without its authorizer still let nobody in: its function rejected requests without a caller. Only
test_tokens_graph.py found this missing authorizer. The REST authorizer without its validation expression accepted the
wrong tokens that are named `another audience` and `of another app client`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from local.aws import CallError
from local.client import SignInError
from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack
from tests.proof.plugin import Dose, Proof
from tests.proof.tokens.forge import Sent
from tests.proof.tokens.matrix import NOBODY, Victim, authenticated, breaches, victim, wrong_tokens
from tests.proof.tokens.routes import Api, Route, routes

pytestmark = [pytest.mark.attack("wrong-tokens"), pytest.mark.emulator]

ROUTES: Final = routes()
APIS: Final[tuple[Api, ...]] = ("rest", "http")


@pytest.fixture(scope="module")
def admin_victim(people: People) -> Victim:
    """An admin with a profile, an order and a product."""
    return victim(people, "admin")


@pytest.fixture(scope="module")
def wrong(admin_victim: Victim, stack: Stack, people: People, client: CheckedClient) -> Mapping[Api, dict[str, Sent]]:
    """All kinds of wrong tokens, as {API: {kind of token: Sent}}."""
    return {api: wrong_tokens(api, admin_victim, stack, people, client) for api in APIS}


def test_wrong_tokens_are_rejected_on_every_route(
    admin_victim: Victim, wrong: Mapping[Api, dict[str, Sent]], client: CheckedClient, dose: Dose, proof: Proof
) -> None:
    before, found, tried = admin_victim.things(), list[str](), 0
    for api in APIS:
        of_api = [route for route in ROUTES if route.api == api]
        for number, (name, sent) in enumerate(wrong[api].items()):
            # `make prove` sends each kind of token to every route of its API. `make test` sends each kind to one route,
            # and uses the routes in turn.
            for route in of_api if dose.full else [of_api[number % len(of_api)]]:
                answer = route.send(client, sent, admin_victim.ids)
                tried += 1
                found += [f"{name}: {breach}" for breach in breaches(route, answer, sent, admin_victim.secrets)]
    proof.tried(requests=tried, kinds_of_tokens=sum(len(kinds) for kinds in wrong.values()), routes=len(ROUTES))
    proof.found(let_in=len(found))
    assert found == []
    assert admin_victim.things() == before


def test_cors_preflight_needs_no_token_and_reveals_nothing(
    admin_victim: Victim, wrong: Mapping[Api, dict[str, Sent]], client: CheckedClient, dose: Dose, proof: Proof
) -> None:
    tried, found = 0, list[str]()
    for route in ROUTES:
        plain = route.preflight(client, NOBODY, admin_victim.ids)
        assert plain.status in (200, 204), plain
        assert plain.headers["access-control-allow-origin"] == client.origin
        kinds = list(wrong[route.api].items())
        for name, sent in kinds if dose.full else kinds[: 1 + dose.full]:
            answer = route.preflight(client, sent, admin_victim.ids)
            tried += 1
            if (answer.status, answer.text) != (plain.status, plain.text):
                found.append(f"{name}: OPTIONS {route.operation.path}: {answer.status} {answer.text[:200]}")
            found += breaches(route, answer, Sent({}, statuses=(plain.status,)), admin_victim.secrets)
    proof.tried(preflights=tried)
    assert found == []


def test_valid_token_is_accepted_on_every_route(admin_victim: Victim, client: CheckedClient) -> None:
    """Shows that the requests of the other tests are rejected only because of their tokens."""
    for route in ROUTES:
        token = admin_victim.token(route.api)
        for value in (token, f"Bearer {token}"):
            answer = route.send(client, Sent({"Authorization": value}), admin_victim.ids)
            assert answer.status not in (401, 403), (route.name, answer)
            # A request with an accepted token can only fail because the profile already exists, or because the order's
            # status doesn't allow the change.
            assert answer.status < 400 or answer.json()["code"] in ("UserAlreadyExists", "InvalidTransition"), answer


def test_bearer_in_another_letter_case_is_accepted_or_gets_401(admin_victim: Victim, client: CheckedClient) -> None:
    """AWS doesn't document whether the letter case of `Bearer` matters, so the test allows either response."""
    for word in ("bearer", "BEARER", "BeArEr"):
        for route in ROUTES:
            if route.operation.method == "GET":
                sent = Sent({"Authorization": f"{word} {admin_victim.token(route.api)}"})
                assert route.send(client, sent, admin_victim.ids).status in (200, 401)


def test_wrong_tokens_reveal_a_route_without_its_scope(
    admin_victim: Victim, wrong: Mapping[Api, dict[str, Sent]], client: CheckedClient, stack: Stack
) -> None:
    """Without its scope, a route accepts a token that it must reject. `breaches` reports this.

    Requests can't reveal that a route has no authorizer. Without an authorizer, API Gateway passes no claims of a token
    to the function, and the function rejects requests without claims. test_tokens_graph.py detects such routes.
    """
    scopeless = wrong["http"]["by password, without scopes"]
    (route,) = (route for route in ROUTES if route.operation.operation_id == "getProduct")
    with _changed_route(stack, route, AuthorizationScopes=[]):
        assert breaches(route, route.send(client, scopeless, admin_victim.ids), scopeless, admin_victim.secrets)
    with _changed_route(stack, route, AuthorizationType="NONE"):
        url = client.frontend["httpApi"]["url"] + route.path(admin_victim.ids)
        assert client.send("GET", url).status == 401
    assert route.send(client, scopeless, admin_victim.ids).status == 403


@contextmanager
def _changed_route(stack: Stack, route: Route, **change: Any) -> Generator[None]:
    """Apply `change` to a route of the HTTP API until the context ends."""
    (api_id,) = (each["ApiId"] for each in stack.aws("apigatewayv2", "get_apis")["Items"])
    listed = stack.aws("apigatewayv2", "get_routes", ApiId=api_id)["Items"]
    (made,) = (each for each in listed if each["RouteKey"] == route.name)
    named = {"ApiId": api_id, "RouteId": made["RouteId"]}
    stack.aws("apigatewayv2", "update_route", **named, **change)
    try:
        yield
    finally:
        kept = {key: made[key] for key in ("AuthorizationScopes", "AuthorizationType", "AuthorizerId")}
        stack.aws("apigatewayv2", "update_route", **named, **kept)


def test_disabled_deleted_and_signed_out_users_get_no_new_tokens(
    people: People, client: CheckedClient, stack: Stack, proof: Proof
) -> None:
    """API gateways verify tokens without asking Cognito, on AWS and on the emulator.

    A user who is disabled, deleted, signed out or removed from group `admin` therefore has access until the token
    expires. test_tokens_graph.py checks that tokens expire after an hour at most. This test checks that Cognito
    immediately rejects the user's refresh token, and new sign-ins of a disabled or deleted user.
    """
    pool = stack.frontend["auth"]["userPoolId"]
    ends = ("admin_user_global_sign_out", "admin_disable_user", "admin_delete_user")
    for end in ends:
        person = people.somebody()
        sent = Sent({"Authorization": f"Bearer {person.id_token}"})
        refresh = _refresh_token(stack, person)
        stack.aws("cognito-idp", end, UserPoolId=pool, Username=person.email)
        assert client.rest("GET", "/orders", headers=sent.headers).status == 200
        with pytest.raises(CallError, match=r"NotAuthorized|UserNotFound"):
            authenticated(stack, "REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh})
        if end != "admin_user_global_sign_out":
            with pytest.raises(SignInError):
                client.sign_in(person.email, person.password)
    proof.tried(ends_of_accounts=len(ends))


def test_customer_sees_no_data_of_an_admin_and_has_no_admin_rights(
    admin_victim: Victim, customer: Person, proof: Proof
) -> None:
    before, found = admin_victim.things(), list[str]()
    ids = admin_victim.ids
    public = {"product_id", "quantity", *admin_victim.product}
    for route in ROUTES:
        token = customer.id_token if route.api == "rest" else customer.access_token
        answer = route.send(customer.client, Sent({"Authorization": f"Bearer {token}"}), ids)
        others = {name for name in route.operation.path_parameters if name not in public}
        if others:
            assert (answer.status, answer.json()["code"][-8:]) == (404, "NotFound"), (route.name, answer)
        if route.operation.operation_id == "putProduct":
            assert (answer.status, answer.json()["code"]) == (403, "Forbidden")
        private = [secret for secret in admin_victim.secrets if secret not in json.dumps(admin_victim.product)]
        found += [f"{route.name}: {secret}" for secret in private if secret in answer.text]
    proof.tried(routes_as_a_customer=len(ROUTES))
    assert found == []
    assert _without_stock(admin_victim.things()) == _without_stock(before)


def _without_stock(things: list[Any]) -> list[Any]:
    """Return `things` without the product's stock, which the customer's order reduced. The product is the last item."""
    return [*things[:-1], {key: value for key, value in things[-1].items() if key != "quantity"}]


def _refresh_token(stack: Stack, person: Person) -> str:
    by_password = {"USERNAME": person.email, "PASSWORD": person.password}
    return authenticated(stack, "USER_PASSWORD_AUTH", by_password)["RefreshToken"]
