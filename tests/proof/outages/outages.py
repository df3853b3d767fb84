"""The outages of the attack: which part of the platform breaks, and how.

The outages of a cascade begin together and end one after another, in the sequence in which an order reaches the broken
parts. An order therefore stops at each broken part in turn: when one part is repaired, the next part is still broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.journeys.stack import Stack
from tests.proof.outages.breakages import (
    Breakage,
    cannot_be_imported,
    function_without_policies,
    hangs,
    machine_without_policies,
    queue_without_policy,
    throttled,
)

KINDS: Final[Mapping[str, Callable[[str], Breakage]]] = {
    "without policies": function_without_policies,
    "cannot be imported": cannot_be_imported,
    "hangs": hangs,
    "throttled": throttled,
}
# The functions in the sequence in which an order reaches them. The attack repairs them in this sequence, for two
# reasons:
# - While `process_order` is broken, new orders become late. `mark_late_orders` marks these orders, and
#   `restart_late_orders` starts their workflow. These two functions are therefore repaired before `process_order`.
# - While `fail_order` is broken, the attack stops running executions, and each stopped execution invokes `fail_order`.
#   Executions keep running only while `update_inventory` is broken, so `update_inventory` is repaired later.
_PATH: Final = (
    "publish_order_events",
    "mark_late_orders",
    "restart_late_orders",
    "process_order",
    "validate_order",
    "fail_order",
    "update_inventory",
    "send_email",
    "record_analytics",
)
# The attack does not break the functions of the APIs. If such a function fails, the platform has not accepted the
# order. The guarantee concerns only accepted orders.
_ANSWERING: Final = ("users_api", "orders_api", "catalog_api")


@dataclass(frozen=True)
class Outage:
    """One part of the platform that is broken for a while."""

    name: str
    breakage: Breakage
    stops_executions: bool = False
    """Whether an operator also stops all running STANDARD executions repeatedly during the outage."""


def _function(source: str, kind: str) -> Outage:
    return Outage(f"{source} {kind}", KINDS[kind](source), stops_executions=source == "fail_order")


def _machine(kind: str) -> Outage:
    return Outage(f"{kind} machine without policies", machine_without_policies(kind))


MIXED: Final[Sequence[Outage]] = (
    _function("publish_order_events", "without policies"),
    _function("process_order", "cannot be imported"),
    _machine("standard"),
    _function("validate_order", "without policies"),
    _function("fail_order", "without policies"),
    _function("update_inventory", "throttled"),
    _function("send_email", "without policies"),
    _function("record_analytics", "cannot be imported"),
)
"""A cascade of one outage for each part on an order's path."""


def of_functions(stack: Stack, kind: str) -> list[Outage]:
    """Return a cascade in which the functions of the APIs keep working, and all others break in the same way."""
    assert {*_PATH, *_ANSWERING} == set(stack.ops["functions"]), "add each function of the stack to _PATH or _ANSWERING"
    return [_function(source, kind) for source in _PATH]


def of_machines() -> list[Outage]:
    """Return a cascade in which both state machines lose their permissions."""
    return [_machine("standard"), _machine("express")]


def of_queues(stack: Stack) -> list[Outage]:
    """Return a cascade in which EventBridge loses its permission to send to the queues in front of functions."""
    return [
        Outage(f"queue of {name} without policy", queue_without_policy(name))
        for name, queue in stack.ops["failureQueues"].items()
        if queue["kind"] == "delivery" and queue["redriveTo"].startswith("http")
    ]
