"""Names of the STANDARD executions of an order.

Step Functions accepts each name only once in 90 days, so each restart of an order's workflow needs another name.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"(?P<order_id>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})-[1-9][0-9]*")


def execution_name(order_id: str, restarts: int) -> str:
    """Return the name of the order's execution after `restarts` restarts. The first execution has 0 restarts."""
    return f"{order_id}-{restarts}" if restarts else order_id


def order_id_of(name: str) -> str:
    """Return the id of the order whose execution is called `name`. A name in another format is returned unchanged."""
    restarted = _NAME.fullmatch(name)
    return restarted["order_id"] if restarted else name
