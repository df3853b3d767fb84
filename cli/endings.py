"""Ends commands with an exit code, and reports an error in one line. Users never see a traceback."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from cli.errors import described


def run(
    command: Callable[[], int],
    log: Path,
    *,
    known: tuple[type[Exception], ...],
    prefix: str = "error",
    failed: int = 1,
) -> int:
    """Run `command` and return its exit code. If it raises an error, report the error in one line.

    After an error, the exit code is `failed`, and the line starts with `prefix`. What the line shows depends on the
    type of the error:

    - a type in `known`, which the command raises on purpose: the message of the error,
    - an error of the operating system: the file, the error and a remedy,
    - any other type, which indicates a bug in the command: the error, and the file with the traceback, usually `log`.
    """
    _tolerate_any_character()
    try:
        return command()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
    except known as error:
        sys.stderr.write(f"{prefix}: {error}\n")
    except OSError as error:
        sys.stderr.write(f"{prefix}: {described(error)}\n")
    except Exception as error:  # noqa: BLE001 - the log gets the traceback, and the user reads one line
        words = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(f"{prefix}: a bug in this program: {words}. Remedy: report the bug and attach {_kept(log)}\n")
    return failed


def _tolerate_any_character() -> None:
    """Let output streams replace characters that their encoding does not support, instead of raising an error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Python sets a stream to None if the caller closed its descriptor (`>&-`). Replace the stream with a buffer
            # that nobody reads, so that the command's writes do not fail.
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and stream.errors != "replace":
            # Write a question mark for each character that the stream cannot encode. The commands of this repository
            # have already configured their streams like this with cli.output.protect. Other callers of `run`, such as
            # tests, have not.
            stream.reconfigure(errors="replace")


def _kept(log: Path) -> str:
    """Write the current traceback to `log`, or to a temporary file if `log` is not writable. Return the file's path."""
    text = traceback.format_exc()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8", errors="replace")
    except OSError:
        try:
            descriptor, name = tempfile.mkstemp(prefix="orders-error-", suffix=".log", text=True)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            return f"this line (the traceback could not be written: {error.strerror})"
        return name
    return str(log)
