"""`python -m operations.preview_comment STACK FILE`: the pull request's comment with a preview, on standard output.

GitHub refuses a comment of more than 65,536 characters, so the middle of a long preview is left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli import endings
from operations.stack_outputs import ERROR_LOG

GITHUB_LIMIT = 65_536
_FRAME = 1_000


def marker(stack: str) -> str:
    """Return the invisible line by which the comment of `stack` is found again."""
    return f"<!-- pulumi preview of {stack} -->"


def comment(stack: str, preview: str) -> str:
    """Return the comment's text: below GitHub's limit, whatever the preview's length and characters."""
    # What would close the fence is shown by other marks.
    text = _shortened(preview.strip().replace("```", "'''"), GITHUB_LIMIT - _FRAME)
    summary = f"<details open><summary><b>pulumi preview</b> of <b>{stack}</b></summary>"
    return f"{marker(stack)}\n{summary}\n\n```diff\n{text}\n```\n\n</details>\n"


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = "\n… {} characters left out: the job's log has all of it …\n"
    room = limit - len(note) - 10
    head, tail = text[: room // 2], text[-(room - room // 2) :]
    return head + note.format(len(text) - room) + tail


def main(arguments: list[str]) -> int:
    """Print the comment."""
    parser = argparse.ArgumentParser(prog="preview_comment", description=__doc__)
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("file", metavar="FILE", type=Path, help="what `pulumi preview` printed")
    given = parser.parse_args(arguments)

    def command() -> int:
        sys.stdout.write(comment(given.stack, given.file.read_text(encoding="utf-8", errors="replace")))
        return 0

    return endings.run(command, ERROR_LOG, known=(), prefix="preview_comment")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
