"""Tests of the event schemas. Each order status has one schema, which describes the order as the REST API does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator

from components.aws.openapi import CONTRACTS, without_prose
from contracts.orders import DETAIL_TYPES, TRANSITIONS
from tests.contracts.answers import breaches, closed, document
from tests.contracts.test_openapi import NOT_DRAFT_4, nodes

SCHEMAS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((CONTRACTS / "events").glob("*.json"))
}
ORDER_ID = "00000000-0000-4000-8000-000000000001"
AT = "2026-01-02T03:04:05.678Z"


def detail(status: str) -> dict[str, Any]:
    """Return an event detail with all fields for an order with the status `status`."""
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


def test_each_order_status_has_one_event_and_one_schema() -> None:
    assert set(DETAIL_TYPES) == set(TRANSITIONS)
    assert sorted(DETAIL_TYPES.values()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_event_schema_is_json_schema_draft_4_without_references_or_unknown_fields(name: str) -> None:
    Draft4Validator.check_schema(SCHEMAS[name])
    for path, node in nodes(SCHEMAS[name]):
        assert "$ref" not in node
        assert path.endswith("/properties") or not NOT_DRAFT_4 & set(node), path
        assert node.get("type") != "object" or node["additionalProperties"] is False, path


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_order_in_an_event_has_the_same_schema_as_in_the_rest_api(name: str) -> None:
    event = SCHEMAS[name]["properties"]["order"]
    [status] = event["properties"]["status"]["enum"]
    order = without_prose(closed(variant(status)))
    if "reason" in order["properties"]:
        # Consumers of release 0.1.0 refuse unknown fields. Events therefore omit `details` from the field `reason`.
        order["properties"]["reason"]["properties"].pop("details", None)
    assert order == without_prose(event)


def variant(status: str) -> dict[str, Any]:
    """Return the REST API's schema of an order with the status `status`, in which all references are replaced."""
    variants = document("rest-api.yaml")["components"]["schemas"]["Order"]["oneOf"]
    [found] = [each for each in variants if each["properties"]["status"]["enum"] == [status]]
    return found


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
        ("REJECTED", {"reason": {"code": "OutOfStock", "message": "why", "details": []}}),
    ],
)
def test_event_that_violates_the_contract_is_invalid(status: Any, change: dict[str, Any]) -> None:
    broken = detail(status)
    broken["order"] |= change
    assert breaches(SCHEMAS[DETAIL_TYPES[status]], broken)


def test_rest_api_documents_each_order_status() -> None:
    order = document("rest-api.yaml")["components"]["schemas"]["Order"]
    statuses = [status for each in order["oneOf"] for status in each["properties"]["status"]["enum"]]
    assert statuses == list(TRANSITIONS) == list(order["discriminator"]["mapping"])


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("CONFIRMED", {"items": [{"product_id": "tea", "quantity": 2, "unit_price": 5, "name": "Tea"}]}),
        ("CANCELLED", {"items": [{"product_id": "tea", "quantity": 2, "unit_price": 5, "name": "Tea"}]}),
        ("REJECTED", {"reason": {"code": "PriceChanged", "message": "why"}}),
    ],
)
def test_event_schemas_already_accept_what_the_next_release_may_publish(status: Any, change: dict[str, Any]) -> None:
    coming = detail(status)
    coming["order"] |= change
    assert breaches(SCHEMAS[DETAIL_TYPES[status]], coming) == []
