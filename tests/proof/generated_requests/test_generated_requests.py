"""Tests that every response to a generated request is one that the API contract allows.

`test_attack_detects_broken_handlers` shows that the attack fails if invalid JSON isn't caught, if an order exposes an
internal attribute of its row, or if an id that isn't ASCII raises an error. The tests also failed with an earlier
version of functions/shared/http.py. Its routes didn't match every id, so it returned `NotFound` instead of
`OrderNotFound`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import pytest

from shared import request_body, rows
from shared.domain import products
from tests.fakes.gateway import ADDRESS
from tests.proof.generated_requests.calls import Call, calls
from tests.proof.generated_requests.expected import faults, fill
from tests.proof.generated_requests.gateway import ADMIN, CUSTOMER, Apis
from tests.proof.generated_requests.in_process import APIS, InProcessFunctions, in_process_functions
from tests.proof.generated_requests.schema import HTTP, REST, Target, attack
from tests.proof.generated_requests.values import each
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
def test_responses_of_functions_match_the_openapi_document(document: str, dose: Dose, proof: Proof) -> None:
    with in_process_functions(*APIS) as functions:
        apis = Apis(functions.functions)
        target = (
            Target(document=REST, token=CUSTOMER, app=apis.rest(), without=("/process",), address=ADDRESS)
            if document == REST
            else Target(document=HTTP, token=ADMIN, app=apis.http())
        )
        found = attack(target, cases=dose(90, 2000), seed=None if dose.full else 1, thorough=dose.full)
    proof.tried(cases_in_process=found.cases)
    proof.found(outside_the_contract=len(found.failures), server_errors=found.server_errors)
    assert not found.failures, "\n\n".join(found.failures[:3])
    assert found.succeeded == _ALL[document], "each operation must succeed at least once"


def test_responses_to_raw_gateway_events_match_the_contract(dose: Dose, proof: Proof) -> None:
    with in_process_functions(*APIS) as functions:
        found = _answer_all(functions, dose(150, 3300), random=dose.full)
    proof.tried(cases_in_process=len(found))
    proof.found(outside_the_contract=0, server_errors=sum(status >= 500 for status in found))
    assert ({200, 201, 202, 400, 401, 403, 404, 409, 415} if dose.full else {200, 400, 404}) <= set(found)


def _answer_all(functions: InProcessFunctions, examples: int, *, random: bool = False) -> list[int]:
    """Return the statuses of all responses. Raise at the first response that violates the contract."""
    statuses: list[int] = []

    def answer(call: Call) -> None:
        functions.clear()
        fill(functions.dynamodb)
        before = _tables(functions)
        given = functions.functions[call.function](call.event)
        statuses.append(given["statusCode"])
        assert faults(call, given) == []
        if given["statusCode"] >= 400:
            assert _tables(functions) == before, "a rejected request must write nothing"

    each(calls(), examples, answer, random=random)
    return statuses


def _tables(functions: InProcessFunctions) -> dict[str, dict[str, Any]]:
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
def test_attack_detects_broken_handlers(breakage: Callable[[], Any]) -> None:
    with breakage(), in_process_functions(*APIS) as broken, pytest.raises(AssertionError):
        _answer_all(broken, 2000)
