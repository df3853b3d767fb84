"""Reads the prices, the assumptions, and the recording of what one order uses, which `make record` writes."""

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
    """Number and total size of log lines."""

    lines: float = 0
    bytes: float = 0

    def __sub__(self, other: Lines) -> Lines:
        return Lines(self.lines - other.lines, self.bytes - other.bytes)


@dataclass(frozen=True)
class FunctionUse:
    """The invocations and log lines that one order causes in a function."""

    invocations: int
    log: Lines
    info: Lines
    """The lines of `log` that have the level INFO."""


@dataclass(frozen=True)
class WorkflowUse:
    """The executions, transitions and log lines that one order causes in a state machine."""

    executions: int
    transitions: int
    """Number of states entered, including those in branches."""
    tasks: int
    log: Lines
    """Log lines, if the log level is ALL and the log includes execution data."""


@dataclass(frozen=True)
class Use:
    """Everything that one order uses."""

    functions: Mapping[str, FunctionUse]
    workflows: Mapping[str, WorkflowUse]
    access_log: Lines
    calls: Mapping[str, int]
    """Number of AWS calls, by caller and operation."""
    accesses: tuple[tuple[str, Access], ...]
    """Each access to a table, with its caller."""
    events: tuple[int, ...]
    """Size of each event's detail in bytes."""

    def of(self, operation: str) -> int:
        """Return the number of calls of `operation` by all callers."""
        return sum(number for call, number in self.calls.items() if operation in call)


@dataclass(frozen=True)
class Price:
    """The price of `per` units."""

    usd: float
    per: int
    unit: str
    region: str
    source: str
    """A web page, or a line of AWS's price list."""
    read: date

    @property
    def each(self) -> float:
        """Return the price of one unit in USD."""
        return self.usd / self.per


def recorded() -> tuple[str, str, dict[str, Use]]:
    """Return the date of the recording, a description of the order, and {way to place the order: what it uses}."""
    document = json.loads(RECORDED_ORDER.read_text(encoding="utf-8"))
    return document["recorded"], document["order"], {way: use(each) for way, each in document["ways"].items()}


def use(document: Mapping[str, Any]) -> Use:
    """Parse what an order uses from the JSON of the recording."""
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
    """Return the figures that neither the resource graph nor the recording contains."""
    return tomllib.loads(ASSUMPTIONS.read_text(encoding="utf-8"))


def _function(document: Mapping[str, Any]) -> FunctionUse:
    return FunctionUse(document["invocations"], _lines(document), _lines(document["info"]))


def _lines(document: Mapping[str, Any]) -> Lines:
    return Lines(document["lines"], document["bytes"])


def _access(document: dict[str, Any]) -> tuple[str, Access]:
    return document.pop("caller"), Access(**document)
