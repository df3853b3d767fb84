"""Generated requests over HTTP, for behavior that only API Gateway has: tokens, models, templates and limits.

These tests found four defects in earlier versions:

- The emulator's permission check caused a 500 for `POST /orders/`.
- A request to an unknown path with a text body returned 415 instead of 404.
- POST /process returned 404 for requests for which POST /orders returns 415 or 413.
- A 415 response contained API Gateway's own message instead of the platform's message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from components.apis.rest_document import ANSWERED_MEDIA_TYPES
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack
from tests.proof.generated_requests.bodies import GOOD, MEDIA_TYPES, ODD_BODIES, VALID
from tests.proof.generated_requests.schema import HTTP, REST, Target, attack
from tests.proof.generated_requests.values import changed, each, seldom, values
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("generated-requests"), pytest.mark.emulator]
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ROUTES: Final = (
    "/",
    "/nothing",
    "/orders/a/b/c",
    "/users",
    "/process",
    "/order",
    "/Orders",
    "/products",
    "/orders.json",
)


@pytest.fixture(scope="module")
def stranger(people: People) -> Person:
    """A new user without a profile."""
    return people.somebody()


@pytest.fixture
def catalog_as_it_was(stack: Stack) -> Iterator[None]:
    """Restore the catalog after the attack."""
    table = stack.ops["tables"]["inventory"]

    def rows() -> dict[str, Any]:
        return {row["product_id"]["S"]: row for row in stack.aws("dynamodb", "scan", TableName=table)["Items"]}

    before = rows()
    yield
    for product_id, row in rows().items():
        if product_id not in before:
            stack.aws("dynamodb", "delete_item", TableName=table, Key={"product_id": {"S": product_id}})
        elif row != before[product_id]:
            stack.aws("dynamodb", "put_item", TableName=table, Item=before[product_id])


@pytest.mark.usefixtures("catalog_as_it_was")
def test_http_api_responses_match_the_openapi_document(stack: Stack, admin: Person, dose: Dose, proof: Proof) -> None:
    url = stack.frontend["httpApi"]["url"]
    target = Target(document=HTTP, token=admin.access_token, base_url=url)
    _hold(target, dose(12, 200), dose, proof)


@pytest.mark.usefixtures("catalog_as_it_was")
def test_rest_api_responses_match_the_openapi_document(  # noqa: PLR0917 - the arguments are fixtures
    stack: Stack, stranger: Person, admin: Person, watcher: Watcher, dose: Dose, proof: Proof
) -> None:
    url, products = stack.frontend["restApi"]["url"], tuple(admin.put(1_000_000) for _ in range(3))
    target = Target(document=REST, token=stranger.id_token, base_url=url, products=products, address=stranger.email)
    _hold(target, dose(30, 450), dose, proof)
    watcher.until(lambda: not _pending(stack, stranger), "no accepted order is PENDING")
    proof.found(orders_left_pending=0)


def _hold(target: Target, cases: int, dose: Dose, proof: Proof) -> None:
    found = attack(target, cases=cases, seed=None if dose.full else 1, thorough=dose.full)
    proof.tried(cases_over_HTTP=found.cases)
    proof.found(outside_the_contract=len(found.failures), server_errors=found.server_errors)
    assert not found.failures, "\n\n".join(found.failures[:3])
    assert not dose.full or found.succeeded == found.asked, "each operation must succeed at least once"


def _pending(stack: Stack, owner: Person) -> list[str]:
    found = stack.aws("dynamodb", "scan", TableName=stack.ops["tables"]["orders"])["Items"]
    return [
        row["order_id"]["S"] for row in found if row["user_id"]["S"] == owner.sub and row["status"]["S"] == "PENDING"
    ]


def _sent() -> st.SearchStrategy[tuple[str, str, str]]:
    """Generate orders that an HTTP client can send. Each one is (body, media type, suffix of the path)."""
    good = VALID["createOrder"]
    texts = seldom(good, changed(good) | values(), 2).map(json.dumps)
    odd = [body for body in ODD_BODIES if "\ud800" not in body]
    kinds = [kind for kind in MEDIA_TYPES if kind.isascii() and kind.isprintable()]
    return st.tuples(
        seldom(texts, st.sampled_from(odd), 3),
        seldom(st.sampled_from(GOOD), st.sampled_from(kinds), 3),
        seldom(st.just(""), st.sampled_from(("/", "//", "?a=b")), 3),
    )


def test_post_orders_and_post_process_reject_an_invalid_order_alike(stranger: Person, dose: Dose, proof: Proof) -> None:
    """POST /orders and POST /process must reject an order with the same status, code and message.

    Other responses are allowed to differ.
    """
    refused: list[int] = []

    def ask(sent: tuple[str, str, str]) -> None:
        body, kind, end = sent
        ways = [stranger.rest("POST", path + end, body.encode(), Content_Type=kind) for path in ("/orders", "/process")]
        told = [(answer.status, answer.json().get("code"), answer.json().get("message")) for answer in ways]
        assert max(answer.status for answer in ways) < 500
        if told[0][0] >= 400 or told[1][0] in (400, 413, 415):
            assert told[0] == told[1]
            refused.append(told[0][0])

    tried = each(_sent(), dose(7, 60), ask, random=dose.full)
    proof.tried(cases_over_HTTP=2 * tried)
    proof.found(refused_alike=len(refused))
    assert refused


def test_unknown_route_returns_404_for_any_request(stranger: Person, dose: Dose, proof: Proof) -> None:
    routes = st.sampled_from(_ROUTES) | st.text("abz09-._~!$&'()*+,;=:@%", max_size=12).map(
        lambda text: f"/none/{text}"
    )
    kinds = st.sampled_from(ANSWERED_MEDIA_TYPES)
    bodies = st.sampled_from([body for body in ODD_BODIES if "\ud800" not in body])
    known = {("POST", "/users"), ("POST", "/process")}

    def ask(sent: tuple[str, str, str, str]) -> None:
        method, path, body, kind = sent
        if (method, path) not in known:
            answer = stranger.rest(method, path.replace("%", "%25"), body.encode(), Content_Type=kind)
            assert (answer.status, answer.json()["code"]) == (404, "NotFound")

    tried = each(st.tuples(st.sampled_from(_METHODS), routes, bodies, kinds), dose(8, 80), ask, random=dose.full)
    proof.tried(cases_over_HTTP=tried)
