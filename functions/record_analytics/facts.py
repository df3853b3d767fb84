"""What the analytics queue's messages say, and the objects that are made of them."""

from __future__ import annotations

import json
from typing import Any, Final, TypedDict, cast

from shared import contracts
from shared.domain.orders import Order
from shared.errors import ValidationError
from shared.events import DETAIL_TYPES

_CHECKS: Final = {detail_type: contracts.event_check(detail_type) for detail_type in DETAIL_TYPES.values()}


class Fact(TypedDict):
    """An event as the queue's target makes it: nothing in it changes between two deliveries."""

    event_id: str
    detail_type: str
    order: Order


def fact_of(body: str) -> Fact:
    """Return what a message says. Raises ValidationError if it is no event of the contracts."""
    try:
        fact = json.loads(body)
        # Half of a surrogate pair (an escape such as \ud800) is a string for Python that no service takes.
        json.dumps(fact, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"body: got no JSON ({type(error).__name__}); allowed: an event of an order") from error
    found = cast("dict[str, Any]", fact) if isinstance(fact, dict) else {}
    check = _CHECKS.get(str(found.get("detail_type")))
    if check is None:
        raise ValidationError(f"body.detail_type: got none that is known; allowed: {', '.join(_CHECKS)}")
    check({name: value for name, value in found.items() if name != "detail_type"})
    return cast("Fact", found)


def key_of(fact: Fact) -> str:
    """Return the key of the event's object."""
    return f"orders/dt={fact['order']['updated_at'][:10]}/{fact['event_id'].replace(':', '_')}.json"


def content_of(fact: Fact) -> bytes:
    """Return the object, the same for each delivery."""
    return json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode()
