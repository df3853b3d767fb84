"""What the analytics queue's messages say, and the objects that are made of them."""

from __future__ import annotations

import json
from typing import Any, Final, TypedDict, cast

from shared import contracts
from shared.domain.orders import Order
from shared.errors import ValidationError
from shared.events import DETAIL_TYPES

_CHECKS: Final = {detail_type: contracts.event_check(detail_type) for detail_type in DETAIL_TYPES.values()}


class AnalyticsRecord(TypedDict):
    """An event as the queue's target makes it: nothing in it changes between two deliveries."""

    event_id: str
    detail_type: str
    order: Order


def parse(body: str) -> AnalyticsRecord:
    """Return what a message says. Raises ValidationError if it is no event of the contracts."""
    try:
        record = json.loads(body)
        # Half of a surrogate pair (an escape such as \ud800) is a string for Python that no service takes.
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"body: got no JSON ({type(error).__name__}); allowed: an event of an order") from error
    found = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    check = _CHECKS.get(str(found.get("detail_type")))
    if check is None:
        raise ValidationError(f"body.detail_type: got none that is known; allowed: {', '.join(_CHECKS)}")
    check({name: value for name, value in found.items() if name != "detail_type"})
    return cast("AnalyticsRecord", found)


def object_key(record: AnalyticsRecord) -> str:
    """Return the key of the event's object."""
    return f"orders/dt={record['order']['updated_at'][:10]}/{record['event_id'].replace(':', '_')}.json"


def object_body(record: AnalyticsRecord) -> bytes:
    """Return the object, the same for each delivery."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
