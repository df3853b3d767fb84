"""Builds and parses events about orders. The outbox relay publishes the events, and consumers parse them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, cast

from contracts.orders import DETAIL_TYPES, EVENT_SOURCE
from shared import contracts
from shared.domain.orders import Line, Order
from shared.errors import ValidationError

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef


class Detail(TypedDict):
    """The detail of an event, defined by the schemas in contracts/events/."""

    event_id: str
    order: Order


def detail_of(order: Order) -> Detail:
    """Return the detail of the event about the order's status. The event id is `{order_id}:{status}`.

    During an update from release 0.1.0, that release's consumers can still receive events. They refuse unknown fields
    and reason codes. Events therefore contain only fields and reason codes that 0.1.0 knows.
    """
    return {"event_id": f"{order['order_id']}:{order['status']}", "order": _known_to_older_consumers(order)}


def _known_to_older_consumers(order: Order) -> Order:
    known = order.copy()
    known["items"] = [_without_name(line) for line in order["items"]]
    if "reason" in order:
        code, message = order["reason"]["code"], order["reason"]["message"]
        known["reason"] = {"code": "ValidationError" if code == "PriceChanged" else code, "message": message}
    return known


def _without_name(line: Line) -> Line:
    known = line.copy()
    known.pop("name", None)
    return known


def event_parser(*detail_types: str) -> Callable[[Any], Detail]:
    """Return a function that validates an event of one of `detail_types` and returns its detail.

    The returned function raises ValidationError for an event of another type, and for an event that violates its
    contract. The validation is necessary, because a role with permission to put events on the bus can put an event with
    any content there.

    Call `event_parser` at module level, not in a handler. It imports generated modules. In a handler, this import would
    slow down the first request.
    """
    checks = {detail_type: contracts.event_check(detail_type) for detail_type in detail_types}

    def read(event: Any) -> Detail:
        fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
        check = checks.get(str(fields.get("detail-type")))
        if check is None:
            raise ValidationError(f"detail-type: not supported; allowed: {', '.join(checks)}")
        check(fields.get("detail"))
        return cast("Detail", fields["detail"])

    return read


def order_parser() -> Callable[[Any], Order]:
    """Return a function that validates a PENDING order in the workflow's input and returns the order.

    The returned function raises ValidationError if the order is invalid or not PENDING.
    """
    check = contracts.event_check(DETAIL_TYPES["PENDING"])

    def read(order: Any) -> Order:
        fields = cast("dict[str, Any]", order) if isinstance(order, dict) else {}
        check({"event_id": f"{fields.get('order_id')}:PENDING", "order": order})
        return cast("Order", order)

    return read


def put_events_entry(detail: Detail, *, bus: str) -> PutEventsRequestEntryTypeDef:
    """Return the entry for `detail` in a PutEvents call."""
    return {
        "EventBusName": bus,
        "Source": EVENT_SOURCE,
        "DetailType": DETAIL_TYPES[detail["order"]["status"]],
        "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
    }
