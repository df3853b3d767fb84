"""Parses the output of `pulumi preview --json`: the changes, the violated policies and the errors.

The CLI prints one document with all steps, or one event per line if PULUMI_ENABLE_STREAMING_JSON_PREVIEW is set. Only
the events contain the violated policies. `--show-sames` adds the unchanged resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's text for a value that is known only after the update."""
_REPLACES: Final = ("replace", "create-replacement", "delete-replaced")
# The engine reports these steps for resources that the update does not change.
_UNCHANGED: Final = ("same", "read", "refresh")
_MANDATORY: Final = "mandatory"

Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What the update does with one resource."""

    urn: str
    op: str
    """`create`, `update`, `replace`, `delete`, `same`, or a rarer operation of the engine, for example `import`."""
    old: Inputs | None = None
    """The inputs before the update, or None for a new resource."""
    new: Inputs | None = None
    """The inputs after the update, or None for a deleted resource."""
    is_custom: bool = True
    """Whether a provider manages the resource. A component is not custom."""
    is_retained: bool = False
    """Whether a deletion leaves the resource on AWS (`retainOnDelete`)."""
    differs: tuple[str, ...] = ()
    """The inputs that change."""
    replaced_for: tuple[str, ...] = ()
    """The inputs whose change replaces the resource."""

    @property
    def type(self) -> str:
        """The type token, for example `aws:sqs/queue:Queue`."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[3]


@dataclass(frozen=True)
class Violation:
    """A violated rule of the policy pack."""

    rule: str
    message: str
    urn: str
    is_mandatory: bool


@dataclass(frozen=True)
class Preview:
    """A preview of one stack."""

    changes: list[Change]
    """One change per resource, including the resources that the update does not change."""
    violations: list[Violation] = field(default_factory=list[Violation])
    errors: list[str] = field(default_factory=list[str])
    is_complete: bool = True
    """Whether the engine reached the end of the preview."""

    @property
    def changed(self) -> list[Change]:
        """`changes` without the resources that the update does not change."""
        return [change for change in self.changes if change.op not in _UNCHANGED]


def read(printed: str) -> Preview:
    """Return the preview that the CLI printed. Lines of other programs around the JSON are ignored."""
    lines = printed.splitlines()
    starts = [position for position, line in enumerate(lines) if line.startswith("{")]
    if starts and lines[starts[0]].strip() == "{":
        try:
            document, _ = json.JSONDecoder().raw_decode("\n".join(lines[starts[0] :]))
        except json.JSONDecodeError:
            return Preview([], is_complete=False)
        return _of_document(document)
    return _of_events(list(_events(lines[position] for position in starts)))


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            # The CLI was stopped in the middle of a line, so no further events follow.
            return


def _of_document(document: Mapping[str, Any]) -> Preview:
    steps = (
        _change({**step, "old": step.get("oldState"), "new": step.get("newState"), "keys": step.get("replaceReasons")})
        for step in cast("list[dict[str, Any]]", document.get("steps") or [])
    )
    diagnostics = cast("list[Any]", document.get("diagnostics") or [])
    errors = [_error(each) for each in diagnostics if each["severity"] == "error"]
    return Preview(_merged(steps), errors=errors, is_complete="changeSummary" in document)


def _of_events(events: list[dict[str, Any]]) -> Preview:
    diagnostics = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    summaries = [event["summaryEvent"] for event in events if "summaryEvent" in event]
    return Preview(
        changes=_merged(
            _change(event["resourcePreEvent"]["metadata"]) for event in events if "resourcePreEvent" in event
        ),
        violations=[_violation(event["policyEvent"]) for event in events if "policyEvent" in event],
        errors=[_error(each) for each in diagnostics if each["severity"] == "error"],
        is_complete=bool(summaries) and summaries[-1].get("result", "succeeded") == "succeeded",
    )


def _error(diagnostic: Mapping[str, Any]) -> str:
    return str(diagnostic["message"]).strip()


def _violation(event: Mapping[str, Any]) -> Violation:
    message = ": ".join(line.strip().removesuffix(".") for line in str(event["message"]).splitlines() if line.strip())
    return Violation(
        event["policyName"], message, event.get("resourceUrn", ""), event["enforcementLevel"] == _MANDATORY
    )


def _change(step: Mapping[str, Any]) -> Change:
    old, new = cast("list[dict[str, Any]]", [step.get(side) or {} for side in ("old", "new")])
    detailed = cast("dict[str, Any]", step.get("detailedDiff") or {})
    differs: Iterable[str] = step.get("diffs") or step.get("diffReasons") or [_input(path) for path in detailed]
    op = str(step["op"])
    return Change(
        urn=step["urn"],
        op="replace" if op in _REPLACES else op,
        old=old.get("inputs") or {} if old else None,
        # The recordings of tests/tools/record_previews.py contain only the old inputs of an unchanged resource. Its new
        # inputs are the same.
        new=(new or (old if op == "same" else {})).get("inputs") or {} if new or op == "same" else None,
        is_custom=bool((new or old).get("custom")),
        is_retained=bool(old.get("retainOnDelete")),
        differs=tuple(dict.fromkeys(differs)),
        replaced_for=tuple(step.get("keys") or ()),
    )


def _input(path: str) -> str:
    """Return the input of a property path, for example `tags` of `tags.Stack`."""
    return path.partition(".")[0].partition("[")[0]


def _merged(steps: Iterable[Change]) -> list[Change]:
    """Return one change per resource. A preview lists a replacement as three steps, each with a part of the change."""
    found: dict[str, Change] = {}
    for step in steps:
        before = found.get(step.urn)
        found[step.urn] = (
            replace(
                before,
                old=before.old if before.old is not None else step.old,
                new=before.new if before.new is not None else step.new,
                is_retained=before.is_retained or step.is_retained,
                differs=before.differs or step.differs,
                replaced_for=before.replaced_for or step.replaced_for,
            )
            if before
            else step
        )
    return list(found.values())
