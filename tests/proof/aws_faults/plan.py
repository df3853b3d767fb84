"""Records which AWS calls each order causes, and plans which of these calls fail in which way.

A request belongs to an order if its bytes contain the id of the order, its product or its customer. Each fault
therefore affects one order only, and hundreds of orders can share one emulator at the same time.
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
    """Operation of an AWS API (`PutItem`), or workflow step with its integration (`RecordOrder (dynamodb:putItem)`)."""
    nth: int = 1
    """1 for the caller's first call of this operation for the order, 2 for the second one, and so on."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    `too slow`: the call is carried out after its caller has stopped waiting. `killed before` and `killed after`: the
    function's process is killed before or after the call is carried out. `aborted`, `died` and `timed out`: the
    workflow execution ends at this call. `refused`: a permanent error, so retries don't help. `delayed`: a harmless
    pause.
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
        """Return whether the fault occurs at this attempt of the call `call_id`, and count it in `fired` if so.

        `nth` is the number of the call among the caller's calls of the same operation.
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
    """Failed calls, including calls that failed because another order in the same request had a fault."""
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
    """All cases whose AWS calls are recorded, by the ids of their orders, products and customers.

    The threads that run the cases call `watch`. At the same time, the proxy's thread calls `decide`.
    """

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}

    def watch(self, life: Life, marks: Iterable[str]) -> None:
        """From now on, record in `life` each AWS call whose request contains one of the ids `marks`.

        The faults of `life` affect these calls.
        """
        for mark in marks:
            assert MARK.fullmatch(mark), mark
            self._lives[mark] = life

    def decide(self, caller: str, operation: str, call_id: str, text: str) -> Fault | None:
        """Return the fault for a request with the content `text`, or None. A request can concern several orders."""
        lives = {id(life): life for mark in MARK.findall(text) if (life := self._lives.get(mark))}.values()
        noted = [(life, life.note(caller, operation, call_id)) for life in lives]
        # If several orders in the request have planned faults, only the first of these faults affects the request. The
        # faults of the other orders affect later calls.
        found = next((fault for life, call in noted if (fault := life.fault(call, call_id))), None)
        if found:
            for life, call in noted:
                life.met.append((call, found))
        return found
