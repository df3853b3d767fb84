"""Events of the bus: what the relay puts on it and what consumers read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypedDict

from shared.domain.orders import Order, Status

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "orders.api"
DETAIL_TYPES: Final[Mapping[Status, str]] = MappingProxyType(
    {
        "PENDING": "OrderCreated",
        "CONFIRMED": "OrderConfirmed",
        "REJECTED": "OrderRejected",
        "FAILED": "OrderFailed",
        "CANCELLED": "OrderCancelled",
    }
)


class Detail(TypedDict):
    """An event's detail: contracts/events/."""

    event_id: str
    order: Order


def detail_of(order: Order) -> Detail:
    """Return the event of the order's status. Its id is the same however often it is sent."""
    return {"event_id": f"{order['order_id']}:{order['status']}", "order": order}


def entry_of(detail: Detail, *, bus: str) -> PutEventsRequestEntryTypeDef:
    """Return the entry of PutEvents for `detail`."""
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPES[detail["order"]["status"]],
        "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
    }
