"""Errors that the command line reports in one line, without a traceback."""

from __future__ import annotations


class LocalError(Exception):
    """A problem that the user can fix. The message says what is wrong and what to do."""
