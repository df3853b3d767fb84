"""Cancelling against whoever decides the order at the same time."""

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

# Two changes can come in between: PENDING to CONFIRMED, and a cancellation. More is contention for the stock.
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
    """Return the order that `read` gives, cancelled; read it again whenever it was changed meanwhile.

    Raises InvalidTransition, TooManyRequests, and what `read` raises.
    """
    for _ in range(_TRIES):
        before = read()
        after = orders.cancelled(before, now)
        try:
            if transactions.cancel(before, after, request_id=request_id):
                return after
        except StockContention:
            sleep(random.uniform(0.5, 1) * _PAUSE_S)  # noqa: S311 - spreads retries
    raise TooManyRequests("order: it or its products are being changed; repeat the request")
