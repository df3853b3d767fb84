"""Finds, in a preview, what an update would lose: data, URLs that frontends store, and resources without an alias.

If a resource was renamed and has no alias, Pulumi would delete it from AWS.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Sequence
from typing import Any, Final

from components.aws.protection import IRREPLACEABLE
from operations.renames import collisions
from tests.engine.engine import Engine
from tests.engine.stand_in import kinds
from tests.support.graph import ROOT

_LOSES: Final = ("delete", "replace")
_PAGE: Final = ROOT / "docs" / "upgrades.md"


def steps_from(version: str, stack: str) -> list[list[str]]:
    """Return the arguments of the pulumi commands that docs/upgrades.md requires before an update from `version`.

    The page contains the commands for the stack prod. This function replaces prod with `stack`.
    """
    _, _, section = _PAGE.read_text(encoding="utf-8").partition(f"### From release {version}\n")
    section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.strip() for line in section.splitlines() if line.strip().startswith("pulumi ")]
    return [[re.sub(r"\bprod\b", stack, part) for part in shlex.split(line)[1:]] for line in lines]


def unprotected(steps: Sequence[Sequence[str]]) -> set[str]:
    """Return the URNs of the resources whose protection the commands in `steps` remove."""
    return {step[2] for step in steps if list(step[:2]) == ["state", "unprotect"]}


def losses(engine: Engine, stack: str, *, documented: Collection[str] = ()) -> list[str]:
    """Return one line for each loss that a deployment of the engine's checkout to `stack` would cause.

    Deleting a resource whose URN is in `documented` does not count as a loss, but replacing it does.
    """
    preview: dict[str, Any] = json.loads(engine.must("preview", "--stack", stack, "--json").out)
    steps: list[dict[str, Any]] = preview["steps"]
    return [
        f"{step['urn']}: {step['op']}, although it contains data, or frontends store its URL (docs/upgrades.md)"
        for step in steps
        if step["op"] in _LOSES and kinds.type_of(step["urn"]) in IRREPLACEABLE
        if not (step["op"] == "delete" and step["urn"] in documented)
    ] + [str(found) for found in collisions(steps)]
