"""The message groups and the pauses between deliveries of the SQS queues from which Lambda reads for functions."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Final, cast

GROUP_DIGITS: Final = "0123456789abcdef"
"""The possible first characters of an event id. The events of each character have a message group of their own."""
_NO_EVENT: Final = "orders"
LONGEST_PAUSE_S: Final = 300
"""Longest pause in seconds between two deliveries of a message that a function could not handle."""
_WAITS_S: Final = 6 * 3600


def message_group(event_id: str) -> str:
    """Return the message group of an event in the analytics queue, for example `orders-4`.

    The group depends on the first character of the event id, which is the first digit of the order id. All events of
    one order are therefore in one group. An id with another first character gets the group `orders`.
    """
    return f"{_NO_EVENT}-{event_id[0]}" if event_id and event_id[0] in GROUP_DIGITS else _NO_EVENT


def analytics_record(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the message about the EventBridge event `event` in the analytics queue.

    The input transformer of the queue's EventBridge targets creates the same body. Use this function for an event from
    the dead-letter queue of a target, which receives the event without this transformation. `event` can be invalid.
    """
    detail = event.get("detail")
    fields = cast("dict[str, Any]", detail) if isinstance(detail, dict) else {}
    return {
        "event_id": fields.get("event_id"),
        "detail_type": event.get("detail-type"),
        "order": fields.get("order"),
    }


def pause_s(received: int, share: float) -> int:
    """Return the pause in whole seconds before the next delivery of a message that was received `received` times.

    The longest possible pause doubles with each delivery: 2 s, 4 s, 8 s, up to LONGEST_PAUSE_S. `share` is a random
    number from 0 to 1. With 0, the pause is half as long as the longest possible pause; with 1, it is just as long.
    With random pauses, messages that failed together don't all return together.
    """
    longest = min(LONGEST_PAUSE_S, 2**received)
    return ceil(longest / 2 * (1 + share))


def _receives(waits_s: int) -> int:
    """Return how many deliveries take at least `waits_s` seconds with the shortest possible pauses between them."""
    received, waited_s = 1, 0
    while waited_s < waits_s:
        waited_s += pause_s(received, 0)
        received += 1
    return received


RECEIVED_AT_MOST: Final = _receives(_WAITS_S)
"""Number of deliveries after which a message moves to the failure queue. These deliveries take at least six hours."""
