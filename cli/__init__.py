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
    even while Python imports modules.

    The function does nothing if a test or other code imports the package. It takes effect only if `python -m` starts a
    command of the package: `sys.argv[0]` is then `-m` until Python has found the module to run
    (https://docs.python.org/3/using/cmdline.html#cmdoption-m).
    """
    if sys.argv[0] == "-m":
        output.protect()
        signals.take()
