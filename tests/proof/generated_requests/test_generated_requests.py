"""Whatever is sent, the answer is one of the contract's.

Seen to fail: with bad JSON not caught, with a row's own column left in an order, and with an error for an id that is
not ASCII, in `test_the_attack_notices`; and with functions/shared/http.py as it was, whose routes did not take every id
(`NotFound` for `OrderNotFound`), by both attacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import pytest

from shared import request_body, rows
from shared.domain import products
from tests.proof.generated_requests.calls import Call, calls
from tests.proof.generated_requests.gateway import ADMIN, CUSTOMER, Apis
from tests.proof.generated_requests.oracle import faults, fill
from tests.proof.generated_requests.schema import HTTP, REST, Target, attack
from tests.proof.generated_requests.values import each
from tests.proof.generated_requests.world import APIS, World, world
from tests.proof.plugin import Dose, Proof

pytestmark = pytest.mark.attack("generated-requests")
_ALL: Final = {
    REST: {
        *("POST /users", "GET /users/{user_id}", "POST /orders", "GET /orders", "GET /orders/{order_id}"),
        "POST /orders/{order_id}/cancel",
    },
    HTTP: {"GET /products", "GET /products/{product_id}", "PUT /products/{product_id}"},
}


@pytest.mark.parametrize("document", [REST, HTTP])
def test_requests_of_the_document_are_answered_as_it_says(document: str, dose: Dose, proof: Proof) -> None:
    with world(*APIS) as functions:
        apis = Apis(functions.functions)
        target = (
            Target(document=REST, token=CUSTOMER, app=apis.rest(), without=("/process",))
            if document == REST
            else Target(document=HTTP, token=ADMIN, app=apis.http())
        )
        found = attack(target, cases=dose(90, 2000), seed=None if dose.full else 1, thorough=dose.full)
    proof.tried(cases_in_process=found.cases)
    proof.found(outside_the_contract=len(found.failures), server_errors=found.server_errors)
    assert not found.failures, "\n\n".join(found.failures[:3])
    assert found.succeeded == _ALL[document], "each operation was also asked for something that it does"


def test_raw_events_of_both_gateways_are_answered_by_the_contract(dose: Dose, proof: Proof) -> None:
    with world(*APIS) as functions:
        found = _answer_all(functions, dose(150, 3300), random=dose.full)
    proof.tried(cases_in_process=len(found))
    proof.found(outside_the_contract=0, server_errors=sum(status >= 500 for status in found))
    assert ({200, 201, 202, 400, 401, 403, 404, 409, 415} if dose.full else {200, 400, 404}) <= set(found)


def _answer_all(functions: World, examples: int, *, random: bool = False) -> list[int]:
    """Return the statuses of all answers; fails at the first that is not as it must be."""
    statuses: list[int] = []

    def answer(call: Call) -> None:
        functions.clear()
        fill(functions.dynamodb)
        before = _tables(functions)
        given = functions.functions[call.function](call.event)
        statuses.append(given["statusCode"])
        assert faults(call, given) == []
        if given["statusCode"] >= 400:
            assert _tables(functions) == before, "a refusal writes nothing"

    each(calls(), examples, answer, random=random)
    return statuses


def _tables(functions: World) -> dict[str, dict[str, Any]]:
    return {name: dict(table.items) for name, table in functions.dynamodb.tables.items()}


def _bad_json_is_not_caught() -> Any:
    return mock.patch.object(request_body, "parse", json.loads)


def _an_order_shows_its_row() -> Any:
    order_of = rows.order_of

    def leaky(row: Any) -> Any:
        return {**order_of(row), "request_hash": row["request_hash"]["S"]}

    return mock.patch.object(rows, "order_of", leaky)


def _an_odd_id_is_an_error() -> Any:
    def is_product_id(text: str) -> bool:
        return text.encode("ascii").isalnum()

    return mock.patch.object(products, "is_product_id", is_product_id)


@pytest.mark.parametrize("breakage", [_bad_json_is_not_caught, _an_order_shows_its_row, _an_odd_id_is_an_error])
def test_the_attack_notices(breakage: Callable[[], Any]) -> None:
    with breakage(), world(*APIS) as broken, pytest.raises(AssertionError):
        _answer_all(broken, 2000)
