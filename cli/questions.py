"""Questions that a command asks before it deletes something. Without a terminal, nobody can answer, so none is asked."""

from __future__ import annotations

import sys


def confirmed(question: str, answer: str) -> bool:
    """Return whether the user typed `answer`, or whether standard input is no terminal."""
    if not sys.stdin or not sys.stdin.isatty():
        return True
    sys.stdout.write(f"{question} Type {answer} to continue: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == answer
