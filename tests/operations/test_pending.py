"""Tests that `make recover` adds a resource to Pulumi's state if an update was interrupted while creating it.

In the state, the resource must follow the resources that it depends on.
"""

from __future__ import annotations

from typing import Any

from operations import pending


def resource(name: str, *needs: str, type_: str = "aws:sqs/queue:Queue", **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::orders::{type_}::{name}"
    dependencies = [f"urn:pulumi:dev::orders::aws:sqs/queue:Queue::{need}" for need in needs]
    return {"urn": urn, "type": type_, "custom": True, "outputs": {"a": 1}, "dependencies": dependencies, **more}


def state(resources: list[dict[str, Any]], *pending_: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    operations = [{"type": kind, "resource": {**each, "outputs": None}} for kind, each in pending_]
    return {"version": 3, "deployment": {"resources": resources, "pending_operations": operations}}


def names(changed: dict[str, Any]) -> list[str]:
    return [each["urn"].rsplit("::", 1)[-1] for each in changed["deployment"]["resources"]]


def test_created_resource_is_inserted_after_its_dependencies() -> None:
    new = resource("new", "a")
    before = state([resource("a"), resource("b")], ("creating", new), ("updating", resource("b")))
    assert [kind for kind, _ in pending.operations(before)] == ["creating", "updating"]
    after = pending.adopted(before, {new["urn"]: "id-1"})
    assert names(after) == ["a", "new", "b"]
    assert after["deployment"]["resources"][1] | {"id": "id-1", "outputs": {}} == after["deployment"]["resources"][1]
    assert after["deployment"]["pending_operations"] == []
    assert before["deployment"]["pending_operations"]


def test_resource_that_does_not_exist_on_aws_is_not_added() -> None:
    new = resource("new")
    assert names(pending.adopted(state([resource("a")], ("creating", new)), {new["urn"]: None})) == ["a"]


def test_replaced_resource_is_marked_for_deletion() -> None:
    after = pending.adopted(state([resource("a")], ("creating", resource("a"))), {resource("a")["urn"]: "id-2"})
    assert [each.get("delete", False) for each in after["deployment"]["resources"]] == [False, True]


def test_resource_deleted_before_its_replacement_is_removed() -> None:
    old = resource("a", pendingReplacement=True)
    after = pending.adopted(state([old, resource("b", "a")], ("creating", resource("a"))), {old["urn"]: "id-2"})
    assert names(after) == ["a", "b"]


def test_recovery_continues_after_an_interruption() -> None:
    new = resource("new")
    after = pending.adopted(state([resource("a")], ("creating", new)), {new["urn"]: "id-1"})
    assert [each["urn"] for each in pending.creates(after)] == [new["urn"]]
    assert names(pending.adopted(after, {new["urn"]: None})) == ["a"]
