"""The constants of the order platform that components, functions, operations and tests share.

Each constant is defined only in this module. The OpenAPI documents and the event schemas in contracts/ repeat the
statuses and the error codes, because clients read those files without Python. Tests compare the files with this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Status = Literal["PENDING", "CONFIRMED", "REJECTED", "FAILED", "CANCELLED"]

TRANSITIONS: Final[Mapping[Status, tuple[Status, ...]]] = MappingProxyType(
    {
        "PENDING": ("CONFIRMED", "REJECTED", "FAILED", "CANCELLED"),
        "CONFIRMED": ("CANCELLED",),
        "REJECTED": (),
        "FAILED": (),
        "CANCELLED": (),
    }
)
"""The statuses that may follow each status."""

EVENT_SOURCE: Final = "orders.api"
DETAIL_TYPES: Final[Mapping[Status, str]] = MappingProxyType(
    {
        "PENDING": "OrderCreated",
        "CONFIRMED": "OrderConfirmed",
        "REJECTED": "OrderRejected",
        "FAILED": "OrderFailed",
        "CANCELLED": "OrderCancelled",
    }
)
"""The detail type of the event that announces each status. Its schema is `contracts/events/{detail type}.json`."""

LATE_SHARD: Final = "late_shard"
"""Attribute that only late orders have. It is the partition key in the index of late orders."""

HTTP_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ValidationError": 400,
        "Unauthorized": 401,
        "Forbidden": 403,
        "NotFound": 404,
        "UserNotFound": 404,
        "OrderNotFound": 404,
        "ProductNotFound": 404,
        "UserAlreadyExists": 409,
        "IdempotencyConflict": 409,
        "InvalidTransition": 409,
        "OutOfStock": 409,
        "PriceChanged": 409,
        "PayloadTooLarge": 413,
        "UnsupportedMediaType": 415,
        "TooManyRequests": 429,
        "InternalError": 500,
        "ServiceUnavailable": 503,
        "StockContention": 503,
        "Timeout": 504,
    }
)
"""The HTTP status of each error code that a response can have."""

POLL_AFTER_S: Final = 1
"""Seconds after which a client reads an accepted order for the first time. Most orders are decided by then."""

RETRY_AFTER_S: Final = 10
"""Seconds after which a client may repeat a request of `POST /process` that returned 503 or 504."""

EXPOSED_HEADERS: Final = ("Location", "Retry-After", "x-amzn-requestid")
"""The response headers of the REST API that web pages of other origins may read."""

LARGEST_ID_LIST: Final = 100
"""Maximum number of product ids in one request: DynamoDB's BatchGetItem reads up to 100 rows."""

MOST_DETAILS: Final = 20
"""Maximum number of details in one error. An invalid body can violate its schema in thousands of places."""

LARGEST_BODY_BYTES: Final = 16 * 1024
"""Maximum size of a request body in bytes, more than five times the size of the largest valid order."""
TOO_LARGE: Final = f"body: too large; at most {LARGEST_BODY_BYTES} bytes"
"""Message of PayloadTooLarge."""
WRONG_MEDIA_TYPE: Final = "Content-Type: must be application/json"
"""Message of UnsupportedMediaType."""

API_TIMEOUT_S: Final = 29
"""Seconds that API Gateway waits for a function or an execution: its quota, unless AWS raises it for an account."""
LONGEST_BEHIND_API_S: Final = API_TIMEOUT_S - 1
"""Longest time limit in seconds with which a function or an execution ends before API Gateway stops waiting."""

LATE_SHARDS: Final = "0123456789abcdef"
"""Partition keys of the index `late`, one per character.

DynamoDB limits each partition key to 1,000 writes per second. With one partition key, many orders that are late at the
same time could exceed this limit. DynamoDB would then also throttle the decisions of these orders, because each
decision changes the index.
"""
