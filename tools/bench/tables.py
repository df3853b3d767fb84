"""The comparisons of `make bench`, and their limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.functions import archives
from engine.graph import Graph
from tests.fakes.gateway import Request, rest_event
from tools.bench.machine import Handler, Machine
from tools.bench.measuring import Measure, Said

INITIALISATION: Final = 0.95
"""Maximum cost of importing a function, relative to the bare handler."""
ORDER: Final = 0.6
"""Maximum cost of an order, relative to the same order with Powertools' own validation."""
FUNCTION_MB: Final = 0.1
LAYERS_MB: Final = 2.5

_MB: Final = 1_000_000
_LINES: Final = [{"product_id": product, "quantity": 2} for product in ("apple", "green-tea", "bento")]
# The first requests of a process are slower, because they fill caches. Each handler is therefore measured twice: with
# _FEW requests, and with _LATER more. The difference between the two costs is the cost of the later requests alone.
_FEW: Final = 50
_LATER: Final = {True: 100, False: 2000}


@dataclass(frozen=True, kw_only=True)
class Start:
    """Cost of importing a handler, relative to the bare handler."""

    name: str
    ratio: float
    """The handler's cost divided by that of the bare handler. Both include the start of Python."""
    net: float
    """The handler's cost divided by that of the bare handler, both without the start of Python."""


def starts(machine: Machine, measure: Measure, said: Said) -> list[Start]:
    """Measure the cost of importing the tutorial's handler and each function, relative to the bare handler."""
    handlers = {"nothing": machine.nothing, "bare": machine.bare, "tutorial": machine.tutorial, **machine.functions}
    commands = {name: machine.command(handler) for name, handler in handlers.items()}
    cost = measure(commands, machine.environment, "", said)
    bare, nothing = cost.pop("bare"), cost.pop("nothing")
    return [
        Start(name=name, ratio=taken / bare, net=(taken - nothing) / (bare - nothing)) for name, taken in cost.items()
    ]


def orders(
    machine: Machine, measure: Measure, said: Said, *, fake: str, without: Sequence[str] = ()
) -> dict[str, float]:
    """Return the cost of one warm POST /orders in `orders-api`, `by hand` and `validated`, in the unit of `measure`.

    `fake` is the replaced part of the SDK (`client` or `network`). The handlers in `without` are not measured.
    """
    handlers: dict[str, Handler] = {
        "orders-api": machine.functions["orders-api"],
        "by hand": machine.by_hand,
        "validated": machine.validated,
    }
    handlers = {name: handler for name, handler in handlers.items() if name not in without}
    later = _LATER[measure.exact]
    commands = {
        f"{name}, {requests} orders, {fake}": machine.command(handler, requests=requests, fake=fake)
        for name, handler in handlers.items()
        for requests in (_FEW, _FEW + later)
    }
    few_and_more = iter(measure(commands, machine.environment, order_event(), said).values())
    return {name: -(next(few_and_more) - next(few_and_more)) / later for name in handlers}


def order_event(lines: Sequence[Mapping[str, object]] = tuple(_LINES)) -> str:
    """Return API Gateway's event for POST /orders."""
    headers = {"Idempotency-Key": "8f5e1a52-0000-4000-8000-00000000000a"}
    return json.dumps(rest_event(Request(method="POST", path="/orders", body={"items": list(lines)}, headers=headers)))


def function_sizes(graph: Graph) -> dict[str, float]:
    """Return the size of each function's archive in MB."""
    return {function.name: _size(function.inputs["code"]) for function in graph.of("aws:lambda/function:Function")}


def layer_sizes(graph: Graph) -> dict[str, float]:
    """Return the size of each layer's archive in MB."""
    return {layer.name: _size(layer.inputs["code"]) for layer in graph.of("LayerVersion")}


def _size(archive: object) -> float:
    path: str = getattr(archive, "path")  # noqa: B009 - the attributes of a FileArchive have no types
    return (archives.ROOT / path).stat().st_size / _MB
