"""Decides which errors of SES are final.

A final error concerns the email itself: SES would refuse the same email again. The event goes to the failure queue
immediately. Every other error is transient, even if `ERRORS` does not list it. A transient error concerns the account,
its permissions or its send rate, and an operator or AWS can remove the cause. The event stays in the queue, and SQS
delivers it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

End = Literal["final", "transient"]

ERRORS: Final[Mapping[str, tuple[End, str]]] = MappingProxyType(
    {
        # The API reference of SES v2 lists these errors for SendEmail.
        "MessageRejected": ("final", "The content or an address is invalid, or (in the sandbox) not verified."),
        "BadRequestException": ("final", "The input is invalid, for example the syntax of the address."),
        "TooManyRequestsException": ("transient", "The account sends faster than its send rate or daily quota allow."),
        "LimitExceededException": ("transient", "The account has reached a quota."),
        "AccountSuspendedException": ("transient", "AWS has suspended the account's sending, and can permit it again."),
        "SendingPausedException": ("transient", "Sending is paused for the account, and an operator can resume it."),
        "MailFromDomainNotVerifiedException": ("transient", "The MX record of the MAIL FROM domain is missing."),
        "NotFoundException": ("transient", "The identity's default configuration set was deleted."),
        # All AWS services can return these errors.
        "Throttling": ("transient", "The account sends faster than its send rate."),
        "ThrottlingException": ("transient", "The account sends faster than its send rate."),
        "AccessDeniedException": ("transient", "The function's role lacks the permission."),
        "AccessDenied": ("transient", "The function's role lacks the permission."),
        "ExpiredTokenException": ("transient", "The role's credentials have expired, and Lambda renews them."),
        "InternalServiceErrorException": ("transient", "SES has a fault."),
        "InternalFailure": ("transient", "SES has a fault."),
        "ServiceUnavailable": ("transient", "SES has a fault."),
    }
)
"""Maps each known error code of SES to the kind of the error (final or transient) and its cause."""


def is_final(code: str) -> bool:
    """Return whether an error with this code is final: SES would refuse the same email again."""
    return ERRORS.get(code, ("transient", ""))[0] == "final"
