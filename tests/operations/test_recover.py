"""Tests that `make recover` uses the ids that an operator passes, for resources whose ids it cannot derive."""

from __future__ import annotations

from typing import Any

import pytest

from operations import pulumi_cli, recover

QUEUE, MAPPING = "aws:sqs/queue:Queue", "aws:lambda/eventSourceMapping:EventSourceMapping"


def test_passed_id_is_used_only_for_the_resource_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue and an event source mapping have the same logical name, and the operator passes an id for this name.

    Only the mapping gets this id, because `make recover` derives the id of the queue.
    """
    creates: list[dict[str, Any]] = [
        {"urn": f"urn:pulumi:dev::orders::{type_}::stream", "type": type_, "custom": True, "inputs": {"name": "q"}}
        for type_ in (QUEUE, MAPPING)
    ]
    provider = {
        "urn": "p",
        "type": "pulumi:providers:aws",
        "inputs": {"region": "r"},
        "arn": "arn:aws:sqs:r:123456789012:",
    }
    pending = [{"type": "creating", "resource": create} for create in creates]
    state = {"deployment": {"resources": [provider], "pending_operations": pending}}
    written: list[str] = []

    def exported(_stack: str) -> dict[str, Any]:
        return state

    def run(_stack: str, *arguments: str, text: str = "", **_: Any) -> str:
        if arguments[:2] == ("stack", "import"):
            written.append(text)
        return ""

    monkeypatch.setattr(pulumi_cli, "exported", exported)
    monkeypatch.setattr(pulumi_cli, "run", run)
    assert recover.recover("dev", {}) is False
    assert recover.recover("dev", {"stream": "uuid-1"}) is True
    assert '"id": "uuid-1"' in written[0]
    assert '"id": "https://sqs.r.amazonaws.com/123456789012/q"' in written[0]
    assert recover.recover("dev", {"stream": "none"}) is True
    assert '"id": "https://sqs.r.amazonaws.com/123456789012/q"' in written[1]
    assert MAPPING not in written[1]
