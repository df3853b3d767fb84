"""Records which AWS calls each order causes, and plans which of these calls fail in which way.

Each order has its own product and customer. A request belongs to an order if it contains the id of the order, of the
product or of the customer. A fault for one order is injected only into requests that belong to this order. Hundreds of
orders can therefore share one emulator at the same time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal[
    "throttled",
    "server error",
    "connection reset",
    "answer lost",
    "too slow",
    "killed before",
    "killed after",
    "aborted",
    "died",
    "timed out",
    "refused",
    "delayed",
]
Extent = Literal["try", "call", "ever"]
MARK: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|faulty-\d+")
"""Ids by which a request is assigned to a case: UUIDs of orders and users, and ids of the products in the cases."""
WORKFLOWS: Final = ("standard", "express")
SWEEP: Final = ("mark_late_orders", "restart_late_orders")
"""The functions that restart the workflow of orders whose STANDARD execution ended without a decision."""


@dataclass(frozen=True, order=True)
class Call:
    """One AWS call that the platform makes for an order."""

    caller: str
    """Name of the function (`send_email`) or of the workflow (`express` or `standard`) that makes the call."""
    operation: str
    """What is called.

    If a function calls: the operation of the AWS API, for example `PutItem`. If a workflow calls: the step with its
    service integration, for example `RecordOrder (dynamodb:putItem)`.
    """
    nth: int = 1
    """1 for the caller's first call of this operation for the order, 2 for the second one, and so on."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    `answer lost`: the call is carried out, but its caller gets no response. `too slow`: the call is carried out after
    its caller has stopped waiting. `killed before` and `killed after`: the function's process is killed before or after
    the call is carried out. `aborted`, `died` and `timed out`: at this call, the workflow execution is stopped, fails
    with an internal error, or reaches its time limit. `refused`: a permanent error, so retries don't help. `delayed`: a
    harmless pause.
    """

    kind: Kind
    extent: Extent = "try"
    """Which requests fail.

    `try`: one HTTP request. `call`: one call, including all retries by the SDK. `ever`: all requests until the test
    ends the fault.
    """


OF_FUNCTIONS: Final = (
    Fault("throttled", "call"),
    Fault("server error", "call"),
    Fault("connection reset", "call"),
    Fault("answer lost", "try"),
    Fault("answer lost", "call"),
    Fault("too slow", "try"),
    Fault("too slow", "call"),
    Fault("killed before"),
    Fault("killed after"),
    Fault("throttled", "ever"),
    Fault("killed before", "ever"),
)
_OF_WORKFLOWS: Final = (
    Fault("throttled"),
    Fault("server error"),
    Fault("connection reset"),
    Fault("answer lost"),
    Fault("too slow"),
    Fault("timed out"),
    Fault("throttled", "ever"),
)


def faults_of(call: Call) -> Iterator[Fault]:
    """Yield all faults that can occur at `call`."""
    if call.caller not in WORKFLOWS:
        yield from OF_FUNCTIONS
        return
    yield from _OF_WORKFLOWS
    # StopExecution can abort a STANDARD execution but not an EXPRESS execution. The fault for an EXPRESS execution is
    # therefore an internal error of Step Functions (`died`).
    yield Fault("aborted" if call.caller == "standard" else "died")
    if "(lambda:" in call.operation:
        yield Fault("killed before")


@dataclass(eq=False)
class Armed:
    """A planned fault, the call at which it occurs, and the number of times that it has occurred (`fired`)."""

    call: Call
    fault: Fault
    fired: int = 0
    lifted: bool = False
    _bound: str = ""

    def meets(self, nth: int, call_id: str) -> bool:
        """Return whether the fault occurs at this attempt of a call. If it does, add one to `fired`.

        All attempts of a call have the same `call_id`. `nth` is 1 for the caller's first call of the operation, 2 for
        the second one, and so on.
        """
        if self.lifted or nth < self.call.nth:
            return False
        match self.fault.extent:
            case "try":
                meets = not self.fired
            case "call":
                self._bound = self._bound or call_id
                meets = self._bound == call_id
            case "ever":
                meets = True
        self.fired += meets
        return meets


@dataclass(eq=False)
class Life:
    """All AWS calls that were observed for one order, and the faults planned for it."""

    armed: list[Armed] = field(default_factory=list[Armed])
    calls: list[Call] = field(default_factory=list[Call])
    """All observed calls, in the sequence of their first attempts."""
    met: list[tuple[Call, Fault]] = field(default_factory=list[tuple[Call, Fault]])
    """Calls for this order that a fault affected, each with its fault.

    If a call concerns several orders, the fault can also be one that was planned for another order.
    """
    _ids: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, caller: str, operation: str, call_id: str) -> Call:
        """Record one attempt of a call, and return the call. All attempts of one call have the same `call_id`."""
        ids = self._ids[caller, operation]
        if call_id not in ids:
            ids.append(call_id)
            self.calls.append(Call(caller, operation, len(ids)))
        return Call(caller, operation, ids.index(call_id) + 1)

    def fault(self, call: Call, call_id: str) -> Fault | None:
        """Return the fault for this attempt of `call`, or None."""
        for armed in self.armed:
            same = (armed.call.caller, armed.call.operation) == (call.caller, call.operation)
            if same and armed.meets(call.nth, call_id):
                return armed.fault
        return None

    def lift(self) -> None:
        """Stop injecting faults for this order."""
        for armed in self.armed:
            armed.lifted = True


class Plan:
    """The faults planned for all orders. Finds the orders that a request belongs to, by the ids in the request.

    Several threads use this object at the same time: the test's threads call `watch`, and the proxy's thread calls
    `decide`.
    """

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}

    def watch(self, life: Life, marks: Iterable[str]) -> None:
        """From now on, record an order's AWS calls in `life`, and inject the faults that `life` contains.

        `marks` are the ids of the order, its product and its customer. A call belongs to the order if its request
        contains one of these ids.
        """
        for mark in marks:
            assert MARK.fullmatch(mark), mark
            self._lives[mark] = life

    def decide(self, caller: str, operation: str, call_id: str, text: str) -> Fault | None:
        """Record a request with the content `text`, and return the fault to inject, or None.

        A request can belong to several orders.
        """
        lives = {id(life): life for mark in MARK.findall(text) if (life := self._lives.get(mark))}.values()
        noted = [(life, life.note(caller, operation, call_id)) for life in lives]
        # The request can belong to several orders that have a planned fault. Only the first of these faults occurs now.
        # The others occur at later requests.
        found = next((fault for life, call in noted if (fault := life.fault(call, call_id))), None)
        if found:
            for life, call in noted:
                life.met.append((call, found))
        return found
