"""Code that all commands of this repository share: start, end, signals and error messages.

Each command ends when it receives a signal, reports an error in one line, and completes normally even if the program
that reads its output ends early.
"""

from __future__ import annotations

import sys

from cli import output, signals


def begin() -> None:
    """Prepare the output streams and the signal handlers of this process for a command.

    Each package that contains commands calls this function before its other imports, so that a signal ends the process
    even while Python imports modules. If a test or other code imports such a package, the function does nothing. The
    function recognizes a command by `sys.argv[0]`, which is `-m` while `python -m` locates the module to run.
    https://docs.python.org/3/using/cmdline.html#cmdoption-m
    """
    if sys.argv[0] == "-m":
        output.protect()
        signals.take()
