"""Builds the text of the comment: first what a reviewer must see, then all changes in a collapsed list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Final

from engine.graph import Graph
from tools.preview_comment import cost, details, permissions, routes, state
from tools.preview_comment.arns import place_of
from tools.preview_comment.preview import Change, Preview

GITHUB_LIMIT: Final = 65_536
"""The longest comment that GitHub accepts, in characters."""
_FRAME: Final = 1_000
_MOST_ITEMS: Final = 12
# A comment has at most eight sections. With these limits, all sections together are shorter than GITHUB_LIMIT.
_LONGEST_PART: Final = 3_000
_ALL_FOLDED: Final = 30_000
_LONGEST_ITEM: Final = 1_500
_IN_LOG: Final = "the job's log has all of them"
_LONGEST_ERROR: Final = 1_500
_RENAMED: Final = "Resources that are renamed or moved without an alias"
_RENAMED_HELP: Final = (
    "Without an alias, Pulumi creates a new resource and deletes the old one, although both have the same name on AWS. "
    "If AWS refuses the creation because the name is taken, the update fails. If AWS returns the existing resource "
    "instead, Pulumi then deletes it with its data:"
)
_LOST: Final = "Data and client-facing addresses that are lost"
_WIDER: Final = "Permissions that are added or widened"
_ROUTES: Final = "Routes of the"
# Each entry is (beginnings of section titles, sentence). If all sections with these titles are empty, the comment
# contains the sentence, to show a reviewer that the preview was checked for such changes.
_NOTHING: Final = (
    ((_LOST, _RENAMED), "No resource with data, or with an address that clients use, is deleted or replaced."),
    ((_WIDER,), "No permission is added or widened."),
    ((_ROUTES,), "No route of an API changes."),
)

Section = tuple[str, str, list[str]]
"""Title, introduction, and list items."""


def marker(stack: str) -> str:
    """Return the invisible first line of a comment. The next preview of `stack` finds the comment by this line."""
    return f"<!-- pulumi preview of {stack} -->"


def comment(stack: str, preview: Preview, program: Callable[[], Graph]) -> str:
    """Return the comment, shorter than GitHub's limit. `program` returns the resources of the Pulumi program."""
    changed = preview.changed
    head = [marker(stack), f"### Preview of `{stack}`: {details.counts(changed)}", "", *_failure(preview)]
    renamed = state.renames(changed)
    names = {change.urn for pair in renamed for change in pair}
    sections: list[Section] = [
        (
            _RENAMED,
            _RENAMED_HELP,
            sorted(state.renaming(*pair) for pair in renamed),
        ),
        (_LOST, "", list(state.losses(each for each in changed if each.urn not in names))),
        ("Data with a shorter retention or less protection", "", list(state.weakened(changed))),
        *_permissions(preview.changes, program),
        *_routes(changed, program),
    ]
    body: list[str] = []
    filled = [section for section in sections if section[2]]
    for title, text, lines in filled:
        room = _ALL_FOLDED // len(filled)
        body += [f"#### {title}", *([text] if text else []), *_listed(lines, room), ""]
    priced = list(_cost(preview, renamed, program))
    body += priced
    if preview.is_complete:
        nothing = [word for beginnings, word in _NOTHING if not _has(sections, beginnings)]
        body += [" ".join([*nothing, *([] if priced else ["The cost stays the same."])]), ""]
    return _with_details("\n".join([*head, *body]), list(details.lines(changed)))


def _has(sections: Iterable[Section], beginnings: tuple[str, ...]) -> bool:
    return any(title.startswith(beginnings) and lines for title, _, lines in sections)


def _failure(preview: Preview) -> Iterator[str]:
    if not preview.is_complete or preview.errors:
        yield "**The preview failed, so changes may be missing below.** The job's log has the preview's full output."
        yield ""
        yield from (f"```text\n{_safe(error)[:_LONGEST_ERROR]}\n```" for error in dict.fromkeys(preview.errors[:5]))
        yield ""
    found = {
        f"{_quoted(each.urn.rpartition('::')[2]) or 'The stack'} violates the rule `{each.rule}`. {each.message}"
        for each in preview.violations
        if each.is_mandatory
    }
    if found:
        yield from ("#### Violated policies, which stop the update", *_listed(sorted(found), _LONGEST_PART), "")


