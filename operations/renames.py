"""Finds, in a preview, each renamed resource that the update would delete from AWS.

Pulumi identifies a resource by its URN. If a resource was renamed without an alias, Pulumi creates a resource with the
new URN, and then deletes the resource with the old URN. If both resources have the same name on AWS, the creation
either fails or returns the existing resource. If it returns the existing resource, Pulumi then deletes this resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_NAMES: Final = (
    *("name", "bucket", "domain", "alarmName", "dashboardName", "domainName", "emailIdentity", "methodPath"),
    *("policyName", "stageName", "statementId", "targetId"),
)
"""Input properties that contain the name of a resource on AWS."""
_SCOPES: Final = (
    *("apiId", "eventBusName", "function", "functionName", "logGroupName", "qualifier", "restApi", "role", "rule"),
    *("scope", "userPoolId"),
)
"""Input properties that refer to the resource within which a name must be unique."""


@dataclass(frozen=True, kw_only=True)
class Collision:
    """A resource on AWS that an update creates under its new URN, and then deletes under its old URN."""

    created: str
    """URN of the created resource."""
    deleted: str
    """URN of the deleted resource."""
    name: str
    """The name that the created and the deleted resource have on AWS."""

    def __str__(self) -> str:
        return (
            f"{self.created}: got the name {self.name}, but the update then deletes {self.deleted}, which has the same "
            "name; allowed: one resource per name; give the new resource an alias (docs/upgrades.md)"
        )


def collisions(steps: Sequence[Mapping[str, Any]]) -> list[Collision]:
    """Return each resource that the update would create and then delete. `steps` comes from `pulumi preview --json`."""
    deleted = dict(_named(steps, "delete", "oldState"))
    return [
        Collision(created=urn, deleted=deleted[identity], name=identity[1])
        for identity, urn in _named(steps, "create", "newState")
        if identity in deleted
    ]


def _named(steps: Sequence[Mapping[str, Any]], operation: str, side: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((type, name on AWS), URN) for each step that performs `operation` on a resource with a name.

    `steps` comes from the preview. `side` is "oldState" for the resource before the update, or "newState" for the
    resource after the update.
    """
    for step in steps:
        if step["op"] != operation:
            continue
        state = step[side]
        inputs: Mapping[str, Any] = state.get("inputs") or {}
        if any(key in inputs for key in _NAMES):
            parts = [str(inputs[key]) for key in (*_SCOPES, *_NAMES) if key in inputs]
            yield (state["type"], " ".join(parts)), step["urn"]
