"""Cancels an order, even if the workflow or another request changes the order at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.domain import orders
from shared.domain.orders import Order
from shared.errors import StockContention, TooManyRequests
from shared.order_transactions import OrderTransactions

# An attempt fails if another request or the workflow changes the order's status at the same time. The status can change
# at most twice, to CONFIRMED and then to CANCELLED, so three attempts are enough.
_TRIES: Final = 3


def cancel(read: Callable[[], Order], transactions: OrderTransactions, *, now: datetime, request_id: str) -> Order:
    """Cancel the order that `read` returns, and return the cancelled order.

    After a concurrent change, this function calls `read` again and repeats the attempt. `request_id` is Lambda's
    request id. If the SDK repeats the write that cancelled a PENDING order, this id shows that the same request
    cancelled the order.

    Raises InvalidTransition if the order's status does not allow cancellation, TooManyRequests if concurrent writes
    prevent the cancellation, and any error of `read`.
    """
    busy = TooManyRequests("order: too many concurrent changes to the order or its products; retry the request")
    for _ in range(_TRIES):
        before = read()
        after = orders.cancelled(before, now)
        try:
            if transactions.cancel(before, after, request_id=request_id):
                return after
        except StockContention as error:
            raise busy from error
    raise busy
