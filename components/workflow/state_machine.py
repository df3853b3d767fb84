"""Reads workflow definitions (Amazon States Language in JSON) and fills in their placeholders.

A placeholder is `${name}` in a value or a key. This module replaces placeholders in the parsed JSON, so quotes in a
value cannot break the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

WORKFLOWS: Final = Path(__file__).resolve().parents[2] / "workflows"
DEFINITION: Final = "order.asl.json"
"""The workflow that decides an order."""
ACCEPTED_DEFINITION: Final = "accepted-order.asl.json"
"""The workflow of an accepted order. It runs the workflow DEFINITION until the order is decided."""
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")

State = Mapping[str, Any]


def load(name: str) -> dict[str, Any]:
    """Return the parsed definition `workflows/{name}`, without replacing its placeholders."""
    return cast("dict[str, Any]", json.loads((WORKFLOWS / name).read_text(encoding="utf-8")))


def placeholders(node: Any) -> frozenset[str]:
    """Return the names of all placeholders in `node`."""
    return frozenset(name for text in _texts(node) for name in _PLACEHOLDER.findall(text))


def check_placeholders(definition: Mapping[str, Any], given: Mapping[str, object]) -> None:
    """Raise ValueError unless the keys of `given` are exactly the placeholders of `definition`."""
    wanted, names = placeholders(definition), frozenset(given)
    if wanted != names:
        message = (
            f"placeholders of the workflow: missing values {sorted(wanted - names)}, "
            f"unused values {sorted(names - wanted)}; pass one value for each ${{name}}"
        )
        raise ValueError(message)


def render(definition: Mapping[str, Any], values: Mapping[str, str], *, timeout_s: int) -> str:
    """Return the definition as JSON text, with `values` in place of its placeholders and the time limit `timeout_s`.

    Raises ValueError if a value is missing or unused.
    """
    check_placeholders(definition, values)
    filled = cast("dict[str, Any]", _filled(definition, values))
    return json.dumps({**filled, "TimeoutSeconds": timeout_s}, ensure_ascii=False)


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """Yield each state with its name, including states inside Parallel states."""
    for name, state in cast("dict[str, State]", definition["States"]).items():
        yield name, state
        for branch in state.get("Branches", ()):
            yield from states(branch)


def tasks(definition: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """Yield each Task state with its name."""
    return ((name, state) for name, state in states(definition) if state["Type"] == "Task")


def task_timeout_s(definition: Mapping[str, Any], task: str) -> int:
    """Return the time limit of one attempt of `task`, in seconds."""
    return int(dict(tasks(definition))[task]["TimeoutSeconds"])


def fail_errors(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the error name of each Fail state, by the name of the state."""
    return {name: str(state["Error"]) for name, state in states(definition) if state["Type"] == "Fail"}


def longest_way_s(definition: Mapping[str, Any]) -> int:
    """Return the longest time in seconds that the workflow can take if it repeats no state.

    Each Task state counts once, with its time limit, and each Wait state with its seconds. A Wait state whose seconds
    an expression calculates counts as 0 s. The workflows wait in such a state only before they repeat earlier states,
    and repetitions do not count here.
    """
    return _longest_s(cast("dict[str, State]", definition["States"]), str(definition["StartAt"]), frozenset())


def _longest_s(within: Mapping[str, State], name: str, seen: frozenset[str]) -> int:
    state = within[name]
    waits = state.get("Seconds", 0)
    own = int(state.get("TimeoutSeconds", 0)) + (waits if isinstance(waits, int) else 0)
    own += max((longest_way_s(branch) for branch in state.get("Branches", ())), default=0)
    nexts = set(following(state)) - seen - {name}
    return own + max((_longest_s(within, each, seen | {name}) for each in nexts), default=0)


def following(state: State) -> Iterator[str]:
    """Yield the names of the states that can follow `state`."""
    for rule in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in rule:
            yield rule["Next"]
    if "Default" in state:
        yield state["Default"]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            yield key
            yield from _texts(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _texts(item)


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _PLACEHOLDER.sub(lambda found: values[found[1]], node)
    if isinstance(node, Mapping):
        fields = cast("Mapping[str, Any]", node)
        return {_filled(key, values): _filled(value, values) for key, value in fields.items()}
    if isinstance(node, list):
        return [_filled(item, values) for item in cast("list[Any]", node)]
    return node
