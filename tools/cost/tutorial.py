"""Reads the design of the source article (the tutorial) from tutorial.toml, to compare its cost with the platform's."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from tools.cost.capacity import Access
from tools.cost.design import Design, FunctionDesign, Log, MachineDesign
from tools.cost.recorded import FunctionUse, Lines, Use, WorkflowUse

TUTORIAL: Final = Path(__file__).resolve().parent / "tutorial.toml"


def tutorial() -> tuple[Use, Design]:
    """Return the tutorial's use of AWS by one order, and the tutorial's design."""
    text: dict[str, Any] = tomllib.loads(TUTORIAL.read_text(encoding="utf-8"))
    return _use(text), _design(text)


def _use(text: dict[str, Any]) -> Use:
    steps = text["workflow"]
    return Use(
        functions={
            each["name"]: FunctionUse(1, Lines(each["lines"], each["bytes"]), Lines()) for each in text["function"]
        },
        workflows={
            "workflow": WorkflowUse(1, steps["transitions"], steps["tasks"], Lines(steps["lines"], steps["bytes"]))
        },
        access_log=Lines(),
        calls=text["calls"],
        accesses=tuple((each["caller"], Access(each["kind"], each["table"], each["size"])) for each in text["access"]),
        events=tuple(text["event_bytes"]),
    )


def _design(text: dict[str, Any]) -> Design:
    log = Log(text["retention_days"])
    return Design(
        api=text["api"],
        has_firewall=False,
        access_log=log,
        functions={
            each["name"]: FunctionDesign(
                text["memory_mb"], text["architecture"], log, tells_success=each.get("tells_success", False)
            )
            for each in text["function"]
        },
        machines={"workflow": MachineDesign("STANDARD", log)},
        projections={},
        queue=text["queue"],
        has_archive=False,
        is_traced=text["is_traced"],
        monthly={},
    )
