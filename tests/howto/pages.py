"""Reads the pages in docs/how-to and follows their steps in a checkout.

A page has two kinds of steps. The first kind is a sentence that asks the reader to edit a file, and that matches a
pattern in `_FORMS`. Code between backticks in the sentence is literal text. Literal text that contains a backtick is
between double backticks. If the sentence ends with a colon, the next code block is the text to write.

The second kind is a `console` block. The lines of the block that start with `$ ` are commands to run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.graph import ROOT

FOLDER: Final = ROOT / "docs" / "how-to"

_FENCE: Final = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CODE: Final = r"(`` .+? ``|`[^`]+`)"
_FORMS: Final = {
    "create": rf"Create {_CODE}:",
    "before": rf"In {_CODE}, before the line {_CODE}, add:",
    "after": rf"In {_CODE}, after the line {_CODE}, add:",
    "line": rf"In {_CODE}, replace the line {_CODE} with:",
    "text": rf"In {_CODE}, replace {_CODE} with {_CODE}",
}
# This pattern matches the start of each sentence that asks the reader to edit a file.
_EDIT: Final = re.compile(r"\bIn `[^`]+`, (?:before|after|replace)|\bCreate `")


@dataclass
class Page:
    """A page of docs/how-to, and the files that a reader changes by following it."""

    path: Path
    written: set[str] = field(default_factory=set[str])
    """Files that the reader creates or edits. `follow` adds the files."""
    generated: set[str] = field(default_factory=set[str])
    """Files that `make generate` changes, as listed on the page."""

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def steps(self) -> Iterator[tuple[str, list[str], str]]:
        """Yield (form, code, block) for each step.

        For an edit, `form` is a key of `_FORMS`, and `code` contains the texts between backticks in the sentence.
        `block` is the code block after the sentence, or "" if there is none.

        For a `console` block, `form` is `run`, and `code` contains the commands. Raises ValueError if an edit or a code
        block has no known form.
        """
        end = 0
        for fence in _FENCE.finditer(self.text):
            *edits, last = [*self._edits(self.text[end : fence.start()]), None]
            block = re.sub(rf"^{fence[1]}", "", fence[3], flags=re.MULTILINE)
            if fence[2] == "console":
                yield from ((*edit, "") for edit in edits if edit)
                yield "run", [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")], ""
            elif edits and (last := edits.pop()):
                yield from ((*edit, "") for edit in edits if edit)
                yield (*last, block)
            else:
                raise ValueError(f"{self.path.name}: no sentence says where this code goes: {block[:60]!r}")
            end = fence.end()
        yield from ((*edit, "") for edit in self._edits(self.text[end:]))

    def _edits(self, prose: str) -> Iterator[tuple[str, list[str]]]:
        prose = re.sub(r"\s+", " ", prose)
        for start in _EDIT.finditer(prose):
            found = [(form, re.match(rule, prose[start.start() :])) for form, rule in _FORMS.items()]
            known = [(form, [_code(each) for each in match.groups()]) for form, match in found if match]
            if not known:
                raise ValueError(f"{self.path.name}: unknown form of a step: {prose[start.start() :][:60]!r}")
            yield known[0]

    def follow(self, checkout: Path, run: Callable[[str], None]) -> None:
        """Follow all steps in the directory `checkout`. Calls `run` with each command of the page."""
        for form, code, block in self.steps():
            if form == "run":
                for command in code:
                    run(command)
                    self.written |= set(re.findall(r"(?:> |^cp \S+ )(\S+)$", command))
                continue
            self.written.add(code[0])
            edit(checkout / code[0], form, code[1:], block)
        for sentence in re.findall(r"`make generate` changes (.*?)[.:](?:\s|$)", self.text, re.DOTALL):
            self.generated |= set(re.findall(r"`([^`]+)`", sentence))


def _code(span: str) -> str:
    return span[3:-3] if span.startswith("``") else span[1:-1]


def edit(path: Path, form: str, code: list[str], block: str) -> None:
    """Apply one edit of a page to the file `path`.

    `form`, `code` and `block` come from `Page.steps`, but `code` lacks its first element, the path. Raises ValueError
    unless the edit fits exactly one place in the file.
    """
    if form == "create":
        if path.exists():
            raise ValueError(f"{path}: exists already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.strip() == code[0]]
    count = before.count(code[0]) if form == "text" else len(places)
    if count != 1:
        raise ValueError(f"{path}: got {count} places with {code[0]!r}; allowed: exactly one")
    if form == "text":
        path.write_text(before.replace(code[0], code[1]), encoding="utf-8")
        return
    (at,) = places
    lines[at : at + 1] = {"before": [block, lines[at]], "after": [lines[at], block], "line": [block]}[form]
    path.write_text("".join(lines), encoding="utf-8")
