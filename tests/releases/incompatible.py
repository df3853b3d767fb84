"""Changes to the Lambda functions that work within one release, but write data that another release can't read.

test_data.py checks that the tests of this folder report each of these changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

from components.aws import openapi
from components.functions import generated_code
from tests.releases import reading, sources
from tests.releases.reading import Check


@dataclass(frozen=True)
class Edit:
    """Replaces every match of `pattern` with `replacement` in today's source files whose paths match `paths`."""

    paths: str
    pattern: str
    replacement: str


@dataclass(frozen=True)
class Incompatible:
    """An incompatible change, and the check that must detect it."""

    edits: tuple[Edit, ...]
    check: Check
    """The check that must report the change."""
    fault: str
    """Text that the check's report must contain."""
    only_old_functions_fail: bool = False
    """True if the changed functions can read the old data, but the old functions can't read the new data."""


_ROWS: Final = r"functions/shared/rows\.py"
_WORKFLOWS: Final = r"workflows/.*\.json"
_EVENTS: Final = r"contracts/events/.*\.json"
_WRITTEN_AS_SUM: Final = Edit(r"functions/shared/order_transactions\.py", '"#total": "total"', '"#total": "sum"')
_NEW_PROPERTY: Final = (
    Edit(r"functions/shared/events\.py", r'(?<=return \{)"event_id"', '"version": 1, "event_id"'),
    Edit(_EVENTS, r'(?<="properties": \{\n)    "event_id"', '    "version": {"type": "integer"},\n    "event_id"'),
)

INCOMPATIBLE: Final[Mapping[str, Incompatible]] = {
    "attribute of a row renamed": Incompatible(
        (Edit(r"functions/shared/(rows|order_store)\.py", r'"request_hash"(?=: \{|\])', '"body_hash"'),),
        reading.repeats,
        "POST /orders confirmed again.status: 202 became 500",
    ),
    "optional attribute of a row renamed": Incompatible(
        (
            _WRITTEN_AS_SUM,
            Edit(_ROWS, r'"total"(?= in row|\]\["N)', '"sum"'),
            Edit(r"workflows/order\.asl\.json", r"row\.total\.N", "row.sum.N"),
        ),
        reading.reads,
        ".body.total: missing",
    ),
    "optional attribute renamed, but read under both names": Incompatible(
        (
            _WRITTEN_AS_SUM,
            Edit(
                _ROWS,
                r'    if "total" in row:',
                '    if "sum" in row:\n        order["total"] = int(row["sum"]["N"])\n    if "total" in row:',
            ),
        ),
        reading.reads,
        ".body.total: missing",
        only_old_functions_fail=True,
    ),
    "format of cursors": Incompatible(
        (Edit(r"functions/shared/domain/cursors\.py", '"v1:"', '"v2:"'),),
        reading.reads,
        "status: 200 became 400",
    ),
    "optional property added to events": Incompatible(
        _NEW_PROPERTY, reading.mailed, 'became "ValidationError"', only_old_functions_fail=True
    ),
    "required property added to events": Incompatible(
        (*_NEW_PROPERTY, Edit(_EVENTS, r'(?<="required": \[\n)    "event_id"', '    "version",\n    "event_id"')),
        reading.started,
        "started: ValidationError",
    ),
    "hash of requests": Incompatible(
        (Edit(r"functions/shared/domain/orders\.py", r'separators=\(",", ":"\)', 'separators=(", ", ": ")'),),
        reading.repeats,
        "POST /orders pending again.status: 202 became 409",
    ),
    "ids of orders": Incompatible(
        (Edit(r"functions/shared/domain/orders\.py", "6f1b9f0e", "7f1b9f0e"),),
        reading.repeats,
        "POST /orders pending again.body.order_id",
    ),
    "attribute of claims renamed": Incompatible(
        (Edit(r"functions/send_email/claims\.py", r'claimed_until(?=": | <| =)', "held_until"),),
        reading.mailed,
        'later: "True" became "MailClaimed"',
    ),
    "input of the workflow": Incompatible(
        (
            Edit(r"functions/shared/order_workflow\.py", r'\{"order": order\}', '{"accepted": order}'),
            Edit(r"functions/validate_order/handler\.py", r'fields.get\("order"\)', 'fields.get("accepted")'),
            Edit(_WORKFLOWS, r"states\.input\.order\b", "states.input.accepted"),
        ),
        reading.finished,
        "execution of",
    ),
    "keys of analytics records": Incompatible(
        (Edit(r"functions/record_analytics/analytics_record\.py", "orders/dt=", "orders/day="),),
        reading.analyzed,
        "objects: ",
    ),
}
MARKED_ORDER: Final = (
    Edit(r"functions/validate_order/handler\.py", r'"order": order,', '"order": {**order, "valid": True},'),
    Edit(
        r"functions/update_inventory/handler\.py",
        r'parse_order\(fields.get\("order"\)\)',
        'parse_order({name: each for name, each in fields["order"].items() if name != "valid"})',
    ),
)
"""An incompatible change that breaks only executions whose two functions are of different releases."""
NEW_FIELD: Final = (
    Edit(
        r"functions/shared/rows\.py",
        r'(?=        "email": row)',
        '        "tier": row.get("tier", {}).get("S", "basic"),\n',
    ),
)
"""A compatible change: profiles get a new field, which has a default value for rows without it."""


def edited(edits: tuple[Edit, ...], folder: Path) -> Path:
    """Apply `edits` to today's sources, write the result to `folder`, and return `folder`."""
    files = sources.of_today()
    for edit in edits:
        chosen = [path for path in files if re.fullmatch(edit.paths, path)]
        assert chosen, f"{edit.paths}: no source file has a path that matches this pattern"
        for path in chosen:
            text, count = re.subn(edit.pattern, edit.replacement, files[path].decode())
            assert count, f"{path}: {edit.pattern} not found"
            files[path] = text.encode()
    sources.extract(files, folder)
    with mock.patch.object(openapi, "CONTRACTS", folder / "contracts"):
        checks = {f"{sources.CHECKS}/{name}": code for name, code in generated_code.checks().items()}
    return sources.extract(checks, folder)
