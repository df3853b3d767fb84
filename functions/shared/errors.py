"""What can go wrong, as one tree. A class's name is its code: in the APIs' answers and in the workflow's `ErrorEquals`.

A message is read by customers and is kept in `order.reason`: it says what, got, allowed and, where there is one, the
remedy. It holds nothing personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class OrdersError(Exception):
    """Root of the tree."""

    @property
    def code(self) -> str:
        """The name that clients and the workflow know."""
        return type(self).__name__


class ValidationError(OrdersError):
    """The request breaks the contract or a rule of the domain."""


class Unauthorized(OrdersError):
    """No caller, or a token of the wrong kind."""


class Forbidden(OrdersError):
    """The caller may not do this."""


class NotFound(OrdersError):
    """There is no such route."""


class UserNotFound(OrdersError):
    """No such profile, or somebody else's."""


class OrderNotFound(OrdersError):
    """No such order, or somebody else's."""


class ProductNotFound(OrdersError):
    """Not in the catalogue."""


class UserAlreadyExists(OrdersError):
    """The caller has a profile."""


class IdempotencyConflict(OrdersError):
    """The Idempotency-Key was used with another body."""


class InvalidTransition(OrdersError):
    """The order's status does not allow it."""


class OutOfStock(OrdersError):
    """Less in stock than ordered."""


class UnsupportedMediaType(OrdersError):
    """The body is not JSON by its Content-Type."""


class PayloadTooLarge(OrdersError):
    """The body is larger than any valid one."""


class TooManyRequests(OrdersError):
    """Too busy for this request now; it may be repeated."""


class InternalError(OrdersError):
    """Not the caller's fault. The cause is in the log alone."""


class StockContention(OrdersError):
    """Transient: others are writing the same rows, or DynamoDB is throttling. The workflow repeats it."""


class ConsumerError(OrdersError):
    """An event cannot be handled now. Lambda repeats it, then sends it to the function's failure queue."""


class OrderUndecided(ConsumerError):
    """The order's own Express execution may still be running."""


class MailClaimed(ConsumerError):
    """Another invocation is sending the mail of this event."""


class MailRefused(ConsumerError):
    """SES did not take a mail."""


# The only place where an error becomes a status. ConsumerError is absent: it never answers a request.
HTTP_STATUS: Final[Mapping[type[OrdersError], int]] = MappingProxyType(
    {
        ValidationError: 400,
        Unauthorized: 401,
        Forbidden: 403,
        NotFound: 404,
        UserNotFound: 404,
        OrderNotFound: 404,
        ProductNotFound: 404,
        UserAlreadyExists: 409,
        IdempotencyConflict: 409,
        InvalidTransition: 409,
        OutOfStock: 409,
        PayloadTooLarge: 413,
        UnsupportedMediaType: 415,
        TooManyRequests: 429,
        InternalError: 500,
        StockContention: 503,
    }
)
