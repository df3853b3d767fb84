"""Retries writes that DynamoDB refuses because a transaction is writing one of the items."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

from botocore.exceptions import ClientError

from shared.aws import is_conflict

# A transaction takes a few milliseconds, so the first wait is short. The waits are random, and their maximum doubles
# after each attempt. If the maximum stayed short, many competing writes could use up the write capacity with failed
# attempts.
_FIRST_WAIT_S: Final = 0.02
_LONGEST_WAIT_S: Final = 0.16

RETRIES_S: Final = 2.0
"""Default time limit in seconds for retries of a conflicting write. It is short, because a client may be waiting."""


class Retries:
    """The random waits between the attempts of one write, until a time limit.

    Each wait lasts between zero and a maximum, which doubles after each wait up to _LONGEST_WAIT_S (full jitter).
    Writes that conflicted with each other wait for different times, so they probably do not conflict again.
    """

    def __init__(self, within_s: float) -> None:
        """Allow waits that end within `within_s` seconds from now."""
        self._ends_s = monotonic() + within_s
        self._longest_s = _FIRST_WAIT_S

    def wait(self) -> bool:
        """Wait before the next attempt and return True, or return False immediately if the time is used up."""
        pause_s = random.uniform(0, self._longest_s)  # noqa: S311 - jitter needs no secure random numbers
        if monotonic() + pause_s > self._ends_s:
            return False
        sleep(pause_s)
        self._longest_s = min(2 * self._longest_s, _LONGEST_WAIT_S)
        return True


def outside_transactions[T](write: Callable[[], T]) -> T:
    """Return the result of `write`, a call that writes one item. Try again while a transaction holds the item.

    The SDK does not retry this conflict. Raises the last TransactionConflictException after RETRIES_S.
    """
    retries = Retries(RETRIES_S)
    while True:
        try:
            return write()
        except ClientError as error:
            if not is_conflict(error) or not retries.wait():
                raise
