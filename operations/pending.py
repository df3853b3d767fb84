"""Finds pending creations: resources that an interrupted update began to create, without recording the result.

`pulumi refresh --import-pending-creates` seems to be the remedy, but Pulumi 3.274 only changes the pending operation
from "creating" to "importing", and the refresh then drops it without reading the resource. `adopted` therefore writes
the resource into the state itself, with its import id and without outputs. A refresh then reads it from AWS by that id,
as `pulumi import` does, and removes it from the state if AWS does not have it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from operations.pulumi_cli import resources


def operations(state: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the pending operations of an exported state: creating, updating, deleting..., each with its resource."""
    entries: list[dict[str, Any]] = state["deployment"].get("pending_operations") or []
    found = [(str(entry["type"]), entry["resource"]) for entry in entries]
    # An interrupted `make recover` leaves resources in the state that no refresh has read from AWS. They count as
    # pending creations.
    unread = [resource for resource in resources(state) if _is_unread(resource)]
    return [*found, *(("creating", resource) for resource in unread)]


def creates(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources that an update began to create."""
    return [resource for kind, resource in operations(state) if kind == "creating"]


def adopted(state: Mapping[str, Any], ids: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the state without pending creations. Those that have an id in `ids` (by URN) become its resources."""
    changed = copy.deepcopy(dict(state))
    pending = creates(changed)
    kept = [resource for resource in resources(changed) if not _is_unread(resource)]
    for resource in pending:
        if id_ := ids[resource["urn"]]:
            _insert(kept, {**resource, "id": id_, "outputs": {}})
    changed["deployment"]["resources"] = kept
    changed["deployment"]["pending_operations"] = []
    return changed


def _insert(among: list[dict[str, Any]], resource: dict[str, Any]) -> None:
    """Insert a resource after everything that it refers to, as Pulumi requires. Mark what it replaces for deletion."""
    replaced = [other for other in among if other["urn"] == resource["urn"]]
    for other in replaced:
        if other.get("pendingReplacement"):
            # Pulumi has already deleted the old resource on AWS, so the state no longer needs it.
            among.remove(other)
        else:
            other["delete"] = True
    needed = {
        *resource.get("dependencies", ()),
        resource.get("parent"),
        resource.get("provider", "").rpartition("::")[0],
    }
    after = [number for number, other in enumerate(among, start=1) if other["urn"] in needed]
    among.insert(max(after, default=0), resource)


def _is_unread(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("custom") and resource["type"].startswith("aws:") and not resource.get("outputs"))
