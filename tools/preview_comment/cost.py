"""Compares the cost of orders, and the monthly cost, before and after an update, with the model of `make cost`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from engine.graph import Graph, Resource
from tools.cost import design as cost_design
from tools.cost.model import APART, Model, by_part
from tools.cost.recorded import Use, assumptions, prices, recorded
from tools.cost.report import WAYS
from tools.preview_comment.preview import UNKNOWN, Change, Inputs

MILLION: Final = 1_000_000
_STAGE: Final = "aws:apigateway/stage:Stage"
_SOURCES: Final = 3
_HALF_A_CENT: Final = 0.005
Program = Callable[[], Graph]
"""Runs the checkout's Pulumi program without AWS, with invented values for ids and ARNs, and returns its resources."""


Parts = Mapping[str, float]
"""USD by the part of a bill, for example `logs`, or by the name of a price, for example `alarm_month`."""


@dataclass(frozen=True)
class Row:
    """One row of the cost table: USD before and after the update. `before` is None for a new stack."""

    what: str
    before: Parts | None
    after: Parts

    @property
    def difference(self) -> float:
        """USD that the update adds, in whole cents, as the table shows them."""
        return round(round(_sum(self.after), 2) - round(_sum(self.before or {}), 2), 2)


@dataclass(frozen=True)
class Cost:
    """The rows of the cost table, and the resource types without a price."""

    rows: list[Row]
    unpriced: list[str]
    """Resource types whose price the cost model does not know."""
    trouble: str = ""
    """Why the cost model can't price the stack. "" if it can."""


def difference(changes: list[Change], program: Program) -> Cost:
    """Return the cost before and after the update.

    The old inputs come from the state of the stack. If a new input is known only after the update, it comes from a run
    of the Pulumi program without AWS.
    """
    program = cache(program)
    before, after = _graph(changes, "old", program), _graph(changes, "new", program)
    unpriced = sorted({*_unpriced(before), *_unpriced(after)})
    try:
        return Cost(_rows(before, after, unpriced), unpriced)
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        # The cost model expects all parts of the platform. If one of them is missing, the model raises one of these
        # errors, and the comment contains the error instead of the cost.
        return Cost([], unpriced, trouble=str(error).partition(";")[0])


def _rows(before: Graph, after: Graph, unpriced: list[str]) -> list[Row]:
    old = _usd(_priced(before, unpriced)) if before.of(_STAGE) else None
    new = _usd(_priced(after, unpriced)) if after.of(_STAGE) else {}
    return [Row(what, old.get(what) if old else None, usd) for what, usd in new.items()]


def _graph(changes: list[Change], side: str, program: Program) -> Graph:
    graph = Graph("")
    for change in changes:
        inputs: Inputs | None = getattr(change, side)
        if inputs is None or not _is_read(change.type):
            continue
        if side == "new" and UNKNOWN in str(inputs):
            found = [each for each in program().resources if (each.type, each.name) == (change.type, change.name)]
            inputs = found[0].inputs if found else inputs
        graph.resources.append(_resource(change, inputs))
    if not any(change.op == "same" and _is_read(change.type) for change in changes) and any(
        change.op != "create" for change in changes
    ):
        # A preview without --show-sames does not list unchanged resources, so they are taken from the program.
        listed = {(change.type, change.name) for change in changes}
        graph.resources += [each for each in program().resources if (each.type, each.name) not in listed]
    return graph


def _is_read(type_: str) -> bool:
    return type_.startswith("aws:")


def _resource(change: Change, inputs: Inputs) -> Resource:
    return Resource(
        type=change.type,
        name=change.name,
        inputs=inputs,
        state=inputs,
        parent="",
        urn=change.urn,
        custom=True,
        protect=False,
        retain_on_delete=False,
        dependencies=(),
        made_from={},
        delete_before_replace=False,
    )


def _unpriced(graph: Graph) -> Iterable[str]:
    for made in graph.resources:
        try:
            cost_design.kind_of(made)
        except KeyError:
            yield made.type


def _priced(graph: Graph, unpriced: list[str]) -> cost_design.Design:
    graph.resources = [made for made in graph.resources if made.type not in unpriced]
    return cost_design.read(graph)


def _usd(design: cost_design.Design) -> dict[str, Parts]:
    model, uses = _model()
    found: dict[str, Parts] = {}
    for name, way in WAYS.items():
        parts = by_part(model.bill(uses[name], design), MILLION)
        # The totals of `make cost` leave out the parts in APART, because they cost the same in every design. This
        # comment leaves them out, too.
        found[f"1,000,000 orders by `{way}`"] = {part: usd for part, usd in parts.items() if part not in APART}
    return {**found, "one month without orders": model.monthly(design)}


@cache
def _model() -> tuple[Model, dict[str, Use]]:
    _, _, uses = recorded()
    return Model(prices(), assumptions()), uses


def table(cost: Cost) -> list[str]:
    """Return the Markdown lines of the costs that differ, or of all costs for a new stack."""
    rows = [row for row in cost.rows if row.before is None or row.difference]
    if not rows:
        return []
    head = [
        "| Cost in USD, without tax and free tiers | before | after | difference | largest parts of the difference |",
        "|---|---:|---:|---:|---|",
    ]
    return head + [
        f"| {row.what} | {'-' if row.before is None else f'{_sum(row.before):,.2f}'} | {_sum(row.after):,.2f} "
        f"| {row.difference:+,.2f} | {_sources(row)} |"
        for row in rows
    ]


def _sum(parts: Parts) -> float:
    return sum(parts.values())


def _sources(row: Row) -> str:
    """Return the parts of the cost with the largest differences, for example `alarm +0.10`."""
    before = row.before or {}
    found = {name: row.after.get(name, 0) - before.get(name, 0) for name in {**before, **row.after}}
    largest = sorted(found, key=lambda name: -abs(found[name]))[:_SOURCES]
    return ", ".join(f"{_words(name)} {found[name]:+,.2f}" for name in largest if abs(found[name]) >= _HALF_A_CENT)


def _words(name: str) -> str:
    return name.removesuffix("_month").removesuffix("_second").replace("_", " ")
