"""Tests that `collisions` finds, in the steps of a preview, resources that were renamed without an alias."""

from __future__ import annotations

from typing import Any

from operations.renames import collisions

QUEUE, POLICY = "aws:sqs/queue:Queue", "aws:iam/rolePolicy:RolePolicy"


def step(operation: str, type_: str, logical_name: str, **inputs: str) -> dict[str, Any]:
    side = "oldState" if operation == "delete" else "newState"
    urn = f"urn:pulumi:dev::orders::{type_}::{logical_name}"
    return {"op": operation, "urn": urn, side: {"type": type_, "inputs": inputs}}


def test_created_resource_with_the_name_of_a_deleted_one_is_reported_with_the_remedy() -> None:
    steps = [step("create", QUEUE, "new", name="orders-dev-q"), step("delete", QUEUE, "old", name="orders-dev-q")]
    (found,) = collisions(steps)
    assert str(found) == (
        "urn:pulumi:dev::orders::aws:sqs/queue:Queue::new: got the name orders-dev-q, but the update then deletes "
        "urn:pulumi:dev::orders::aws:sqs/queue:Queue::old, which has the same name; allowed: one resource per name; "
        "give the new resource an alias (docs/upgrades.md)"
    )


def test_equal_names_inside_different_roles_do_not_collide() -> None:
    steps = [
        step("create", POLICY, "new", role="one", name="permissions"),
        step("delete", POLICY, "old", role="other", name="permissions"),
    ]
    assert collisions(steps) == []


def test_created_and_deleted_resources_with_different_names_do_not_collide() -> None:
    steps = [step("create", QUEUE, "new", name="orders-dev-a"), step("delete", QUEUE, "old", name="orders-dev-b")]
    assert collisions(steps) == []
