"""Cancels orders, even if the workflow or another request changes an order at the same time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.domain import orders
from shared.domain.orders import Order
from shared.errors import StockContention, TooManyRequests
from shared.order_transactions import OrderTransactions

# An attempt fails if the order's status changes meanwhile. The status can change at most twice, to CONFIRMED and then
# to CANCELLED, so status changes alone cannot make three attempts fail. Contention for the stock also makes an attempt
# fail. If all attempts fail, `cancel` raises TooManyRequests.
_TRIES: Final = 3
_PAUSE_S: Final = 0.2


def cancel(
    read: Callable[[], Order],
    transactions: OrderTransactions,
    *,
    now: datetime,
    request_id: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Order:
    """Cancel the order that `read` returns, and return it. If the order has changed meanwhile, call `read` again.

    Raises InvalidTransition, TooManyRequests, and any error of `read`.
    """
    for _ in range(_TRIES):
        before = read()
        after = orders.cancelled(before, now)
        try:
            if transactions.cancel(before, after, request_id=request_id):
                return after
        except StockContention:
            sleep(random.uniform(0.5, 1) * _PAUSE_S)  # noqa: S311 - jitter needs no secure random numbers
    raise TooManyRequests("order: too many concurrent changes to the order or its products; retry the request")
