"""Message groups, and pauses between deliveries, for the SQS queues that Lambda functions consume."""

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
    one order are therefore in one group. An invalid id, which starts with another character, gets the group `orders`.
    """
    return f"{_NO_EVENT}-{event_id[0]}" if event_id and event_id[0] in GROUP_DIGITS else _NO_EVENT


def analytics_record(event: Mapping[str, Any]) -> dict[str, Any]:
    """Convert `event`, an EventBridge event, to the body of a message in the analytics queue.

    Usually, the input transformer of the EventBridge target does this conversion. An event in the target's dead-letter
    queue has not been converted, so use this function for such an event. `event` can be invalid.
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

    Pauses are random, so that messages that failed together don't all return together. The upper limit of the pause
    doubles with each delivery: 2 s, 4 s, 8 s, up to LONGEST_PAUSE_S. `share` is a random number from 0 to 1: with 0,
    the pause is half of the upper limit; with 1, it is the upper limit.
    """
    longest = min(LONGEST_PAUSE_S, 2**received)
    return ceil(longest / 2 * (1 + share))


def _receives(waits_s: int) -> int:
    """Return the lowest number of deliveries whose pauses always add up to at least `waits_s` seconds.

    Pauses are random, so the function adds up the shortest possible ones.
    """
    received, waited_s = 1, 0
    while waited_s < waits_s:
        waited_s += pause_s(received, 0)
        received += 1
    return received


RECEIVED_AT_MOST: Final = _receives(_WAITS_S)
"""Number of deliveries after which a message moves to the failure queue. These deliveries take at least six hours."""
