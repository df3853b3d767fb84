"""Code that all commands of this repository share: start, end, signals and error messages.

Each command reports an error in one line, and ends when it receives a signal. If the program that reads the command's
output ends early, the command still completes normally.
"""

from __future__ import annotations

import sys

from cli import output, signals


def begin() -> None:
    """Prepare the output streams and the signal handlers of this process for a command.

    Each package that contains commands calls this function before its other imports. A signal therefore ends the
    process even while Python imports modules.

    The function takes effect only if `python -m` starts a command of the package. It recognizes such a start by
    `sys.argv[0]`, which is `-m` until Python has found the module to run
    (https://docs.python.org/3/using/cmdline.html#cmdoption-m). If a test or other code imports the package, the
    function does nothing.
    """
    if sys.argv[0] == "-m":
        output.protect()
        signals.take()
