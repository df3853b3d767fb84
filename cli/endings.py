"""How every command ends: with an exit code, and with one line for an error. No traceback reaches a user."""

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
    """Run `command` and return its exit code, or `failed` after an error, which is reported in one line.

    The messages of `known` errors are for users. Any other error but the operating system's is a defect: its traceback
    goes to the file `log`.
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
        sys.stderr.write(f"{prefix}: a defect of this program: {words}. Remedy: report it with {_kept(log)}\n")
    return failed


def _tolerate_any_character() -> None:
    """Let output replace what its encoding lacks, so that no command stops because a terminal can't show a letter."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The caller closed this stream (`>&-`), so a buffer receives the output and discards it.
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and stream.errors != "replace":
            # cli.output.protect already sets this error handler, unless the command runs inside another program.
            stream.reconfigure(errors="replace")


def _kept(log: Path) -> str:
    """Write the current traceback to `log`, or to a temporary file if it can't be written; return where it is."""
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
            return f"this line, since its traceback could not be kept ({error.strerror})"
        return name
    return str(log)
