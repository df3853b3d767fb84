"""Tests that the largest order is far below the 256 KiB limit of Step Functions and EventBridge."""

from __future__ import annotations

import json

from components.functions import generated_code

LIMIT = 256 * 1024


def largest_content() -> dict[str, object]:
    lines = [{"product_id": f"{number:02}" + "p" * 62, "quantity": 1000} for number in range(25)]
    return {"items": lines}


def test_largest_test_order_has_the_maximum_values_of_the_openapi_document() -> None:
    schema = generated_code.schemas()["createOrder"]
    items = schema["properties"]["items"]
    assert items["maxItems"] == 25
    assert items["items"]["properties"]["quantity"]["maximum"] == 1000
    assert "{0,63}" in items["items"]["properties"]["product_id"]["pattern"]


def test_largest_order_fits_into_workflow_state() -> None:
    request = {"user_id": "u" * 36, "idempotency_key": "\u0001" * 255, "content": largest_content()}
    # API Gateway sends Step Functions a JSON document that contains the request as a JSON string, so the request is
    # encoded twice.
    as_text = json.dumps(json.dumps(request))
    # The workflow's state also contains the order in several forms: the order itself, its row in DynamoDB's JSON, the
    # notification, and the order's lines with their stock. The sum below is an upper bound for the size of all forms.
    row = {"L": [{"M": {name: {"S": "p" * 64} for name in ("product_id", "quantity", "unit_price")}}] * 25}
    kept = 4 * len(json.dumps(largest_content())) + 2 * len(json.dumps(row))
    assert len(as_text) + kept < LIMIT / 4
