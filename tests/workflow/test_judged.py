"""Tests of the order workflow's definition with asl-validator and the reference implementation of JSONata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.workflow import state_machine
from tests.workflow.conftest import Tables, express, standard, sync_order_id
from tests.workflow.harness import VALUES, Workflow
from tests.workflow.judges import reference_results, validator_complaints

DEFINITION = state_machine.load("order.asl.json")


def test_definition_file_with_placeholders_is_valid() -> None:
    assert validator_complaints(state_machine.WORKFLOWS / "order.asl.json") == ""


def test_definition_with_replaced_placeholders_is_valid(tmp_path: Path) -> None:
    deployed = tmp_path / "order.asl.json"
    deployed.write_text(state_machine.render(DEFINITION, VALUES, timeout_s=28), encoding="utf-8")
    assert validator_complaints(deployed) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Next": "IsInStock"', '"Next": "NoSuchState"'),
        ("{% $synchronous %}", "{% $synchronous ( %}"),
        ('"TimeoutSeconds": 8', '"TimeoutSeconds": "8 s"'),
        ('"Default": "ProcessOrder"', '"Otherwise": "ProcessOrder"'),
    ],
)
def test_validator_detects_errors(tmp_path: Path, old: str, new: str) -> None:
    stored = (state_machine.WORKFLOWS / "order.asl.json").read_text(encoding="utf-8")
    assert old in stored
    wrong = tmp_path / "order.asl.json"
    wrong.write_text(stored.replace(old, new, 1), encoding="utf-8")
    assert validator_complaints(wrong)


def test_jsonata_expressions_agree_with_the_reference_implementation(order_workflow: Workflow, tables: Tables) -> None:
    _run_all_paths(order_workflow, tables)
    used = {evaluation.expression for evaluation in order_workflow.evaluations}
    assert _expressions(DEFINITION) - used == set()

    # Leave out expressions with $now(): the reference implementation evaluates them later, so the result would be
    # another time.
    compared = [e for e in order_workflow.evaluations if "$now()" not in e.expression]
    results = reference_results([{"expression": e.expression, "bindings": e.bindings} for e in compared])
    for evaluation, result in zip(compared, results, strict=True):
        assert result == {"value": evaluation.result}, evaluation.expression


def _run_all_paths(workflow: Workflow, tables: Tables) -> None:
    """Run executions that together evaluate every expression, for orders with one, two and three lines."""
    for product_id in ("tea", "cup", "pot"):
        tables.product(product_id, 100)
    for lines in ([("tea", 1)], [("tea", 2), ("cup", 3)], [("tea", 1), ("cup", 1), ("pot", 1)]):
        key = str(len(lines))
        tables.dynamodb.unprocessed = [len(lines) - 1]
        workflow.run(express(lines, key=key))
        workflow.run(express(lines, key=key))
        workflow.run(express([("pot", 9)], key=key))
        for change in ({"status": {"S": "CANCELLED"}}, _reason("OutOfStock"), _reason("ValidationError")):
            tables.change(sync_order_id(key), change)
            workflow.run(express(lines, key=key))
        tables.accepted(lines, order_id=sync_order_id(f"left {key}"), synchronous=True)
        workflow.run(express(lines, key=f"left {key}"))
        many = [(product_id, 101) for product_id, _ in lines]
        workflow.run(express(many, key=f"short {key}"))
        workflow.run(express([(f"{product_id}-gone", 1) for product_id, _ in lines], key=f"gone {key}"))
    tables.accepted([("tea", 1), ("tea", 1)])
    workflow.run(standard([("tea", 1), ("tea", 1)]))
    workflow.run(express([("tea", 0)], key="invalid"))
    workflow.run({"request": {**express([("tea", 1)])["request"], "too_large": True}})
    workflow.run(express([("tea", 1)], key="expensive", expected_total=1))
    workflow.fail("ValidateInput", "KeyError", times=2)
    workflow.run(standard([("tea", 1)]))
    workflow.run(express([("tea", 1)], key="unvalidated"))
    workflow.meanwhile("UpdateInventory", lambda: tables.product("tea", 0))
    workflow.run(express([("tea", 1)], key="sold out"))
    workflow.fail("UpdateInventory", "KeyError")
    workflow.fail("SendNotification", "KeyError")
    workflow.run(express([("cup", 1)], key="failed"))


def _reason(code: str) -> dict[str, object]:
    reason = {"M": {"code": {"S": code}, "message": {"S": "earlier reason"}}}
    return {"status": {"S": "REJECTED"}, "reason": reason}


def _expressions(definition: object) -> set[str]:
    texts = json.loads(json.dumps(definition), object_hook=lambda fields: list(fields.values()))
    found: set[str] = set()
    pending: list[object] = [texts]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, str) and node.startswith("{%"):
            found.add(node[2:-2].strip())
    return found
