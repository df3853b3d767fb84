"""A log of all IAM decisions.

The environment variable LOCAL_DECISIONS contains the path of the log file. Without this variable, nothing is written.
Each line is a JSON object: {"who": the name of a role or the principal of a service, "action", "resource", "allowed":
bool, "context": the request's condition keys}. If a service assumes a role, `who` is the service, the action is
sts:AssumeRole and `resource` is the role.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any


def note(who: str, action: str, resource: str, *, allowed: bool, context: Mapping[str, Any] | None = None) -> None:
    """Append one decision to the log file, if LOCAL_DECISIONS is set."""
    path = os.environ.get("LOCAL_DECISIONS")
    if not path:
        return
    known = {key: value for key, value in (context or {}).items() if value is not None}
    line = {"who": who, "action": action, "resource": resource, "allowed": allowed, "context": known}
    # Write the line in one call, to a file in append mode (O_APPEND), so that the lines of several threads do not mix.
    os.write(_opened(path), (json.dumps(line, default=str) + "\n").encode())


@cache
def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
