"""What an order does, as recorded on the emulator (`make record`)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from tools.cost.capacity import Access

_HERE: Final = Path(__file__).resolve().parent
RECORDED_ORDER: Final = _HERE / "recorded_order.json"
ASSUMPTIONS: Final = _HERE / "assumptions.toml"
PRICES: Final = _HERE / "prices.toml"


@dataclass(frozen=True)
class Lines:
    """What is written to a log."""

    lines: int = 0
    bytes: int = 0

    def __sub__(self, other: Lines) -> Lines:
        return Lines(self.lines - other.lines, self.bytes - other.bytes)


@dataclass(frozen=True)
class FunctionUse:
    """A function's part in one order."""

    invocations: int
    log: Lines
    info: Lines
    """The part of `log` that its level INFO is responsible for."""


@dataclass(frozen=True)
class WorkflowUse:
    """A state machine's part in one order."""

    executions: int
    transitions: int
    """States entered, those in branches included."""
    tasks: int
    log: Lines
    """As with level ALL and data."""


@dataclass(frozen=True)
class Use:
    """What one order does."""

    functions: Mapping[str, FunctionUse]
    workflows: Mapping[str, WorkflowUse]
    access_log: Lines
    calls: Mapping[str, int]
    """Caller and operation -> how often."""
    accesses: tuple[tuple[str, Access], ...]
    """Caller, and what it does with a row."""
    events: tuple[int, ...]
    """Bytes of each event's detail."""

    def of(self, operation: str) -> int:
        """Return the total number of calls of `operation`, by all callers."""
        return sum(number for call, number in self.calls.items() if operation in call)


@dataclass(frozen=True)
class Price:
    """What `per` of something cost."""

    usd: float
    per: int
    unit: str
    region: str
    source: str
    """A page, or a line of AWS's price list."""
    read: date

    @property
    def each(self) -> float:
        """USD for one."""
        return self.usd / self.per


def recorded() -> tuple[str, str, dict[str, Use]]:
    """Return the date of the recording, the order, and what it does, by way."""
    document = json.loads(RECORDED_ORDER.read_text(encoding="utf-8"))
    return document["recorded"], document["order"], {way: use(each) for way, each in document["ways"].items()}


def use(document: Mapping[str, Any]) -> Use:
    """Return what an order does, of its JSON."""
    return Use(
        functions={name: _function(each) for name, each in document["functions"].items()},
        workflows={
            name: WorkflowUse(each["executions"], each["transitions"], each["tasks"], _lines(each))
            for name, each in document["workflows"].items()
        },
        access_log=_lines(document["access_log"]),
        calls=document["calls"],
        accesses=tuple(_access(dict(each)) for each in document["accesses"]),
        events=tuple(document["events"]),
    )


def prices() -> dict[str, Price]:
    """Return all prices by name."""
    return {name: Price(**each) for name, each in tomllib.loads(PRICES.read_text(encoding="utf-8")).items()}


def assumptions() -> dict[str, Any]:
    """Return the figures that are neither in the graph nor recorded."""
    return tomllib.loads(ASSUMPTIONS.read_text(encoding="utf-8"))


def _function(document: Mapping[str, Any]) -> FunctionUse:
    return FunctionUse(document["invocations"], _lines(document), _lines(document["info"]))


def _lines(document: Mapping[str, Any]) -> Lines:
    return Lines(document["lines"], document["bytes"])


def _access(document: dict[str, Any]) -> tuple[str, Access]:
    return document.pop("caller"), Access(**document)
