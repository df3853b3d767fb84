"""Tests of the event schemas: one per status, and consistent with the order in the REST API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator

from components.aws.openapi import CONTRACTS
from contracts.orders import DETAIL_TYPES, TRANSITIONS
from tests.contracts.answers import breaches, document
from tests.contracts.test_openapi import NOT_DRAFT_4, nodes

SCHEMAS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((CONTRACTS / "events").glob("*.json"))
}
ORDER_ID = "00000000-0000-4000-8000-000000000001"
AT = "2026-01-02T03:04:05.678Z"


def detail(status: str) -> dict[str, Any]:
    """Return a complete event detail for `status`."""
    line: dict[str, Any] = {"product_id": "tea", "quantity": 2}
    order: dict[str, Any] = {
        "order_id": ORDER_ID,
        "user_id": "u-1",
        "status": status,
        "created_at": AT,
        "updated_at": AT,
    }
    if status == "CONFIRMED":
        line["unit_price"] = 5
        order |= {"total": 10, "currency": "JPY"}
    if status in {"REJECTED", "FAILED"}:
        order["reason"] = {"code": "OutOfStock" if status == "REJECTED" else "InternalError", "message": "why"}
    return {"event_id": f"{ORDER_ID}:{status}", "order": {**order, "items": [line]}}


def test_each_status_has_one_event_and_schema() -> None:
    assert set(DETAIL_TYPES) == set(TRANSITIONS)
    assert sorted(DETAIL_TYPES.values()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_event_schema_is_strict_draft_4_without_references(name: str) -> None:
    Draft4Validator.check_schema(SCHEMAS[name])
    for path, node in nodes(SCHEMAS[name]):
        assert "$ref" not in node
        assert path.endswith("/properties") or not NOT_DRAFT_4 & set(node), path
        assert node.get("type") != "object" or node["additionalProperties"] is False, path


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_order_in_event_matches_order_in_api(name: str) -> None:
    api = document("rest-api.yaml")["components"]["schemas"]["Order"]
    event = SCHEMAS[name]["properties"]["order"]
    assert set(api["required"]) <= set(event["required"])
    for key, schema in event["properties"].items():
        if key not in {"status", "items", "reason"}:
            assert {**schema, "description": ""} == {**api["properties"][key], "description": ""}, key
    assert set(event["properties"]["status"]["enum"]) <= set(api["properties"]["status"]["enum"])
    line, api_line = event["properties"]["items"]["items"], api["properties"]["items"]["items"]
    for key, schema in line["properties"].items():
        assert schema == {k: v for k, v in api_line["properties"][key].items() if k != "description"}, key
    if "reason" in event["properties"]:
        codes = event["properties"]["reason"]["properties"]["code"]["enum"]
        assert set(codes) <= set(api["properties"]["reason"]["properties"]["code"]["enum"])


def test_api_and_events_have_the_same_reason_codes() -> None:
    api = document("rest-api.yaml")["components"]["schemas"]["Reason"]["properties"]["code"]["enum"]
    events = [
        code
        for name in ("OrderRejected", "OrderFailed")
        for code in SCHEMAS[name]["properties"]["order"]["properties"]["reason"]["properties"]["code"]["enum"]
    ]
    assert sorted(api) == sorted(events)


@pytest.mark.parametrize("status", sorted(DETAIL_TYPES))
def test_event_matches_only_the_schema_of_its_status(status: Any) -> None:
    valid = [name for name, schema in SCHEMAS.items() if not breaches(schema, detail(status))]
    assert valid == [DETAIL_TYPES[status]]


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("PENDING", {"total": 10}),
        ("PENDING", {"synchronous": True}),
        ("PENDING", {"items": []}),
        ("PENDING", {"created_at": "2026-01-02T03:04:05Z"}),
        ("CONFIRMED", {"total": None}),
        ("CONFIRMED", {"items": [{"product_id": "tea", "quantity": 2}]}),
        ("REJECTED", {"reason": {"code": "InternalError", "message": "why"}}),
        ("REJECTED", {"reason": None}),
        ("FAILED", {"reason": {"code": "OutOfStock", "message": "why"}}),
        ("CANCELLED", {"status": "PENDING"}),
    ],
)
def test_event_that_violates_the_contract_is_invalid(status: Any, change: dict[str, Any]) -> None:
    broken = detail(status)
    broken["order"] |= change
    assert breaches(SCHEMAS[DETAIL_TYPES[status]], broken)


def test_api_documents_each_status() -> None:
    statuses = document("rest-api.yaml")["components"]["schemas"]["OrderStatus"]["enum"]
    assert statuses == list(TRANSITIONS)
