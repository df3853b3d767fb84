"""Tests that each difference between Pulumi's state and AWS is reported in one line with both values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations import drift, pulumi_cli

URN = "urn:pulumi:dev::orders::orders:index:Events$aws:sqs/queue:Queue::jobs"


def reported(monkeypatch: pytest.MonkeyPatch, **step: Any) -> list[str]:
    document = json.dumps({"steps": [{"urn": URN, "op": "update", **step}, {"urn": URN, "op": "same"}]})

    def run(*_: str) -> str:
        return document

    monkeypatch.setattr(pulumi_cli, "run", run)
    return drift.drift("dev")


def test_changed_values_in_lists_and_mappings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ('tags["a.b"]', "rules[1].name", "rules[2]")
    lines = reported(
        monkeypatch,
        oldState={"inputs": {"tags": {"a.b": "x"}, "rules": [{}, {"name": 1}]}},
        newState={"inputs": {"tags": {}, "rules": [{}, {"name": "y" * 100}, True]}},
        detailedDiff={path: {"kind": "update", "inputDiff": True} for path in paths},
    )
    title = "aws:sqs/queue:Queue jobs"
    assert lines == [
        f'{title}: tags["a.b"]: state has "x", AWS has nothing',
        f'{title}: rules[1].name: state has 1, AWS has "{"y" * 79}…',
        f"{title}: rules[2]: state has nothing, AWS has true",
    ]


def test_drift_without_details_from_pulumi_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(monkeypatch, detailedDiff=None) == ["aws:sqs/queue:Queue jobs: changed on AWS"]


def test_deleted_resource_is_reported_with_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(monkeypatch, op="delete", oldState={"id": "q"}) == [
        "aws:sqs/queue:Queue jobs: deleted on AWS (id q)"
    ]
