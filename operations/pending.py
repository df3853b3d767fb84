"""Finds pending creations: resources that an interrupted update began to create, without recording the result.

`pulumi refresh --import-pending-creates` does not help: Pulumi 3.274 changes the pending operation from "creating" to
"importing", and then drops it without reading the resource from AWS. The function `adopted` therefore writes each
resource into the state, with its import id and without outputs. The next refresh reads the resource from AWS by this
id, as `pulumi import` does. If AWS does not have the resource, the refresh removes it from the state.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from operations.pulumi_cli import resources


def operations(state: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the pending operations in the exported `state` as (type, resource). A type is, for example, "creating"."""
    entries: list[dict[str, Any]] = state["deployment"].get("pending_operations") or []
    found = [(str(entry["type"]), entry["resource"]) for entry in entries]
    # `make recover` adds pending creations to the state without outputs, and a refresh later reads them from AWS. If
    # the command was interrupted before the refresh, these resources still count as pending creations.
    unread = [resource for resource in resources(state) if _is_unread(resource)]
    return [*found, *(("creating", resource) for resource in unread)]


def creates(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources in `state` that an update began to create, without recording the result."""
    return [resource for kind, resource in operations(state) if kind == "creating"]


def adopted(state: Mapping[str, Any], ids: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a copy of `state` without pending operations.

    `ids` maps the URN of each pending creation to its import id, or to None if AWS does not have the resource.
    Resources with an id are added to the copy, and a refresh reads them from AWS later.
    """
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
    """Insert `resource` into the list `among`, after all resources that it depends on.

    If `among` already contains a resource with the same URN, mark this old resource for deletion. If Pulumi has already
    deleted the old resource on AWS, remove it from `among` instead.
    """
    replaced = [other for other in among if other["urn"] == resource["urn"]]
    for other in replaced:
        if other.get("pendingReplacement"):
            # `pendingReplacement` means that Pulumi has already deleted the old resource on AWS. The state no longer
            # needs it.
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
