"""`python -m operations.preview_comment STACK FILE`: the pull request's comment with a preview, on standard output.

GitHub refuses a comment of more than 65,536 characters, so the middle of a long preview is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


if __name__ == "__main__":
    sys.stdout.write(comment(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8", errors="replace")))
