"""`python -m operations.drift STACK`: reports where AWS differs from Pulumi's state, and changes nothing.

Exit code 0: no difference; 1: differences, one line each; 2: the stack could not be compared.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, cast

from cli import endings
from operations import pulumi_cli
from operations.stack_outputs import ERROR_LOG, OperationError

_LONGEST_VALUE: Final = 80
_PART: Final = re.compile(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)')


def drift(stack: str) -> list[str]:
    """Return one line for each difference between AWS and the state of `stack`. Raises OperationError."""
    preview = pulumi_cli.document(stack, "refresh", "--preview-only", "--json")
    steps: list[dict[str, Any]] = preview.get("steps") or []
    return [line for step in steps for line in _differences(step)]


def _differences(step: Mapping[str, Any]) -> list[str]:
    old: dict[str, Any] = step.get("oldState") or {}
    title = f"{step['urn'].split('::')[2].rsplit('$', 1)[-1]} {pulumi_cli.name_of(step)}"
    if step["op"] == "delete":
        return [f"{title}: deleted on AWS (id {old.get('id', 'unknown')})"]
    diff = cast("dict[str, dict[str, Any]]", step.get("detailedDiff") or {})
    lines: list[str] = []
    for path, entry in diff.items():
        part = "inputs" if entry.get("inputDiff") else "outputs"
        new: dict[str, Any] = step.get("newState") or {}
        lines.append(f"{title}: {path}: state has {_shown(old, part, path)}, AWS has {_shown(new, part, path)}")
    return lines or ([] if step["op"] in ("same", "refresh", "read") else [f"{title}: changed on AWS"])


def _shown(state: Mapping[str, Any], part: str, path: str) -> str:
    """Return the property at `path` as JSON, shortened if it is long.

    `state` is the state of one resource. `part` says where to look for the property: in the "inputs" or the "outputs"
    of the resource. A path is for example `rules[0].name`.
    """
    value: Any = state.get(part)
    for quoted, index, name in _PART.findall(path):
        if isinstance(value, list) and index:
            items = cast("list[Any]", value)
            value = items[int(index)] if int(index) < len(items) else None
        elif isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(quoted or name)
        else:
            value = None
    if value is None:
        return "nothing"
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def main(arguments: list[str]) -> int:
    """Print the differences. Return 0 if there is none, 1 if there are some, 2 after an error."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m operations.drift STACK\n")
        return 2
    return endings.run(lambda: _command(arguments[0]), ERROR_LOG, known=(OperationError,), prefix="refresh", failed=2)


def _command(stack: str) -> int:
    found = drift(stack)
    for line in found:
        sys.stdout.write(f"{line}\n")
    if not found:
        sys.stdout.write(f"stack {stack}: AWS matches Pulumi's state\n")
        return 0
    sys.stdout.write(
        f"stack {stack}: {len(found)} difference(s); to make AWS match the program again, run "
        f"`make deploy STACK={stack} PULUMI_UP_FLAGS=--refresh`\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
