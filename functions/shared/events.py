"""Events of the bus: what the relay puts on it and what consumers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from shared import contracts
from shared.domain.orders import Order, Status
from shared.errors import ValidationError

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


def event_parser(*detail_types: str) -> Callable[[Any], Detail]:
    """Return what reads an event of the bus; it raises ValidationError for what is none of these by the contracts.

    Whoever may put events on the bus can put anything there. Compiling the contracts takes milliseconds: call it once,
    at import.
    """
    checks = {detail_type: contracts.event_check(detail_type) for detail_type in detail_types}

    def read(event: Any) -> Detail:
        fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
        check = checks.get(str(fields.get("detail-type")))
        if check is None:
            raise ValidationError(f"detail-type: got none that is handled here; allowed: {', '.join(checks)}")
        check(fields.get("detail"))
        return cast("Detail", fields["detail"])

    return read


def order_parser() -> Callable[[Any], Order]:
    """Return what reads an accepted order that a workflow hands on; it raises ValidationError for anything else."""
    check = contracts.event_check(DETAIL_TYPES["PENDING"])

    def read(order: Any) -> Order:
        fields = cast("dict[str, Any]", order) if isinstance(order, dict) else {}
        check({"event_id": f"{fields.get('order_id')}:PENDING", "order": order})
        return cast("Order", order)

    return read


def put_events_entry(detail: Detail, *, bus: str) -> PutEventsRequestEntryTypeDef:
    """Return the entry of PutEvents for `detail`."""
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPES[detail["order"]["status"]],
        "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
    }
