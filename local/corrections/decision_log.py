"""Writes down what was allowed and what was refused, if LOCAL_DECISIONS names a file for it.

One JSON line each: {"who": a role's name or a service's principal, "action", "resource", "allowed": bool, "context":
the condition keys of the request}. `who` takes a role with the action sts:AssumeRole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any


def note(who: str, action: str, resource: str, *, allowed: bool, context: Mapping[str, Any] | None = None) -> None:
    """Write one decision down."""
    path = os.environ.get("LOCAL_DECISIONS")
    if not path:
        return
    known = {key: value for key, value in (context or {}).items() if value is not None}
    line = {"who": who, "action": action, "resource": resource, "allowed": allowed, "context": known}
    # Each line is written in one call, so lines of several threads do not mix (POSIX: O_APPEND).
    os.write(_opened(path), (json.dumps(line, default=str) + "\n").encode())


@cache
def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