def _quoted(name: str) -> str:
    return f"`{name}`" if name else ""


def _permissions(changes: list[Change], program: Callable[[], Graph]) -> Iterator[Section]:
    found = permissions.changed(changes, place_of(changes), program)
    yield _WIDER, "", found.wider
    yield "Permissions that are removed", "", found.narrower


def _routes(changed: list[Change], program: Callable[[], Graph]) -> Iterator[Section]:
    for api, lines in routes.routes(changed, program):
        yield f"{_ROUTES} {api}", "", [f"```diff\n{_cut('\n'.join(lines), _LONGEST_PART, '# ')}\n```"]


def _cost(preview: Preview, renamed: list[tuple[Change, Change]], program: Callable[[], Graph]) -> Iterator[str]:
    if not preview.is_complete:
        return
    # The cost of a renamed resource stays the same, so the resource counts as unchanged.
    stays = {before.urn for before, _ in renamed}
    appears = {after.urn for _, after in renamed}
    changes = [
        replace(change, op="same", new=change.old) if change.urn in stays else change
        for change in preview.changes
        if change.urn not in appears
    ]
    found = cost.difference(changes, program)
    if found.trouble:
        yield f"The cost model can't price this change: {found.trouble}. Check tools/cost/design.py."
        yield ""
        return
    lines = cost.table(found)
    if lines:
        yield from ["#### Cost", *lines, ""]
    if found.unpriced:
        yield f"The cost model has no price for {', '.join(f'`{each}`' for each in found.unpriced)}."
        yield ""


def _listed(lines: Iterable[str], room: int) -> Iterator[str]:
    """Yield the list items: the first ones visible, the next ones collapsed, and only the number of the others.

    The collapsed items together have up to `room` characters.
    """
    items = [line if line.startswith("```") else f"- {_cut(line, _LONGEST_ITEM, '  - ')}" for line in lines]
    visible = _fitting(items[:_MOST_ITEMS], _LONGEST_PART)
    folded = _fitting(items[visible:], room)
    yield from items[:visible]
    if folded:
        yield f"\n<details><summary>{len(items) - visible} more</summary>\n"
        yield from items[visible : visible + folded]
        if more := len(items) - visible - folded:
            yield f"- … and {more} more: {_IN_LOG}"
        yield "\n</details>\n"


def _fitting(items: list[str], room: int) -> int:
    """Return how many items fit into `room` characters. The first item always counts as fitting."""
    lengths = accumulate(len(item) for item in items)
    return sum(1 for position, length in enumerate(lengths) if position == 0 or length <= room)


def _cut(text: str, limit: int, beginning: str) -> str:
    """Return the lines of `text` that fit into `limit` characters.

    If lines are left out, a last line starts with `beginning` and says how many.
    """
    if len(text) <= limit:
        return text
    lines = text.splitlines()
    kept = max(1, sum(1 for length in accumulate(len(line) + 1 for line in lines) if length <= limit))
    note = f"\n{beginning}… and {len(lines) - kept} more: {_IN_LOG}" if kept < len(lines) else ""
    return "\n".join(lines[:kept])[:limit] + note


def _safe(text: str) -> str:
    """Return the text, changed so that it can't end a code block or open an HTML comment."""
    return text.replace("```", "'''").replace("<!--", "<! --")


def _with_details(text: str, lines: list[str]) -> str:
    if not lines:
        return f"{text.rstrip()}\n"
    start = f"{text.rstrip()}\n\n<details><summary>All changes</summary>\n\n```diff\n"
    end = "\n```\n\n</details>\n"
    room, shown = GITHUB_LIMIT - _FRAME - len(start) - len(end), list[str]()
    for position, line in enumerate(map(_safe, lines)):
        room -= len(line) + 1
        if room < 0:
            shown.append(f"# … and {len(lines) - position} more: {_IN_LOG}")
            break
        shown.append(line)
    return start + "\n".join(shown) + end
