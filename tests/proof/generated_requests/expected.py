"""Computes from the contract which responses to a generated call are correct, without the handlers' own code.

Every test starts with the same rows: a profile and two orders (PENDING and CONFIRMED) of USER, one PENDING order of
OTHER_USER, and one product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared import rows
from shared.domain.cursors import encode
from tests.contracts import answers
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import ADDRESS, OTHER_USER, USER, Answer
from tests.journeys import checked_client
from tests.proof.generated_requests.bodies import expected_status, is_key
from tests.proof.generated_requests.calls import ANOTHERS, CONFIRMED, PENDING, PRODUCT, Call
from tests.proof.generated_requests.schema import REST

_CREATED: Final = "2026-01-02T03:04:05.678Z"
_ID: Final = re.compile(r"/[a-z]+/([^/]+)(?:/cancel)?/*")
_OWNERS: Final = {PENDING: USER, CONFIRMED: USER, ANOTHERS: OTHER_USER}
_PROFILE: Final[Any] = {"user_id": USER, "name": "Ada", "email": ADDRESS, "created_at": _CREATED}
_TEA: Final[Any] = {"name": "Tea", "unit_price": 500, "currency": "JPY", "quantity": 10}


def fill(dynamodb: FakeDynamoDB) -> None:
    """Write the rows with which every test starts."""
    dynamodb.put("users", rows.user_row(_PROFILE, request_id="r"))
    dynamodb.put("inventory", {"product_id": {"S": PRODUCT}, **rows.product_values(_TEA, request_id="r")})
    for order_id, owner in _OWNERS.items():
        order: Any = {
            "order_id": order_id,
            "user_id": owner,
            "status": "CONFIRMED" if order_id == CONFIRMED else "PENDING",
            "items": [{"product_id": PRODUCT, "quantity": 1}],
            "created_at": _CREATED,
            "updated_at": _CREATED,
        }
        row = rows.order_row(order, request_hash="h", synchronous=False)
        if order_id == CONFIRMED:
            order["items"][0] |= {"unit_price": _TEA["unit_price"], "name": _TEA["name"]}
            prices = {"total": {"N": str(_TEA["unit_price"])}, "currency": {"S": _TEA["currency"]}}
            row |= {"items": rows.lines_value(order["items"]), **prices}
        dynamodb.put("orders", row)


def faults(call: Call, given: Mapping[str, Any]) -> list[str]:
    """Return a text for each violation of the contract in `given`, the function's response to `call`."""
    answer, expected = Answer(given), _statuses(call)
    found = [] if answer.status in expected else [f"status {answer.status}, the contract allows {sorted(expected)}"]
    method, path = call.request.method, call.request.path
    if call.operation:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        told = checked_client.Answer(answer.status, headers, given["body"])
        found += checked_client.breaches(call.document, method, path, told)
    else:
        found += answers.faults(call.document, method, path, answer)
    if answer.status >= 400 and answer.body.get("request_id") != "gateway-request":
        found.append("the error's request_id is not the id of this request")
    given["body"].encode()
    return found


def _statuses(call: Call) -> set[int]:
    if not call.operation:
        return {404}
    caller = _caller(call)
    if caller is None:
        return {401}
    user_id, is_admin = caller
    named = _ID.fullmatch(call.request.path)
    identity = named[1] if named else ""
    own = {order_id for order_id, owner in _OWNERS.items() if owner == user_id}
    match call.operation:
        case "createUser":
            # USER already has a profile with the address ADDRESS. If USER creates the same profile again, the API
            # returns 409. If USER's verified address is another one, the API replaces the profile and returns 201.
            own = _verified_address(call.claims or {})
            return _written(call, 409 if (user_id, own) == (USER, ADDRESS) else 201, own)
        case "getUser":
            return {200} if identity == USER and (is_admin or user_id == USER) else {404}
        case "createOrder":
            return _written(call, 202) if _has_good_key(call.request.headers) else {400}
        case "getOrder" | "cancelOrder":
            seen = set(_OWNERS) if is_admin and call.operation == "getOrder" else own
            return {200} if identity in seen else {404}
        case "listOrders" | "listProducts":
            return _listed(call.request.query, own if call.document == REST else {PRODUCT})
        case "getProduct":
            return {200} if identity == PRODUCT else {404}
        case "putProduct":
            return _put(call, identity) if is_admin else {403}
        case _:
            # For all other operations, this check allows every documented status.
            return {int(status) for status in _documented(call) if status.isdecimal()}


def _documented(call: Call) -> Iterable[str]:
    operation = answers.operation_of(call.document, call.request.method, call.request.path)
    assert operation
    return operation["responses"]


def _written(call: Call, status: int, own_address: str = "") -> set[int]:
    refused = expected_status(call.operation, call.body, own_address)
    return {status if refused == 200 else refused}


def _put(call: Call, identity: str) -> set[int]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", identity):
        return {400}
    return _written(call, 200 if identity == PRODUCT else 201)


def _listed(query: Mapping[str, str], known: set[str]) -> set[int]:
    limit, cursor = query.get("limit"), query.get("cursor")
    good_limit = limit is None or limit in {str(number) for number in range(1, 101)}
    good_cursor = cursor is None or cursor in {encode(each) for each in known}
    return {200} if good_limit and good_cursor else {400}


def _has_good_key(headers: Mapping[str, str]) -> bool:
    return all(is_key(value) for name, value in headers.items() if name.lower() == "idempotency-key")


def _verified_address(claims: Mapping[str, Any]) -> str:
    """Return the verified email address in the token's claims, or "" if there is none."""
    address = claims.get("email")
    is_verified = claims.get("email_verified") in ("true", "True", True)
    return address if isinstance(address, str) and address.isascii() and is_verified else ""


def _caller(call: Call) -> tuple[str, bool] | None:
    """Return the caller's id and whether the caller is an admin, or None if the claims are invalid."""
    claims = call.claims or {}
    subject, groups = claims.get("sub"), claims.get("cognito:groups")
    if not isinstance(subject, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", subject):
        return None
    if claims.get("token_use") != ("id" if call.document == REST else "access"):
        return None
    if isinstance(groups, list):
        return subject, "admin" in groups
    text = groups if isinstance(groups, str) else ""
    if call.document == REST:
        return subject, "admin" in text.split(",")
    listed = re.fullmatch(r"\[(.*)\]", text, re.DOTALL)
    return subject, "admin" in listed[1].split(" ") if listed else text == "admin"
