"""SES throttles emails above the account's send rate.

The environment variable LOCAL_MAIL_RATE is the number of emails per second, and also the largest number of emails in
one burst. With 0, SES accepts every email.

Emulator: The emulator accepts every email at any rate.
AWS: Each account has a maximum number of emails per second (MaxSendRate), which is 1 in the SES sandbox. Above this
    rate, SendEmail fails with TooManyRequestsException and the message "Maximum sending rate exceeded.".
Source: https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html
Source: https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
Upstream: request as a feature.
"""

from __future__ import annotations

import os
import time
from typing import Any, Final

from emulator_fixes import internal, replaces

_SEND: Final = "/v2/email/outbound-emails"
_ses: Any = internal("services.ses_v2")


class Rate:
    """A token bucket that gets `per_second` tokens per second.

    The bucket has room for `per_second` tokens, or for 1 token if `per_second` is less than 1.
    """

    def __init__(self, per_second: float, now_s: float) -> None:
        self._per_second = per_second
        self._most = max(per_second, 1)
        self._tokens, self._at_s = self._most, now_s

    def takes(self, now_s: float) -> bool:
        """Take a token at the time `now_s`, in seconds. Returns False if the bucket has no token."""
        self._tokens = min(self._most, self._tokens + (now_s - self._at_s) * self._per_second)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


_PER_SECOND: Final = float(os.environ.get("LOCAL_MAIL_RATE", "0"))
_rate: Final = Rate(_PER_SECOND, time.monotonic()) if _PER_SECOND else None


@replaces("services.ses_v2.handle_request", "cab4023919ec")
async def handle_request(original: Any, method: str, path: str, *arguments: Any) -> Any:
    """Refuse an email that exceeds the send rate."""
    if _rate and method == "POST" and path.rstrip("/") == _SEND and not _rate.takes(time.monotonic()):
        return _ses._json_err("TooManyRequestsException", "Maximum sending rate exceeded.", 429)
    return await original(method, path, *arguments)
