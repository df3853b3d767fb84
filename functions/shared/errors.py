"""All errors of the platform, in one class hierarchy.

The name of a class is its error code: API responses contain it, and the workflow matches it with `ErrorEquals`.
contracts/orders.py maps the error codes to HTTP statuses. ConsumerError and its subclasses have no HTTP status, because
they do not occur in API requests.

Customers read error messages, and rejected orders store them in `order.reason`. A message names the field, the problem
and, if possible, the allowed values or a remedy. It contains no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class OrdersError(Exception):
    """Base class of all errors.

    `details` describes the problem in a machine-readable form, for example which fields are invalid. API responses
    contain these details. contracts/rest-api.yaml defines their fields for each error code.
    """

    def __init__(self, message: str = "", details: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)

    @property
    def code(self) -> str:
        """Error code, which API responses and workflow definitions use."""
        return type(self).__name__


class ValidationError(OrdersError):
    """The request violates the API contract or a business rule."""


class Unauthorized(OrdersError):
    """The request has no token, or a token of the wrong kind."""


class Forbidden(OrdersError):
    """The caller does not have the required permission."""


class NotFound(OrdersError):
    """The API has no operation for this path and method."""


class UserNotFound(OrdersError):
    """The profile does not exist, or the caller may not read it."""


class OrderNotFound(OrdersError):
    """The order does not exist, or the caller may not read it."""


class ProductNotFound(OrdersError):
    """The product is not in the catalog."""


class UserAlreadyExists(OrdersError):
    """The caller already has a profile."""


class IdempotencyConflict(OrdersError):
    """The Idempotency-Key was already used with a different body."""


class InvalidTransition(OrdersError):
    """The order's current status does not allow the change."""


class OutOfStock(OrdersError):
    """The stock of a product is lower than the ordered quantity."""


class PriceChanged(OrdersError):
    """The total of the order differs from the total that the client expected."""


class UnsupportedMediaType(OrdersError):
    """The Content-Type header is not JSON."""


class PayloadTooLarge(OrdersError):
    """The body exceeds the maximum size."""


class TooManyRequests(OrdersError):
    """The service is too busy for this request. The client can retry the request later."""


class InternalError(OrdersError):
    """An unexpected error inside the platform. Only the log contains the cause."""


class StockContention(OrdersError):
    """DynamoDB refused a write because of concurrent writes or throttling, or did not respond.

    The workflow retries this transient error.
    """


class ConsumerError(OrdersError):
    """A function cannot handle an event. If no retry can help, or none is left, the event goes to a failure queue."""


class OrderUndecided(ConsumerError):
    """The order is PENDING, and its EXPRESS execution may still be running. Lambda retries the event a minute later."""


class LateOrdersLeft(ConsumerError):
    """The sweep could not restart some late orders."""


class MailClaimed(ConsumerError):
    """Another invocation is sending the email for this event."""


class MailDelayed(ConsumerError):
    """SES did not accept an email, or too little time is left to send it. A later attempt may succeed."""


class MailRefused(ConsumerError):
    """SES refused an email, and would refuse the same email again."""
