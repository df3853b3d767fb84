"""Starts sweeps, which restart the workflows of late orders, without waiting for their schedule."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.journeys.rows import make_older
from tests.journeys.stack import Stack


def invoke(stack: Stack, function: str, event: dict[str, Any]) -> Any:
    answer = stack.aws("lambda", "invoke", FunctionName=stack.ops["functions"][function], Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def sweep(stack: Stack, order_id: str) -> None:
    """Set an order's creation time to ten minutes ago, mark the order as late, and start a sweep."""
    make_older(stack, order_id, timedelta(minutes=10))
    created = {"eventName": "INSERT", "dynamodb": {"Keys": {"order_id": {"S": order_id}}, "SequenceNumber": "1"}}
    assert invoke(stack, "mark_late_orders", {"Records": [created]}) == {"batchItemFailures": []}
    assert invoke(stack, "restart_late_orders", {})["running"] >= 1
