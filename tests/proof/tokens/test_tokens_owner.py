"""A user can't see other users' resources, and can't distinguish them from missing resources.

To check these tests, we broke copies of the program on purpose, and tests failed each time:

- GET /orders/{order_id} without the owner check: four tests failed.
- Cancellation and cursors without the owner check: five tests failed.
- GET /users/{user_id} without the owner check: two tests failed.
- Order ids derived from the idempotency key without the user: two tests failed.
- An additional database lookup for other users' orders: the test that compares times failed. Of 150 pairs of requests,
  the request for the other user's order was slower in 136.
"""

from __future__ import annotations

import base64
import math
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from local.client import Answer
from shared.domain.orders import order_id_for
from tests.journeys.people import People, Person, lines, unique
from tests.journeys.stack import Stack
from tests.proof.plugin import Dose, Proof
from tests.proof.tokens.matrix import Victim, victim

pytestmark = [pytest.mark.attack("wrong-tokens"), pytest.mark.emulator]

# These headers differ in every response, even for equal requests, so comparisons ignore them.
_OWN_TO_AN_ANSWER: Final = frozenset(
    {
        "date",
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "x-amzn-trace-id",
        "apigw-requestid",
        "x-amz-request-id",
        "x-amz-id-2",
    }
)
_BY_CHANCE: Final = 1e-5
NOBODY_S: Final = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def theirs(people: People) -> Victim:
    """Another user's profile, product and order."""
    return victim(people)


@pytest.fixture(scope="module")
def attacker(people: People) -> Person:
    """A customer with an account but without any orders."""
    return people.somebody()


def seen(answer: Answer) -> tuple[int, dict[str, str], str]:
    """Return everything that a client sees in a response, except for the parts that differ in every response."""
    body = answer.text
    if "request_id" in body:
        body = body.replace(answer.json()["request_id"], "")
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN_TO_AN_ANSWER}
    return answer.status, headers, body


PLACES: Final = (
    ("GET", "/orders/{order_id}"),
    ("POST", "/orders/{order_id}/cancel"),
    ("GET", "/users/{user_id}"),
    ("GET", "/orders?cursor={cursor}"),
)


def in_place(path: str, order_id: str, user_id: str) -> str:
    """Replace the placeholders of `path` with the ids and with the cursor of the page after the row `order_id`."""
    return path.format(order_id=order_id, user_id=user_id, cursor=cursor_behind(order_id))


def cursor_behind(row_id: str) -> str:
    """Return the cursor of the page after the row `row_id`. A cursor contains no secret, so anybody can create it."""
    return base64.urlsafe_b64encode(f"v1:{row_id}".encode()).decode().rstrip("=")


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_other_users_resources_and_missing_ones_get_equal_responses(
    attacker: Person, theirs: Victim, proof: Proof, method: str, path: str
) -> None:
    ids = theirs.ids
    others = attacker.rest(method, in_place(path, ids["order_id"], ids["user_id"]))
    none = attacker.rest(method, in_place(path, NOBODY_S, NOBODY_S))
    assert others.status in (400, 404)
    assert seen(others) == seen(none)
    assert len(others.text) == len(none.text)
    proof.tried(pairs_of_theirs_and_none=1)


def test_admin_can_read_other_users_data_but_not_change_it(admin: Person, theirs: Victim) -> None:
    """A user in the group `admin` may read any user and order, but may not cancel other users' orders or list them."""
    ids = theirs.ids
    assert admin.rest("GET", f"/orders/{ids['order_id']}").json() == theirs.order
    assert admin.rest("GET", f"/users/{ids['user_id']}").json()["email"] == theirs.person.email
    cancel, cursor = PLACES[1][1], PLACES[3][1]
    for method, path in (("POST", cancel), ("GET", cursor)):
        others = admin.rest(method, in_place(path, ids["order_id"], ids["user_id"]))
        assert seen(others) == seen(admin.rest(method, in_place(path, NOBODY_S, NOBODY_S)))
    listed = admin.rest("GET", "/orders?limit=100").json()["orders"]
    assert {order["user_id"] for order in listed} <= {admin.sub}
    assert theirs.person.read(ids["order_id"]) == theirs.order


