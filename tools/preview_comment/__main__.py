"""`python -m tools.preview_comment STACK FILE`: write the pull request's comment about a preview to standard output.

FILE contains the output of `PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json --show-sames`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli import endings
from engine.graph import record
from operations.stack_outputs import ERROR_LOG
from tools.preview_comment.comment import comment
from tools.preview_comment.preview import read


def main(arguments: list[str]) -> int:
    """Parse the arguments, and print the comment. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.preview_comment", description=__doc__)
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("file", metavar="FILE", type=Path, help="the output of `pulumi preview --json`")
    given = parser.parse_args(arguments)

    def command() -> int:
        preview = read(given.file.read_text(encoding="utf-8", errors="replace"))
        name = str(given.stack).rpartition("/")[2]
        sys.stdout.write(comment(given.stack, preview, lambda: record(name, build_archives=False)))
        return 0

    return endings.run(command, ERROR_LOG, known=(), prefix="preview_comment")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
