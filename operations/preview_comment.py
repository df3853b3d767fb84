"""Prints a comment for a pull request from the output of `pulumi preview`.

Usage: `python -m operations.preview_comment STACK FILE`. GitHub refuses a comment of more than 65,536 characters, so
the comment leaves out the middle of a long preview.

Each API is created from one OpenAPI document, and Pulumi shows the whole document after any change. The comment shows
the added, changed and removed routes instead.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cli import endings
from operations.api_document import changes
from operations.stack_outputs import ERROR_LOG

GITHUB_LIMIT = 65_536
_FRAME = 1_000
# The Pulumi CLI shows a JSON text property in this form, with the old and the new values in one tree.
_BODY: Final = re.compile(r" *~ body *: \(json\) \{")
_UNKNOWN: Final = " => [unknown]"
_NOT_KNOWN: Final = "{}~ routes of the API: unknown until Pulumi has replaced a resource that the routes refer to"
_LINE: Final = re.compile(r"(?P<indent> *)(?P<mark>[~+-])?(?P<space> *)(?P<content>.*)")
_ENTRY: Final = re.compile(r"(?P<key>\[\d+\]|.+?) *: (?P<value>.*)")
_OPEN: Final = ("{", "[", "(json) {", "(json) [", "")


def marker(stack: str) -> str:
    """Return an invisible line that identifies the comment of `stack`, so that CI can update the comment."""
    return f"<!-- pulumi preview of {stack} -->"


def comment(stack: str, preview: str) -> str:
    """Return the text of the comment, which is never longer than GitHub's limit."""
    # Three backquotes in the text would end the code block of the comment, so they are replaced.
    text = _shortened(by_route(preview.strip()).replace("```", "'''"), GITHUB_LIMIT - _FRAME)
    summary = f"<details open><summary><b>pulumi preview</b> of <b>{stack}</b></summary>"
    return f"{marker(stack)}\n{summary}\n\n```diff\n{text}\n```\n\n</details>\n"


def by_route(preview: str) -> str:
    """Return the preview with each changed OpenAPI document replaced by a list of its changed routes."""
    lines, shown, position = preview.splitlines(), list[str](), 0
    while position < len(lines):
        end = _end_of_body(lines, position) if _BODY.fullmatch(lines[position]) else position
        if end == position:
            shown.append(lines[position])
        elif _UNKNOWN in lines[end + 1 : end + 2]:
            # If the new document is still unknown, the CLI reports it in a separate line after the tree.
            shown.append(_NOT_KNOWN.format(" " * lines[position].index("~")))
            end += 1
        else:
            shown += _summary(lines[position], lines[position + 1 : end])
        position = end + 1
    return "\n".join(shown)


def _end_of_body(lines: list[str], start: int) -> int:
    """Return the index of the line that closes the tree opened at `start`, or `start` if no line does."""
    closing = " " * lines[start].index("body") + "}"
    return next((at for at in range(start + 1, len(lines)) if lines[at] == closing), start)


def _summary(first: str, lines: list[str]) -> Iterator[str]:
    indent = first.index("~")
    yield f"{' ' * indent}~ routes of the API:"
    # GitHub colors a line of a diff only if its mark comes first, so the indentation follows the mark.
    yield from (f"{line[0]}{' ' * (indent + 3)}{line[2:]}" for line in changes(*_documents(lines)))


def _documents(lines: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the old and the new document of a tree in the preview. The CLI has shortened long texts in them."""
    old, new = dict[str, Any](), dict[str, Any]()
    open_: list[tuple[int, dict[str, Any], dict[str, Any]]] = [(-1, old, new)]
    for line in lines:
        found = _LINE.fullmatch(line)
        if not found or found["content"] in ("", "}", "]"):
            continue
        column = found.start("content")
        while open_[-1][0] >= column:
            open_.pop()
        entry = _ENTRY.fullmatch(found["content"])
        # A text with several lines has lines without a key. Such a line is its own key.
        key, value = (entry["key"], entry["value"]) if entry else (found["content"], "")
        _, inside_old, inside_new = open_[-1]
        was: Any
        will: Any
        if value.strip() in _OPEN:
            was, will = {}, {}
            open_.append((column, was, will))
        else:
            was, _, will = value.partition(" => ")
        if found["mark"] != "+":
            inside_old[key] = was
        if found["mark"] != "-":
            inside_new[key] = was if will == "" else will
    return old, new


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = "\n… {} characters left out; the log of the CI job has the whole preview …\n"
    room = limit - len(note) - 10
    head, tail = text[: room // 2], text[-(room - room // 2) :]
    return head + note.format(len(text) - room) + tail


def main(arguments: list[str]) -> int:
    """Print the comment to standard output, and return the exit code."""
    parser = argparse.ArgumentParser(prog="preview_comment", description=__doc__)
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("file", metavar="FILE", type=Path, help="file with the output of `pulumi preview`")
    given = parser.parse_args(arguments)

    def command() -> int:
        sys.stdout.write(comment(given.stack, given.file.read_text(encoding="utf-8", errors="replace")))
        return 0

    return endings.run(command, ERROR_LOG, known=(), prefix="preview_comment")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
