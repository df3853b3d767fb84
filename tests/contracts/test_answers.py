"""Tests that the response check detects errors. The tests of the API functions use this check for every response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contracts.answers import faults
from tests.fakes.gateway import Answer

USER: dict[str, Any] = {
    "user_id": "u-1",
    "name": "Ada",
    "email": "ada@example.com",
    "created_at": "2026-01-02T03:04:05.678Z",
}
ERROR = {"code": "NotFound", "message": "none", "request_id": "r"}
HEADERS = {"Content-Type": "application/json", "Location": "/prod/users/u-1"}


def answer(status: int, body: Any, headers: dict[str, str] = HEADERS) -> Answer:
    return Answer({"statusCode": status, "headers": headers, "body": json.dumps(body)})


def test_documented_response_is_accepted() -> None:
    assert faults("rest-api.yaml", "POST", "/users", answer(201, USER)) == []
    assert faults("rest-api.yaml", "GET", "/nothing", answer(404, ERROR)) == []
    assert faults("rest-api.yaml", "GET", "/users/u-1", answer(503, {**ERROR, "code": "InternalError"})) == []


@pytest.mark.parametrize(
    ("method", "path", "wrong"),
    [
        ("POST", "/users", answer(200, USER)),
        ("POST", "/users", answer(201, {**USER, "request_id": "internal"})),
        ("POST", "/users", answer(201, {**USER, "created_at": "2026-01-02"})),
        ("POST", "/users", answer(201, USER, {"Content-Type": "application/json"})),
        ("POST", "/users", answer(201, USER, {**HEADERS, "Content-Type": "text/plain"})),
        ("POST", "/users", answer(201, USER, {**HEADERS, "Location": "users/u-1"})),
        ("POST", "/users", answer(400, {"message": "no"})),
        ("POST", "/users", answer(400, {**ERROR, "code": "Nonsense"})),
        ("POST", "/users", answer(400, {**ERROR, "code": "NotFound"})),
        ("POST", "/users", answer(400, {**ERROR, "code": "ValidationError", "trace": "internal"})),
        ("GET", "/users/u-1", answer(400, ERROR)),
        ("GET", "/nothing", answer(200, USER)),
        ("GET", "/nothing", answer(404, {"message": "no"})),
    ],
)
def test_undocumented_response_is_detected(method: str, path: str, wrong: Answer) -> None:
    assert faults("rest-api.yaml", method, path, wrong)
