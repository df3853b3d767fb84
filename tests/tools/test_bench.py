"""P1 and P3 cannot creep. P2 and P4 are held by tests/components/test_layers.py.

The limits are a little wider than those that `make bench` names: the same code takes a little more or less with another
patch of Python, or with another processor's instructions.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operations.resource_graph import Graph
from tools.bench import machine as machines
from tools.bench import measuring, tables
from tools.bench.machine import Machine
from tools.bench.measuring import Measure

# This test takes several minutes, and much longer on a busy machine.
pytestmark = pytest.mark.timeout(3600)
LONGEST_START = 0.97
LONGEST_ORDER = 0.63


def unsaid(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def machine(graph_of: Callable[[str], Graph]) -> Machine:
    return machines.prepared(machines.python(), graph_of("prod"))


@pytest.fixture(scope="module")
def measure() -> Measure:
    """Instructions, which are the same however busy the machine is. Times would not be."""
    chosen = measuring.measure()
    if not chosen.exact:
        pytest.skip(f"{measuring.HOW_TO_GET_VALGRIND}: only `make bench` measures P1 and P3 then, by times")
    return chosen


def test_no_function_starts_later_than_a_bare_handler(machine: Machine, measure: Measure) -> None:
    """Measured: 0.73 to 0.95, and the tutorial's 1.30. Seen to fail when shared/aws.py takes all of botocore's data."""
    starts = {start.name: start.ratio for start in tables.starts(machine, measure, unsaid)}
    tutorial = starts.pop("tutorial")
    assert starts.keys() == machine.functions.keys()
    assert {name: ratio for name, ratio in starts.items() if ratio > LONGEST_START} == {}
    assert tutorial > LONGEST_START


def test_an_order_takes_less_than_with_powertools_own_validation(machine: Machine, measure: Measure) -> None:
    """The measured ratio is 0.60."""
    cost = tables.orders(machine, measure, unsaid, fake="client", without=["by hand"])
    assert cost["orders-api"] / cost["validated"] <= LONGEST_ORDER


def test_times_stand_in_for_instructions(machine: Machine) -> None:
    """Where valgrind is not: the bare handler takes many times as long as Python alone."""
    commands = {name: machine.command(getattr(machine, name)) for name in ("nothing", "bare")}
    cost = measuring.CpuTime(rounds=3)(commands, machine.environment, "", unsaid)
    assert 0 < cost["nothing"] < cost["bare"]


def test_a_handler_that_fails_is_not_measured(machine: Machine) -> None:
    broken = machine.command(machines.Handler(module="not_there"))
    with pytest.raises(RuntimeError, match="not_there"):
        measuring.CpuTime(rounds=1)({"broken": broken}, machine.environment, "", unsaid)


def test_what_lambda_does_not_have_is_not_found(machine: Machine) -> None:
    """Packages of .venv would make a start that fails on AWS succeed here."""
    with pytest.raises(RuntimeError, match="pulumi"):
        measuring.CpuTime(rounds=1)(
            {"leak": machine.command(machines.Handler(module="pulumi", path=machine.bare.path))},
            machine.environment,
            "",
            unsaid,
        )
