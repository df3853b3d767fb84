"""Waits for asynchronous results of a request. If a result is missing, the error shows the state of the platform."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.journeys.people import Person
from tests.journeys.stack import Stack

T = TypeVar("T")
WITHIN_S = 240.0
"""Seconds after which a waiting test fails. The limit is long because a busy machine is slow; it is no speed target."""
_PAUSE_S = 0.1


@dataclass(frozen=True)
class Watcher:
    """Waits for asynchronous results on a deployed stack."""

    stack: Stack
    events_queue: str
    """URL of a queue that receives every event of the bus."""

    def until(self, look: Callable[[], T], what: str, about: str = "", *, pause_s: float = _PAUSE_S) -> T:
        """Call `look` until its result is true, and return the result. `what` describes the expected result.

        Raises AssertionError after a time limit. The message shows `what` and the state of the order with the id
        `about`.
        """
        ends = time.monotonic() + WITHIN_S
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > ends:
                raise AssertionError(
                    f"waited {WITHIN_S:.0f} s, but this did not happen: {what}\n{self.evidence(about)}"
                )
            time.sleep(pause_s)

    def decided(self, person: Person, order_id: str) -> dict[str, Any]:
        """Wait until the order of the customer `person` is no longer PENDING, and return the order."""

        def look() -> dict[str, Any] | None:
            order = person.read(order_id)
            return order if order["status"] != "PENDING" else None

        return self.until(look, "the order is no longer PENDING", order_id) or {}

    def ended(self, order_id: str) -> dict[str, Any]:
        """Wait until the order's STANDARD execution has ended, and return the execution."""

        def look() -> dict[str, Any] | None:
            execution = self.stack.execution(order_id)
            return execution if execution and execution["status"] != "RUNNING" else None

        return self.until(look, "the execution ended", order_id) or {}

    def events(self, order_id: str) -> list[dict[str, Any]]:
        """Return the events about an order, including source and detail type, in the sequence of their delivery."""
        found = [json.loads(each["Body"]) for each in self.stack.queued(self.events_queue) if order_id in each["Body"]]
        return [event for event in found if event["detail"]["order"]["order_id"] == order_id]

    def told(self, order_id: str, *detail_types: str) -> list[dict[str, Any]]:
        """Wait until the bus has delivered exactly the events `detail_types` about the order, in this sequence.

        Return the events.
        """

        def look() -> list[dict[str, Any]]:
            found = self.events(order_id)
            return found if [event["detail-type"] for event in found] == list(detail_types) else []

        return self.until(look, f"the bus delivers {', '.join(detail_types)}", order_id)

    def evidence(self, order_id: str) -> str:
        """Return the state of an order as text: row, events, execution, failure queues and last log lines."""
        stack = self.stack
        parts = {
            "row": [stack.row("orders", order_id=order_id)] if order_id else [],
            "events": [event["detail-type"] for event in self.events(order_id)] if order_id else [],
            "execution": [stack.execution(order_id), stack.states(order_id)] if order_id else [],
            "failure queues": [
                f"{name}: {each['Body'][:400]}"
                for name, queue in stack.ops["failureQueues"].items()
                for each in stack.queued(queue["url"])
            ],
            **{f"log of {name}": stack.log(name)[-4:] for name in stack.ops["logGroups"]},
        }
        return "\n".join(f"{title}:\n" + "\n".join(f"  {each}" for each in found) for title, found in parts.items())
