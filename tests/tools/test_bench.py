"""Tests that cold starts and orders do not become slower. tests/components/test_layers.py limits archive sizes.

The tests of cold starts and orders count instructions. The count depends slightly on the patch version of Python and on
the processor, so the limits here are slightly higher than those of `make bench`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.graph import Graph
from tools.bench import machine as machines
from tools.bench import measuring, tables
from tools.bench.machine import Machine
from tools.bench.measuring import Measure

# A test of this module takes several minutes, and much longer on a busy machine, so its time limit is an hour.
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
    """Counts instructions, because their number does not depend on how busy the machine is."""
    chosen = measuring.measure()
    if not chosen.exact:
        pytest.skip(f"{measuring.HOW_TO_GET_VALGRIND}; without valgrind, only `make bench` measures speed")
    return chosen


@pytest.mark.full
def test_functions_start_faster_than_a_bare_handler(machine: Machine, measure: Measure) -> None:
    """A start costs at most 0.97 times as many instructions as the start of a bare handler.

    At the last measurement, the factor was 0.73 to 0.95 for the functions, and 1.30 for a handler like those in
    Powertools' tutorials. The test fails, for example, if shared/aws.py loads all of botocore's data.
    """
    starts = {start.name: start.ratio for start in tables.starts(machine, measure, unsaid)}
    tutorial = starts.pop("tutorial")
    assert starts.keys() == machine.functions.keys()
    assert {name: ratio for name, ratio in starts.items() if ratio > LONGEST_START} == {}
    assert tutorial > LONGEST_START


@pytest.mark.full
def test_order_is_faster_than_with_powertools_validation(machine: Machine, measure: Measure) -> None:
    """An order costs at most 0.63 times as many instructions as with Powertools' validation (last measured: 0.60)."""
    cost = tables.orders(machine, measure, unsaid, fake="client", without=["by hand"])
    assert cost["orders-api"] / cost["validated"] <= LONGEST_ORDER


def test_cpu_time_of_a_bare_handler_exceeds_that_of_python_alone(machine: Machine) -> None:
    """Without valgrind, `make bench` measures CPU time instead of instructions."""
    commands = {name: machine.command(getattr(machine, name)) for name in ("nothing", "bare")}
    cost = measuring.CpuTime(rounds=3)(commands, machine.environment, "", unsaid)
    assert 0 < cost["nothing"] < cost["bare"]


def test_measuring_a_failing_handler_raises_an_error(machine: Machine) -> None:
    broken = machine.command(machines.Handler(module="not_there"))
    with pytest.raises(RuntimeError, match="not_there"):
        measuring.CpuTime(rounds=1)({"broken": broken}, machine.environment, "", unsaid)


def test_measured_handler_cannot_import_a_package_that_lambda_lacks(machine: Machine) -> None:
    """If handlers found packages of .venv, a start that fails on AWS would succeed here."""
    with pytest.raises(RuntimeError, match="pulumi"):
        measuring.CpuTime(rounds=1)(
            {"leak": machine.command(machines.Handler(module="pulumi", path=machine.bare.path))},
            machine.environment,
            "",
            unsaid,
        )
