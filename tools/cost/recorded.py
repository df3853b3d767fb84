"""Describes the use of AWS by one order, and reads the recorded use, the prices and the assumptions.

`make record` records the use on the emulator. The tutorial's use is in tutorial.toml.
"""

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
    """Number of lines and bytes that are written to a log."""

    lines: int = 0
    bytes: int = 0

    def __sub__(self, other: Lines) -> Lines:
        return Lines(self.lines - other.lines, self.bytes - other.bytes)


@dataclass(frozen=True)
class FunctionUse:
    """Invocations and log lines of a function for one order."""

    invocations: int
    log: Lines
    info: Lines
    """The part of `log` that has the level INFO."""


@dataclass(frozen=True)
class WorkflowUse:
    """Executions, transitions and log lines of a state machine for one order."""

    executions: int
    transitions: int
    """Number of entered states, including states in branches."""
    tasks: int
    log: Lines
    """Log with the level ALL and with execution data."""


@dataclass(frozen=True)
class Use:
    """Everything that one order does on AWS."""

    functions: Mapping[str, FunctionUse]
    workflows: Mapping[str, WorkflowUse]
    access_log: Lines
    calls: Mapping[str, int]
    """Number of calls by caller and operation, for example "send_email SendEmail"."""
    accesses: tuple[tuple[str, Access], ...]
    """Accesses to DynamoDB: the caller and its access to a row."""
    events: tuple[int, ...]
    """Size of each event's detail in bytes."""

    def of(self, operation: str) -> int:
        """Return the total number of calls of `operation`, by all callers."""
        return sum(number for call, number in self.calls.items() if operation in call)


@dataclass(frozen=True)
class Price:
    """A price: `usd` for `per` units."""

    usd: float
    per: int
    unit: str
    region: str
    source: str
    """Source of the price: a web page, or a line of AWS's price list."""
    read: date

    @property
    def each(self) -> float:
        """Price of one unit in USD."""
        return self.usd / self.per


def recorded() -> tuple[str, str, dict[str, Use]]:
    """Return the date of the recording, a description of the order, and its use of AWS by kind of request.

    The kinds are `standard` (POST /orders) and `express` (POST /process).
    """
    document = json.loads(RECORDED_ORDER.read_text(encoding="utf-8"))
    return document["recorded"], document["order"], {way: use(each) for way, each in document["ways"].items()}


def use(document: Mapping[str, Any]) -> Use:
    """Return the use of AWS by an order from its JSON document."""
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
    """Return the assumed figures, which come neither from the resources nor from the recording."""
    return tomllib.loads(ASSUMPTIONS.read_text(encoding="utf-8"))


def _function(document: Mapping[str, Any]) -> FunctionUse:
    return FunctionUse(document["invocations"], _lines(document), _lines(document["info"]))


def _lines(document: Mapping[str, Any]) -> Lines:
    return Lines(document["lines"], document["bytes"])


def _access(document: dict[str, Any]) -> tuple[str, Access]:
    return document.pop("caller"), Access(**document)
