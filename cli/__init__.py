"""Code that all commands of this repository share: start, end, signals and error messages.

Each command ends when it receives a signal, reports an error in one line, and completes normally even if the program
that reads its output ends early.
"""

from __future__ import annotations

import sys

from cli import output, signals


def begin() -> None:
    """Prepare the output streams and the signal handlers of this process for a command.

    Each package of commands calls this function first, so that signals end the process even during imports. The
    function does nothing if other code, such as a test, imports the package. The function recognizes a command by
    `sys.argv`, which begins with `-m` only while `python -m` looks for the module to run.
    https://docs.python.org/3/using/cmdline.html#cmdoption-m
    """
    if sys.argv[0] == "-m":
        output.protect()
        signals.take()
