"""The event with which Lambda delivers messages of an SQS queue to a function."""

from __future__ import annotations

import json
from typing import Any


def batch(*bodies: Any, received: int = 1, group: str | None = None) -> dict[str, Any]:
    """Return the delivery of messages with the ids m0, m1, and so on, which SQS has delivered `received` times.

    A body that is no text is converted to JSON. `group` is the message group of the messages in a FIFO queue.
    """
    attributes = {"ApproximateReceiveCount": str(received), **({"MessageGroupId": group} if group else {})}
    return {
        "Records": [
            {
                "messageId": f"m{position}",
                "receiptHandle": f"r{position}",
                "eventSource": "aws:sqs",
                "attributes": attributes,
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for position, body in enumerate(bodies)
        ]
    }
