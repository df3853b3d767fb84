"""The event with which Lambda passes messages of an SQS queue to a function."""

from __future__ import annotations

import json
from typing import Any, Final

OWN: Final = "own"
"""Name of the queue whose URL the environment variable QUEUE_URL contains."""


def batch(*bodies: Any, received: int = 1, group: str | None = None, queue: str = OWN) -> dict[str, Any]:
    """Return an event with one message for each of `bodies`. The ids of the messages are m0, m1 and so on.

    A body that is not a string is converted to JSON. `received` is the number of times that SQS has delivered the
    messages, `group` is their message group in a FIFO queue, and `queue` is the name of the queue.
    """
    attributes = {"ApproximateReceiveCount": str(received), **({"MessageGroupId": group} if group else {})}
    return {
        "Records": [
            {
                "messageId": f"m{position}",
                "receiptHandle": f"r{position}",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:ap-northeast-1:123456789012:{queue}",
                "attributes": attributes,
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for position, body in enumerate(bodies)
        ]
    }
