"""Builds the physical names and the tags of all resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# AWS's maximum length of a physical name, in characters, for each kind of resource.
LIMITS: Final = {
    "alarm": 255,
    "archive": 48,
    "bucket": 63,
    "cognito-domain": 63,
    "dashboard": 255,
    "function": 64,
    "log-group": 512,
    "queue": 80,
    "role": 64,
    "rule": 64,
    "state-machine": 80,
    "table": 255,
    "topic": 256,
}
_DEFAULT_LIMIT: Final = 64
_PART: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Builds the names and tags of one stack. Every name has the form `{project}-{stack}-{role}`."""

    project: str
    """Name of the Pulumi project, in lower case."""
    stack: str
    """Name of the Pulumi stack, in lower case."""

    def physical(self, role: str, *, kind: str = "", suffix: str = "") -> str:
        """Return the physical name of the resource with this `role` in the stack, for example `orders-dev-users`.

        `kind` is a key of LIMITS, and determines the maximum length of the name. `suffix` is appended unchanged, for
        example `.fifo`. Raises ValueError for a name that AWS would refuse.
        """
        for part in (self.project, self.stack, role):
            if not _PART.fullmatch(part):
                raise ValueError(
                    f"name part: got {part!r}; allowed: lower-case letters, digits and single hyphens; "
                    "it must start with a letter"
                )
        name = f"{self.project}-{self.stack}-{role}{suffix}"
        limit = LIMITS[kind] if kind else _DEFAULT_LIMIT
        if len(name) > limit:
            message = (
                f"name {name!r} has {len(name)} characters; AWS allows {limit} for a {kind or 'resource'}; "
                "choose a shorter stack name"
            )
            raise ValueError(message)
        return name

    def tags(self, component: str) -> dict[str, str]:
        """Return the tags of every taggable resource of `component`."""
        return {"Project": self.project, "Stack": self.stack, "Component": component, "ManagedBy": "pulumi"}
