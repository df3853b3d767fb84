"""Limits the rate at which one execution environment sends emails."""

from __future__ import annotations

import random
import time


class Pace:
    """Ensures a minimum time between two emails of this execution environment, also across invocations."""

    def __init__(self, mail_s: float) -> None:
        """Ensure that at least `mail_s` seconds pass between two emails."""
        self._mail_s = mail_s
        self._free_at_s = time.monotonic()

    def wait(self) -> None:
        """Wait until the minimum time since the previous email has passed."""
        if (early_s := self._free_at_s - time.monotonic()) > 0:
            time.sleep(early_s)
        self._free_at_s = time.monotonic() + self._mail_s

    def shift(self) -> None:
        """Delay the next email by a random part of the minimum time. Call this after SES returned a transient error.

        Without this delay, two environments that send at the same moment would keep doing so, and SES would throttle
        one of them every time.
        """
        self._free_at_s += random.random() * self._mail_s  # noqa: S311 - no secret
