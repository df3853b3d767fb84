"""Reports how many orders per second a stack can carry: `make capacity STACK=prod RATE=150`.

The report lists each hop: a step on an order's path that has a limit. For each hop, it shows how many orders per second
AWS's default quotas in the stack's region (quotas.toml) allow. The report also shows the lowest limit, and the quotas
to raise for RATE orders per second.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from cli import endings
from engine.graph import Graph, record, stack_config
from operations.stack_outputs import ERROR_LOG, without_stack_file
from tools.capacity.hops import Hop, Stage, Way
from tools.capacity.quotas import assumptions, quotas
from tools.cost.recorded import recorded
from tools.cost.report import WAYS

MOST: Final = 100_000
TARGET: Final = 150
"""Orders per second that a stack must carry by AWS's default quotas."""
STAGES: Final[dict[Stage, str]] = {
    "accept": "hops before the response",
    "decide": "hops before the decision",
    "product": "hops before the decision, for one product",
    "follow": "hops after the decision",
}
_NAME: Final = 46
_WIDTH: Final = 17
_LINE: Final = 110
_WHOLE: Final = 10
"""Numbers below this one are shown with one decimal place."""
_UNBOUND: Final = (
    "The authorizer has no quota, because API Gateway itself checks the signatures of tokens.",
    "StartSyncExecution has no quota: Step Functions adds capacity with the load, and can throttle a sudden increase.",
    "Orders use only the REST API. Both APIs share the account's quota, and api.throttleRate applies to each one.",
)


def rate(text: str) -> int:
    """Parse the orders per second from a command-line argument. Raises argparse.ArgumentTypeError."""
    number = text.replace("_", "").replace(",", "")
    if not (number.isascii() and number.isdecimal()) or not 1 <= int(number) <= MOST:
        raise argparse.ArgumentTypeError(
            f"RATE: got {text!r}; allowed: a whole number of orders per second from 1 to {MOST:,}; "
            f"the default is {TARGET}"
        )
    return int(number)


@dataclass(frozen=True)
class Report:
    """The capacity of a stack, as text."""

    stack: str
    region: str
    ways: dict[str, list[Hop]]
    rate: int
    throttle_rate: int
    waiver: str
    basis: str

    def lines(self) -> Iterator[str]:
        """Yield all lines of the report."""
        yield f"Orders per second on stack {self.stack} in {self.region}, by AWS's default quotas"
        yield "(in parentheses: how many orders a hop accepts at the same moment before it refuses orders)"
        for stage, title in STAGES.items():
            yield ""
            yield f"{title:<{_NAME}}" + "".join(f"{name:>{_WIDTH}}" for name in WAYS.values()) + "   limit"
            yield from self._rows(stage)
        yield ""
        yield from self._firsts()
        yield ""
        yield f"To carry {self.rate:,} orders per second:"
        yield from self.needs()
        if warning := self.warning():
            yield from ("", *_wrapped(warning))
        yield ""
        for paragraph in (*_UNBOUND, self.basis):
            yield from _wrapped(paragraph)

    def first(self, way: str, *stages: Stage) -> Hop:
        """Return the hop of `stages` that carries the fewest orders per second."""
        return min((hop for hop in self.ways[way] if hop.stage in stages), key=lambda hop: hop.rate)

    def burst(self, way: str, *stages: Stage) -> float:
        """Return the number of orders that all hops of `stages` accept at the same moment."""
        return min(hop.burst for hop in self.ways[way] if hop.stage in stages)

    def absorbed(self, way: str) -> float:
        """Return the size of the largest burst of orders in which no hop refuses a call before the decision.

        Some hops, such as the bus, delay a burst and pass it on at their own rate. Other hops refuse calls when their
        token bucket is empty. Their buckets refill while the delayed burst arrives.
        """
        decide = [hop for hop in self.ways[way] if hop.stage == "decide"]
        pace = min((hop.rate for hop in decide if hop.burst == inf), default=inf)
        refusing = [hop for hop in decide if hop.burst < inf and hop.quota and hop.quota.bucket]
        return min((hop.burst / (1 - hop.rate / pace) for hop in refusing if hop.rate < pace), default=inf)

    def carries(self) -> Hop:
        """Return the hop with a quota or AWS limit that carries the fewest orders per second before the decision."""
        hops = [hop for way in self.ways.values() for hop in way if hop.quota and hop.stage in ("accept", "decide")]
        return min(hops, key=lambda hop: hop.rate)

    def warning(self) -> str:
        """Return a warning if the APIs accept more requests per second than the hops carry, or an empty text."""
        first = self.carries()
        if self.throttle_rate <= first.rate:
            return ""
        found = (
            f"api.throttleRate: got {self.throttle_rate:,} requests per second, but the hop `{first.name}` carries "
            f"only {_number(first.rate)} orders per second ({first.limited_by})"
        )
        if self.waiver:
            return f"waived: {found}; reason in api.capacityWaiver: {self.waiver}"
        return f"warning: {found}; lower it, raise the quota, or state in api.capacityWaiver why the rate is right"

    def _rows(self, stage: Stage) -> Iterator[str]:
        names = dict.fromkeys(hop.name for way in self.ways.values() for hop in way if hop.stage == stage)
        for name in names:
            found = [
                next((hop for hop in way if (hop.name, hop.stage) == (name, stage)), None) for way in self.ways.values()
            ]
            (some, *_) = [hop for hop in found if hop]
            cells = "".join(f"{_cell(hop) if hop else '-':>{_WIDTH}}" for hop in found)
            yield f"  {name:<{_NAME - 2}}{cells}   {some.limited_by}"

    def _firsts(self) -> Iterator[str]:
        for way, title in WAYS.items():
            hop, at_once = self.first(way, "accept", "decide"), self.burst(way, "accept", "decide")
            yield from _wrapped(
                f"{title}: the stack can decide {_number(hop.rate)} orders per second, and accept {_number(at_once)} "
                f"orders at the same moment. Lowest limit: `{hop.name}` ({hop.limited_by}). Above it, {hop.beyond}."
            )
        yield from _wrapped(
            f"Burst of POST /orders: if {_number(self.absorbed('standard'))} orders are accepted at the same moment, "
            "the hops after the response refuse none of them. These orders wait in the stream of the orders table and "
            "in EventBridge."
        )
        hop = self.first("standard", "follow")
        yield from _wrapped(
            f"Work after the decision: {_number(hop.rate)} orders per second. Lowest limit: `{hop.name}` "
            f"({hop.limited_by}). Above it, {hop.beyond}."
        )

    def needs(self) -> Iterator[str]:
        """Yield one line for each hop that carries fewer than `rate` orders per second, with the limit to raise."""
        needed: dict[str, tuple[float, Hop]] = {}
        for way in self.ways.values():
            for hop in way:
                if hop.rate < self.rate and hop.per_order * self.rate > needed.get(hop.name, (0.0, hop))[0]:
                    needed[hop.name] = (hop.per_order * self.rate, hop)
        if not needed:
            yield "  no limit has to be raised"
        for name, (units, hop) in needed.items():
            yield f"  {name:<{_NAME - 2}} needs {units:,.0f}: {_remedy(hop)}"


