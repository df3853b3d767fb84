"""What every command of this repository shares: how it begins, how it ends, and how it reports an error.

A command ends on a signal, and with one line for an error. It also ends normally when its output has no reader.
"""

from __future__ import annotations

import sys

from cli import output, signals


def begin() -> None:
    """Prepare this process for a command. The packages of commands call it first, so that it covers their imports.

    It does nothing when a package is imported by other code, such as a test: only while `python -m` looks for the
    module that it was told to run does `sys.argv` begin with `-m`.
    https://docs.python.org/3/using/cmdline.html#cmdoption-m
    """
    if sys.argv[0] == "-m":
        output.protect()
        signals.take()
