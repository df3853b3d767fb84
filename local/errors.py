"""What the command line reports without a traceback."""

from __future__ import annotations


class LocalError(Exception):
    """A problem that the user can fix. The message says what is wrong and what to do."""
