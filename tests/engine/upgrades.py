"""Finds in a preview what an update would lose: data, addresses, and resources that a rename takes away."""

from __future__ import annotations

import json
from typing import Any, Final

from components.aws.protection import IRREPLACEABLE
from operations.renames import collisions
from tests.engine.engine import Engine
from tests.engine.stand_in import kinds

_LOSES: Final = ("delete", "replace")


def losses(engine: Engine, stack: str) -> list[str]:
    """Return one line for each resource that would be lost if the checkout's program were deployed to the stack."""
    preview: dict[str, Any] = json.loads(engine.must("preview", "--stack", stack, "--json").out)
    steps: list[dict[str, Any]] = preview["steps"]
    return [
        f"{step['urn']}: {step['op']}, although it holds data or an address (docs/upgrades.md)"
        for step in steps
        if step["op"] in _LOSES and kinds.type_of(step["urn"]) in IRREPLACEABLE
    ] + [str(found) for found in collisions(steps)]
