"""Which calls an order's life makes of AWS, and which of them goes wrong, and how.

Everything that happens to one order can be told by marks in the bytes of the requests: its id, its product, its
customer. So faults are aimed at one order each, and hundreds of orders share one emulator at the same time.
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
"""Orders' and users' ids, and the products of faults."""
WORKFLOWS: Final = ("standard", "express")


@dataclass(frozen=True, order=True)
class Call:
    """One call of AWS in the life of an order."""

    caller: str
    """A function (`send_email`) or a workflow (`express`)."""
    operation: str
    """AWS's name (`PutItem`), or a workflow's task and what it calls (`RecordOrder (dynamodb:putItem)`)."""
    nth: int = 1
    """Which of the caller's calls of this operation for the order: a mail's rows are written once for each event."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    too slow: the call is carried out when nobody waits for it any more. killed: the function's process, before or after
    the call was carried out. aborted, died, timed out: the workflow's execution ends at this call. refused: for a
    reason that does not pass. delayed: a pause that harms nothing.
    """

    kind: Kind
    extent: Extent = "try"
    """One request; all tries that the SDK makes of one call; or every such call until the fault is lifted."""


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
    """Yield all that can go wrong with `call`."""
    if call.caller not in WORKFLOWS:
        yield from OF_FUNCTIONS
        return
    yield from _OF_WORKFLOWS
    # Step Functions cannot abort an EXPRESS execution, so the execution dies instead.
    yield Fault("aborted" if call.caller == "standard" else "died")
    if "(lambda:" in call.operation:
        yield Fault("killed before")


@dataclass(eq=False)
class Armed:
    """A fault that waits for its call."""

    call: Call
    fault: Fault
    fired: int = 0
    lifted: bool = False
    _bound: str = ""

    def meets(self, nth: int, call_id: str) -> bool:
        """Say whether this try of the caller's `nth` call goes wrong."""
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
    """What is known of one order's calls."""

    armed: list[Armed] = field(default_factory=list[Armed])
    calls: list[Call] = field(default_factory=list[Call])
    """In the sequence of their first tries."""
    met: list[tuple[Call, Fault]] = field(default_factory=list[tuple[Call, Fault]])
    """Calls that went wrong, those of other orders that shared a request with it included."""
    _ids: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, caller: str, operation: str, call_id: str) -> Call:
        """Take down a try of a call; `call_id` is the same for all tries of one."""
        ids = self._ids[caller, operation]
        if call_id not in ids:
            ids.append(call_id)
            self.calls.append(Call(caller, operation, len(ids)))
        return Call(caller, operation, ids.index(call_id) + 1)

    def fault(self, call: Call, call_id: str) -> Fault | None:
        """Return what goes wrong with this try of `call`."""
        for armed in self.armed:
            same = (armed.call.caller, armed.call.operation) == (call.caller, call.operation)
            if same and armed.meets(call.nth, call_id):
                return armed.fault
        return None

    def lift(self) -> None:
        """Let nothing go wrong any more."""
        for armed in self.armed:
            armed.lifted = True


class Plan:
    """All orders whose calls are watched, by their marks. Lives are added by one thread and read by another."""

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}

    def watch(self, life: Life, marks: Iterable[str]) -> None:
        """Watch the calls that bear one of `marks`."""
        for mark in marks:
            assert MARK.fullmatch(mark), mark
            self._lives[mark] = life

    def decide(self, caller: str, operation: str, call_id: str, text: str) -> Fault | None:
        """Return what goes wrong with a request whose bytes are `text`. One may be about several orders."""
        lives = {id(life): life for mark in MARK.findall(text) if (life := self._lives.get(mark))}.values()
        noted = [(life, life.note(caller, operation, call_id)) for life in lives]
        # One request can contain several orders, but it meets only the first fault. The other faults wait for the next
        # call of their order.
        found = next((fault for life, call in noted if (fault := life.fault(call, call_id))), None)
        if found:
            for life, call in noted:
                life.met.append((call, found))
        return found
