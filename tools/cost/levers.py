"""Calculates how much each lever would change the cost. A lever changes the stack's design or what an order uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tools.cost.design import Design, FunctionDesign, Log
from tools.cost.model import Model, total
from tools.cost.recorded import FunctionUse, Lines, Use

Change = Callable[[Use, Design], tuple[Use, Design]]
_HALF: Final = 0.5


@dataclass(frozen=True)
class Lever:
    """A possible change to the stack's design, or to what an order uses."""

    name: str
    change: Change
    remark: str = ""
    """What users or operators would lose."""


def _functions(change: Callable[[FunctionDesign], FunctionDesign]) -> Change:
    def changed(use: Use, design: Design) -> tuple[Use, Design]:
        return use, replace(design, functions={name: change(each) for name, each in design.functions.items()})

    return changed


def _other_architecture(each: FunctionDesign) -> FunctionDesign:
    return replace(each, architecture="x86_64" if each.architecture == "arm64" else "arm64")


def _times(factor: float) -> Change:
    return _functions(lambda each: replace(each, memory_mb=int(each.memory_mb * factor)))


def _quiet(use: Use, design: Design) -> tuple[Use, Design]:
    def without_info(each: FunctionUse) -> FunctionUse:
        return replace(each, log=each.log - each.info, info=Lines())

    return replace(use, functions={name: without_info(each) for name, each in use.functions.items()}), design


def _workflow_logs(level: str) -> Change:
    def changed(use: Use, design: Design) -> tuple[Use, Design]:
        machines = {name: replace(each, log_level=level) for name, each in design.machines.items()}
        return use, replace(design, machines=machines)

    return changed


def _infrequent(use: Use, design: Design) -> tuple[Use, Design]:
    def moved(log: Log) -> Log:
        return replace(log, is_infrequent=True)

    machines = {name: replace(each, log=moved(each.log)) for name, each in design.machines.items()}
    return use, replace(design, machines=machines, access_log=moved(design.access_log))


def _traced_whole(use: Use, design: Design) -> tuple[Use, Design]:
    return use, replace(design, is_traced_whole=True)


def _keys_only(use: Use, design: Design) -> tuple[Use, Design]:
    projections = {
        table: {index: "KEYS_ONLY" if kind == "ALL" else kind for index, kind in indexes.items()}
        for table, indexes in design.projections.items()
    }
    return use, replace(design, projections=projections)


LEVERS: Final = (
    Lever("log only errors of executions", _workflow_logs("ERROR"), "the history of EXPRESS executions"),
    Lever("execution and access logs in class Infrequent Access", _infrequent, "metric filters, Live Tail"),
    Lever("log level WARNING for functions", _quiet, "the log line of each successful step"),
    Lever("a trace of every request instead of a sample", _traced_whole),
    Lever("indexes with keys only", _keys_only, "listing orders with a single query"),
    Lever("the other processor architecture", _functions(_other_architecture)),
    Lever("functions with twice the memory", _times(2)),
    Lever("functions with half the memory", _times(_HALF)),
)


def effects(model: Model, uses: Mapping[str, Use], design: Design, orders: int) -> Iterator[tuple[Lever, list[float]]]:
    """Yield each lever with a list of the amounts in USD that it adds to the cost of `orders` orders.

    The list has one amount for each entry of `uses`, which is {way to place an order: what the order uses}.
    """
    before = {way: total(model.bill(use, design), orders) for way, use in uses.items()}
    for lever in LEVERS:
        yield lever, [total(model.bill(*lever.change(use, design)), orders) - before[way] for way, use in uses.items()]
