"""Questions that a command asks at a terminal before it deletes something."""

from __future__ import annotations

import sys


def confirmed(question: str, answer: str) -> bool:
    """Ask `question` at the terminal, and return whether the user types `answer`.

    Without a terminal, for example in CI, nobody can answer the question. In this case, the function returns True,
    because it assumes that the author of the script has already decided to do what the question asks about.
    """
    if not sys.stdin or not sys.stdin.isatty():
        return True
    sys.stdout.write(f"{question} Type {answer} to continue: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == answer