def variants(order_id: str, user_id: str, own: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield (method, path, headers) of requests that refer to another user's order or profile in unusual ways."""
    as_user = ("X-User-Id", "X-Forwarded-User", "X-Amzn-Sub", "X-Original-User", "From")
    instead = ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-HTTP-Method-Override")
    for thing in (f"/orders/{order_id}", f"/users/{user_id}"):
        last = thing.rpartition("/")[2]
        yield "GET", thing.replace(last, last.upper()), {}
        yield "GET", thing + "/", {}
        yield "GET", thing + "%20", {}
        yield "GET", thing + "%00", {}
        yield "GET", thing + "?", {}
        yield "GET", thing + f"?user_id={user_id}&admin=true", {}
        yield "GET", thing.replace("-", "%2D"), {}
        yield "GET", f"/orders/{own}/..%2F{last}", {}
        yield "GET", thing + "%2F..%2F" + last, {}
        yield "GET", "/" + thing, {}
        yield from (("GET", thing, {name: user_id}) for name in as_user)
        yield "GET", thing, {"X-Groups": "admin", "Cognito-Groups": "admin"}
    yield from (("GET", "/orders", {name: f"/orders/{order_id}"}) for name in instead)
    for query in (f"user_id={user_id}", f"sub={user_id}", f"owner={user_id}", f"order_id={order_id}", "limit=100"):
        yield "GET", f"/orders?{query}", {}
    yield "POST", f"/orders/{order_id}%2Fcancel", {}
    yield "GET", f"/orders/{order_id}/cancel", {}


def test_no_spelling_of_a_path_shows_other_users_data(attacker: Person, theirs: Victim, proof: Proof) -> None:
    tried = list(variants(theirs.ids["order_id"], theirs.ids["user_id"], NOBODY_S))
    url = attacker.client.frontend["restApi"]["url"]
    found = list[str]()
    for method, path, headers in tried:
        answer = attacker.client.send(method, url + path, headers={"Authorization": attacker.id_token, **headers})
        assert answer.status in (200, 400, 403, 404), (method, path, answer)
        # Some of these requests reach GET /orders, which returns the attacker's own orders. The attacker has none.
        assert answer.status != 200 or answer.json() == {"orders": []}, (method, path, headers)
        found += [f"{path}: {secret}" for secret in theirs.secrets if secret in answer.text]
    proof.tried(spellings=len(tried))
    assert found == []
    assert theirs.person.read(theirs.ids["order_id"]) == theirs.order


def test_body_with_another_users_id_is_rejected(attacker: Person, theirs: Victim) -> None:
    order = lines({theirs.ids["product_id"]: 1})
    profile = {"name": "x", "email": attacker.email}
    for name in ("user_id", "sub", "owner", "order_id"):
        value = theirs.ids["order_id" if name == "order_id" else "user_id"]
        for path, body in (("/orders", order), ("/process", order), ("/users", profile)):
            assert attacker.rest("POST", path, {**body, name: value}).status == 400
    assert attacker.rest("GET", "/orders").json() == {"orders": []}


@pytest.mark.parametrize("path", ["/orders", "/process"])
def test_another_users_idempotency_key_creates_a_new_order(
    people: People, theirs: Victim, proof: Proof, path: str
) -> None:
    """Each user has separate keys. Another user's order with the same key is neither returned nor a conflict."""
    key, attacker = unique("their key"), people.somebody()
    ours, accepted = lines({theirs.ids["product_id"]: 1}), 200 if path == "/process" else 202
    before = theirs.person.rest("POST", path, ours, Idempotency_Key=key)
    assert before.status == accepted
    for number, body in enumerate((ours, lines({theirs.ids["product_id"]: 2}))):
        answer = attacker.rest("POST", path, body, Idempotency_Key=key if not number else f"{key}-{number}")
        assert (answer.status, answer.json()["user_id"]) == (accepted, attacker.sub)
        assert before.json()["order_id"] not in answer.text + str(answer.headers)
    other_body = people.somebody().rest("POST", path, lines({theirs.ids["product_id"]: 2}), Idempotency_Key=key)
    assert other_body.status == accepted
    again = theirs.person.rest("POST", path, ours, Idempotency_Key=key)
    assert again.json()["order_id"] == before.json()["order_id"]
    proof.tried(keys_of_somebody_else=3)


def test_location_header_contains_only_the_callers_own_ids(people: People, stack: Stack, theirs: Victim) -> None:
    attacker = people.somebody()
    order = attacker.rest(
        "POST", "/orders", lines({theirs.ids["product_id"]: 1}), Idempotency_Key=theirs.ids["order_id"]
    )
    profile = attacker.rest("POST", "/users", {"name": "x", "email": attacker.email})
    stage = stack.frontend["stage"]
    assert order.headers["location"] == f"/{stage}/orders/{order.json()['order_id']}"
    assert profile.headers["location"] == f"/{stage}/users/{attacker.sub}"
    assert order.json()["order_id"] != theirs.ids["order_id"]


def test_computed_order_id_gives_no_access_to_the_order(attacker: Person, theirs: Victim, domain: Any) -> None:
    """Anybody can compute an order's id from its owner's id and idempotency key, but can't read the order with it."""
    key = unique("known")
    made = theirs.person.order({theirs.ids["product_id"]: 1}, key=key)["order_id"]
    assert domain(theirs.person.sub, key) == made
    assert attacker.rest("GET", f"/orders/{made}").status == 404


@pytest.fixture
def domain() -> Callable[[str, str], str]:
    return order_id_for


def test_other_users_resources_and_missing_ones_take_equal_time(
    attacker: Person, theirs: Victim, dose: Dose, proof: Proof
) -> None:
    """A request for another user's resource must take as long as a request for a missing resource.

    The test sends both requests in pairs, and counts the pairs in which the request for the other user's resource is
    slower (a sign test). With equal times, these are about half of the pairs. A busy machine slows down both requests
    of a pair, so it doesn't make the test fail. With equal times, the test of one path fails at most once in 100,000
    runs. With the number of pairs in `make prove`, the test detects one additional database lookup, which takes a
    millisecond here. It can't detect differences of microseconds, such as the time to read an order of 25 lines instead
    of one.
    """
    pairs = dose(20, 150)
    fewest = rarely_fewer(pairs)
    ids, attempts = theirs.ids, (PLACES[0], PLACES[2], PLACES[3]) if dose.full else (PLACES[0],)
    url = attacker.client.frontend["restApi"]["url"]

    def seconds(method: str, path: str) -> float:
        began = time.perf_counter()
        attacker.client.send(method, url + path, headers={"Authorization": attacker.id_token})
        return time.perf_counter() - began

    for method, path in attempts:
        asked = in_place(path, ids["order_id"], ids["user_id"])
        slower = 0
        for number in range(pairs):
            absent = in_place(path, *(str(uuid.uuid4()),) * 2)
            # The position in a pair can make a request slower or faster. The test therefore alternates which of the two
            # requests it sends first.
            both = {each: seconds(method, each) for each in ((asked, absent) if number % 2 else (absent, asked))}
            slower += both[asked] > both[absent]
        proof.tried(timed_pairs=pairs)
        assert fewest <= slower <= pairs - fewest, (path, slower, pairs)


def rarely_fewer(pairs: int) -> int:
    """Return a number that both heads and tails almost always reach in `pairs` coin tosses.

    In at most 1 of 100,000 series of tosses, heads or tails occur less often.
    """
    chance, heads = 0.0, 0
    while (chance := chance + 2 * math.comb(pairs, heads) / 2**pairs) < _BY_CHANCE:
        heads += 1
    return heads