def needed_quotas(report: Report) -> list[dict[str, Any]]:
    """Return the quotas that limit an order before its decision, and how much of each quota one order uses.

    `make generate` writes them to operations/needed_quotas.json. The commands in operations/ must not import tools/, so
    they read this file.
    """
    found: dict[str, dict[str, Any]] = {}
    for way in report.ways.values():
        for hop in way:
            if hop.quota and hop.quota.service and hop.stage in ("accept", "decide") and hop.per_order:
                quota = hop.quota
                most = max(hop.per_order, found.get(quota.name, {"per_order": 0})["per_order"])
                row = {"service": quota.service, "code": quota.code, "name": quota.name, "per_order": round(most, 3)}
                found[quota.name] = row
    return list(found.values())


def _remedy(hop: Hop) -> str:
    if not hop.quota:
        return f"limited by {hop.limited_by}"
    return f"raise the quota {hop.quota.label}" if hop.quota.service else hop.quota.raise_by


def _cell(hop: Hop) -> str:
    if hop.rate == inf:
        return "-"
    refuses = hop.burst < inf and hop.stage in ("accept", "decide")
    return _number(hop.rate) + (f" ({_number(hop.burst)})" if refuses else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:,.1f}"


def _wrapped(paragraph: str) -> Sequence[str]:
    return textwrap.wrap(paragraph, _LINE)


def report(graph: Graph, orders_per_second: int) -> Report:
    """Return the report for the stack of `graph`."""
    config = stack_config(graph.stack)
    region, api = config["aws:region"], json.loads(config["orders:api"])
    day, order, uses = recorded()
    read = sorted(quota.read for quota in quotas().values())
    unverified = ", ".join(sorted(quota.name for quota in quotas().values() if quota.unverified))
    basis = (
        f"Order: {order}. Recorded {day} on the emulator. Quotas: tools/capacity/quotas.toml; their sources were last "
        f"read between {read[0]} and {read[-1]}. No source confirms the value of: {unverified}. A new account may have "
        "lower quotas. "
        f"Durations: tools/cost/assumptions.toml and tools/capacity/assumptions.toml, {assumptions()['dated']}."
    )
    ways = {way: Way(graph, uses[way], region).hops() for way in WAYS}
    return Report(
        graph.stack, region, ways, orders_per_second, api["throttleRate"], api.get("capacityWaiver", ""), basis
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the report, and return 0, or 1 after an error message."""
    parser = argparse.ArgumentParser(prog="python -m tools.capacity.report", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="a stack with a settings file: dev or prod")
    parser.add_argument("--rate", type=rate, default=TARGET, help=f"orders per second, by default {TARGET}")
    given = parser.parse_args(arguments)
    return endings.run(lambda: _command(given.stack, given.rate), ERROR_LOG, known=(), prefix="capacity")


def _command(stack: str, orders_per_second: int) -> int:
    if missing := without_stack_file(stack):
        sys.stderr.write(f"STACK: got {stack!r}; {missing}; choose one of these stacks\n")
        return 1
    made = report(record(stack.rpartition("/")[2], build_archives=False), orders_per_second)
    sys.stdout.write("\n".join(line.rstrip() for line in made.lines()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
