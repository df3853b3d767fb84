"""Reports what orders cost on AWS: `make cost STACK=prod ORDERS=1000000`.

The cost is calculated from the stack's resource graph, from one order that was recorded on the emulator
(recorded_order.json), and from AWS's prices (prices.toml). All other figures are in assumptions.toml.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cli import endings
from engine.graph import Graph, record
from operations.stack_outputs import ERROR_LOG, without_stack_file
from tools.cost import design as cost_design
from tools.cost import levers as cost_levers
from tools.cost.model import APART, PARTS, Model, by_part, execution_log, total
from tools.cost.recorded import Use, assumptions, prices, recorded

MOST_ORDERS: Final = 1_000_000_000
WAYS: Final = {"standard": "POST /orders", "express": "POST /process"}
_WIDTH: Final = 13
_NAME: Final = 60
_LINE: Final = 110
_BELOW_A_CENT: Final = 0.005


def orders(text: str) -> int:
    """Parse the number of orders from a command-line argument. Raises argparse.ArgumentTypeError."""
    number = text.replace("_", "").replace(",", "")
    if not (number.isascii() and number.isdecimal()) or not 1 <= int(number) <= MOST_ORDERS:
        raise argparse.ArgumentTypeError(
            f"ORDERS: got {text!r}; allowed: a whole number from 1 to {MOST_ORDERS:,}; the default is 1000000"
        )
    return int(number)


@dataclass(frozen=True)
class Report:
    """The cost of a number of orders on a stack, as text."""

    stack: str
    orders: int
    model: Model
    design: cost_design.Design
    uses: dict[str, Use]
    recorded: str
    order: str

    def lines(self) -> Iterator[str]:
        """Yield all lines of the report."""
        yield f"USD for {self.orders:,} orders on stack {self.stack}, without tax and free tiers"
        yield ""
        yield from self._table()
        yield ""
        yield f"USD per month on stack {self.stack}, independent of the number of orders"
        monthly = self.model.monthly(self.design)
        yield from (
            _row(self._named(name), [usd]) for name, usd in [*monthly.items(), ("total", sum(monthly.values()))]
        )
        yield ""
        yield f"USD that each change would add, for {self.orders:,} orders"
        yield _head(list(WAYS.values()))
        for lever, changes in cost_levers.effects(self.model, self.uses, self.design, self.orders):
            yield _row(lever.name, changes, signed=True) + (f"   loses: {lever.remark}" if lever.remark else "")
        yield ""
        yield from self._basis()

    def _table(self) -> Iterator[str]:
        uses = self.uses.values()
        bills = [self.model.bill(use, self.design) for use in uses]
        parts = [by_part(bill, self.orders) for bill in bills]
        yield _head(list(WAYS.values()))
        yield from (_row(part, [each[part] for each in parts]) for part in PARTS)
        yield _row("total", [total(bill, self.orders) for bill in bills])
        decides = [total(bill, self.orders, decides=True) for bill in bills]
        logged = [execution_log(bill, use, self.orders) for bill, use in zip(bills, uses, strict=True)]
        yield _row("  of which for deciding the order", decides)
        yield _row("    of which for execution logs", logged)
        yield from (_row(f"not in the total: {part}", [each[part] for each in parts]) for part in APART)

    def _named(self, price: str) -> str:
        if (quantity := self.model.monthly_quantities(self.design).get(price)) is None:
            return price
        words = price.removesuffix("_month").removesuffix("_second")
        return f"{words.replace('_', ' ')}: {quantity:,.0f} {self.model.prices[price].unit}"

    def _basis(self) -> Iterator[str]:
        dates = sorted(price.read for price in self.model.prices.values())
        elsewhere = sorted(name for name, price in self.model.prices.items() if price.region == "us-east-1")
        regions = (
            f"No price for Tokyo was found for these items, so they have prices of us-east-1: {', '.join(elsewhere)}."
        )
        assumed = self.model.assumed
        durations = ", ".join(f"{name} {value} ms" for name, value in assumed["duration_ms"].items())
        pace = f"{assumed['orders_per_second']} orders per second, {assumed['express_ms']} ms per EXPRESS execution"
        for paragraph in (
            f"Order: {self.order}. Recorded {self.recorded} on the emulator. Each batch contains only this order.",
            f"Prices: tools/cost/prices.toml, published or read {dates[0]} to {dates[-1]}. {regions}",
            f"Assumptions: tools/cost/assumptions.toml, {assumed['dated']}: {pace}; function durations: {durations}.",
        ):
            yield from textwrap.wrap(paragraph, _LINE)


def _head(names: Sequence[str]) -> str:
    return " " * _NAME + "".join(f"{name:>{_WIDTH + 2}}" for name in names)


def _row(name: str, values: Sequence[float], *, signed: bool = False) -> str:
    shown = [0.0 if abs(value) < _BELOW_A_CENT else value for value in values]
    return f"  {name:<{_NAME - 2}}" + "".join(f"{value:>{'+' * signed}{_WIDTH + 2},.2f}" for value in shown)


def report(graph: Graph, number: int) -> Report:
    """Return the report for `number` orders on the stack of `graph`."""
    day, order, uses = recorded()
    design, model = cost_design.read(graph), Model(prices(), assumptions())
    return Report(graph.stack, number, model, design, {way: uses[way] for way in WAYS}, day, order)


def main(arguments: list[str] | None = None) -> int:
    """Print the report, and return 0, or 1 after an error message."""
    parser = argparse.ArgumentParser(prog="python -m tools.cost.report", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="a stack with a settings file: dev or prod")
    parser.add_argument("--orders", type=orders, default=1_000_000, help="number of orders, by default 1,000,000")
    given = parser.parse_args(arguments)
    return endings.run(lambda: _command(given.stack, given.orders), ERROR_LOG, known=(), prefix="cost")


def _command(stack: str, number: int) -> int:
    if missing := without_stack_file(stack):
        sys.stderr.write(f"STACK: got {stack!r}; {missing}; choose one of these stacks\n")
        return 1
    made = report(record(stack.rpartition("/")[2], build_archives=False), number)
    sys.stdout.write("\n".join(line.rstrip() for line in made.lines()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
