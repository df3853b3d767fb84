"""One naming scheme for all physical names and tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# The longest physical name that each kind of resource may have (AWS's service quotas).
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
    """Names and tags of one stack. Names are `{project}-{stack}-{role}`."""

    project: str
    """The Pulumi project's name, lower case."""
    stack: str
    """The Pulumi stack's name, lower case."""

    def physical(self, role: str, *, kind: str = "", suffix: str = "") -> str:
        """Return the name of the resource that plays `role`, e.g. `orders-dev-users`.

        `kind` is a key of LIMITS; `suffix` is appended as it is (`.fifo`). Raises ValueError where AWS would refuse it.
        """
        for part in (self.project, self.stack, role):
            if not _PART.fullmatch(part):
                message = (
                    f"name part: got {part!r}; allowed: lower-case letters, digits and single hyphens, a letter first"
                )
                raise ValueError(message)
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
        """Return the tags that every taggable resource of `component` carries."""
        return {"Project": self.project, "Stack": self.stack, "Component": component, "ManagedBy": "pulumi"}
