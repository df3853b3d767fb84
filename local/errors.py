"""What the command line reports without a traceback."""

from __future__ import annotations


class LocalError(Exception):
    """Something that the person at the keyboard can act on: the message says what, and the remedy."""
