"""Makes standard output and standard error safe: a failed write never stops a command.

For example, `make up | head -1` deploys everything, although `head` exits after one line. By default, Python raises an
error when it writes to a full disk or to a reader that has exited. It raises a second error when the process exits.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import Any, Final

# These errors mean that nobody reads the output: the reader has stopped reading, as `head` does (EPIPE), or the caller
# closed the stream with `>&-` (EBADF).
_NO_READER: Final = (errno.EPIPE, errno.EBADF)
_STREAMS: Final = {"stdout": 1, "stderr": 2}


class _Stream(io.FileIO):
    """A file descriptor whose writes never fail. After an error, it discards all data."""

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write `data`, or discard it after an error. Return the number of written or discarded bytes."""
        while self.error is None:
            try:
                written = super().write(data)
            except OSError as error:
                self.error = error
            else:
                if written is not None:
                    return written
                # `written` is None if the terminal is in non-blocking mode and not ready to accept data. Another
                # program that shares the terminal can set this mode. Wait until the terminal is ready, so that no data
                # is lost.
                select.select([], [self], [])
        return len(memoryview(data).cast("B"))


def protect() -> None:
    """Replace `sys.stdout` and `sys.stderr` with streams whose write errors do not end the command.

    If a write to standard output fails, for example because the disk is full, the process reports this when it exits.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The stream is closed, so the number of its descriptor is free. Without this placeholder, the next file
            # that Python opens would get this number, and the command would write its output into that file.
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in _STREAMS.items():
        setattr(sys, name, _protected(descriptor, getattr(sys, name)))
    atexit.register(_finish)


def _protected(descriptor: int, given: io.TextIOWrapper | None) -> io.TextIOWrapper:
    stream = io.BufferedWriter(_Stream(descriptor, "w", closefd=False))
    # A character that the terminal cannot encode must not make a command fail, so `errors="replace"` writes a question
    # mark instead.
    if given is None:
        return io.TextIOWrapper(stream, encoding="utf-8", errors="replace")
    return io.TextIOWrapper(
        stream,
        encoding=given.encoding,
        errors="replace",
        # With PYTHONUNBUFFERED, the given stream writes through. The buffer of the new stream then flushes each line.
        # Otherwise, messages would appear only when the command ends.
        line_buffering=given.line_buffering or given.write_through,
        write_through=given.write_through,
    )


def _finish() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    error = getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "error", None)
    if error is None or error.errno in _NO_READER:
        return
    sys.stderr.write(
        f"error: standard output: {error.strerror}; the command finished, but its output is incomplete. "
        "Remedy: free some disk space, or redirect the output to another disk\n"
    )
    sys.stderr.flush()
    # The exit code must show that output was lost. This function runs while Python exits, when only os._exit can still
    # change the exit code.
    os._exit(1)
