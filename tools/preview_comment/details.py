"""Lists every change of a preview in short lines. Equal changes of several resources share a line."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from tools.preview_comment.preview import UNKNOWN, Change

_SIGNS: Final = {"create": "+", "update": "~", "replace": "!", "delete": "-"}
_DONE: Final = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
_VALUE: Final = 60
_NAMES: Final = 30
# The values of these inputs are whole documents or archives, so the diff contains only the names of these inputs. Other
# sections of the comment describe changes of routes and permissions.
_DOCUMENTS: Final = ("body", "policy", "assumeRolePolicy", "definition", "dashboardBody", "code")


def counts(changes: Iterable[Change]) -> str:
    """Return how many resources the update changes, for example `3 to create, 1 to delete`."""
    found = Counter(change.op for change in changes if change.is_custom)
    listed = [op for op in (*_DONE, *sorted(found.keys() - _DONE.keys())) if found[op]]
    return ", ".join(f"{found[op]} {_DONE.get(op, op)}" for op in listed) or "no changes"


def lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield the lines of a diff that lists all changes. Deletions and replacements come first."""
    groups: dict[tuple[int, str, str], list[Change]] = defaultdict(list)
    order = ["delete", "replace", "create", "update"]
    for change in changes:
        if change.is_custom:
            position = order.index(change.op) if change.op in order else len(order)
            groups[position, change.op, _detail(change)].append(change)
    for (_, op, detail), group in sorted(groups.items()):
        sign = f"{_SIGNS[op]} " if op in _SIGNS else f"# {op} "
        if detail and len(group) > 1:
            yield f"{sign}{detail}: {len(group)} resources: {_names(group)}"
            continue
        of_type: dict[str, list[Change]] = defaultdict(list)
        for each in group:
            of_type[each.type.removeprefix("aws:").rpartition(":")[2]].append(each)
        for type_, each in sorted(of_type.items()):
            number = f" ({len(each)})" if len(each) > 1 else ""
            yield f"{sign}{type_}{number} {_names(each)}" + (f": {detail}" if detail else "")


def _names(group: list[Change]) -> str:
    names = sorted({change.name for change in group})
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _detail(change: Change) -> str:
    if change.op not in ("update", "replace"):
        return ""
    keys = dict.fromkeys([*change.replaced_for, *change.differs])
    return ", ".join(_difference(key, (change.old or {}).get(key), (change.new or {}).get(key)) for key in keys)


def _difference(key: str, old: Any, new: Any) -> str:
    if key in _DOCUMENTS:
        return key
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
        inner = [each for each in sorted({*before, *after}) if before.get(each) != after.get(each)]
        return ", ".join(f"{key}.{_difference(each, before.get(each), after.get(each))}" for each in inner) or key
    return f"{key} {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if UNKNOWN in str(value):
        return "known after the update"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    text = " ".join(text.split())
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"
