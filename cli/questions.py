"""Questions that a command asks at a terminal before it deletes something."""

from __future__ import annotations

import sys


def confirmed(question: str, answer: str) -> bool:
    """Return whether the user typed `answer`, or whether standard input is no terminal.

    Without a terminal, as in CI, nobody can answer. The person who wrote the command has decided already.
    """
    if not sys.stdin or not sys.stdin.isatty():
        return True
    sys.stdout.write(f"{question} Type {answer} to continue: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == answer
