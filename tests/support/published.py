"""Converts an order from the format of the APIs to that of events."""

from __future__ import annotations

from typing import Any


def as_published(order: dict[str, Any]) -> dict[str, Any]:
    """Return `order` as events contain it: without the fields that consumers of release 0.1.0 don't know."""
    lines = [{name: value for name, value in line.items() if name != "name"} for line in order["items"]]
    reason = {"reason": {name: order["reason"][name] for name in ("code", "message")}} if "reason" in order else {}
    return {**order, "items": lines, **reason}
