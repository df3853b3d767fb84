"""The owner of resources: one component of one stack, which gives its resources their names, tags and parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.aws.naming import Naming


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Names, tags and parent for the resources of one component."""

    naming: Naming
    """Naming scheme of the stack."""
    component: str
    """Value of the tag `Component`."""
    parent: pulumi.Resource
    """Parent of the resources in Pulumi's state."""

    def name(self, role: str, *, kind: str = "", suffix: str = "") -> str:
        """Return the physical name of the resource with this `role`. For the arguments, see Naming.physical."""
        return self.naming.physical(role, kind=kind, suffix=suffix)

    def tags(self) -> dict[str, str]:
        """Return the tags that each taggable resource of the component gets."""
        return self.naming.tags(self.component)

    def opts(self, **options: Any) -> pulumi.ResourceOptions:
        """Return resource options with the parent and with `options`, the other arguments of ResourceOptions."""
        return pulumi.ResourceOptions(parent=self.parent, **options)
