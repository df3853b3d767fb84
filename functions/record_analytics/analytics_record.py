"""Parses analytics records from messages of the analytics queue, and converts them to S3 objects."""

from __future__ import annotations

import json
from typing import Any, Final, TypedDict, cast

from contracts import queues
from contracts.orders import DETAIL_TYPES
from shared import contracts
from shared.domain.orders import Order
from shared.errors import ValidationError

_CHECKS: Final = {detail_type: contracts.event_check(detail_type) for detail_type in DETAIL_TYPES.values()}


class AnalyticsRecord(TypedDict):
    """The JSON object that is stored for one event about an order. It is the same for every delivery of the event."""

    event_id: str
    detail_type: str
    order: Order


def parse(body: str) -> AnalyticsRecord:
    """Return the record in `body`, the body of a message. Raises ValidationError if the record violates its contract.

    A message of the dead-letter queue `analytics-delivery` contains the EventBridge event instead of the record. In
    this case, the function converts the event to the record.
    """
    try:
        record = json.loads(body)
        # Python's JSON parser accepts an unpaired surrogate (an escape such as \ud800), but S3 and SQS refuse text that
        # contains one. The next line raises an error if the record contains one.
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"body: not valid JSON ({type(error).__name__}); send an event about an order") from error
    found = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    if "detail" in found:
        found = queues.analytics_record(found)
    check = _CHECKS.get(str(found.get("detail_type")))
    if check is None:
        raise ValidationError(f"body.detail_type: unknown; allowed: {', '.join(_CHECKS)}")
    check({name: value for name, value in found.items() if name != "detail_type"})
    return cast("AnalyticsRecord", found)


def object_key(record: AnalyticsRecord) -> str:
    """Return the S3 key under which the record is stored."""
    return f"orders/dt={record['order']['updated_at'][:10]}/{record['event_id'].replace(':', '_')}.json"


def object_body(record: AnalyticsRecord) -> bytes:
    """Return the content of the record's S3 object. It is the same for every delivery of the event."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
