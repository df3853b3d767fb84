"""What a million orders cost, and that the figure is made of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from components.functions import archives
from tests.support.graph import Graph, Resource, record, stack_config
from tools.cost import design as cost_design
from tools.cost import report as cost
from tools.cost.levers import LEVERS, Lever, effects
from tools.cost.model import PARTS, Line, Model, by_part, execution_log, total
from tools.cost.recorded import Use, assumptions, prices, recorded
from tools.cost.tutorial import tutorial

MILLION = 1_000_000
MODEL = Model(prices(), assumptions())
USES = recorded()[2]


@pytest.fixture(scope="module")
def design(graph_of: Callable[[str], Graph]) -> cost_design.Design:
    """Stack prod."""
    return cost_design.read(graph_of("prod"))


def bill(way: str, design: cost_design.Design) -> list[Line]:
    return MODEL.bill(USES[way], design)


def resource(token: str) -> Resource:
    return Resource(token, "new", {}, {}, "", "urn", True, False, (), {}, False)


class TestLimits:
    """In USD for a million orders, objects and mails apart."""

    def test_the_tutorial(self) -> None:
        assert 200 <= total(MODEL.bill(*tutorial()), MILLION) <= 280

    def test_the_asynchronous_way(self, design: cost_design.Design) -> None:
        assert total(bill("standard", design), MILLION) <= 95

    def test_the_synchronous_way(self, design: cost_design.Design) -> None:
        assert total(bill("express", design), MILLION) <= 65

    def test_the_synchronous_way_until_it_is_answered(self, design: cost_design.Design) -> None:
        lines = bill("express", design)
        decided = total(lines, MILLION, decides=True)
        # The execution log is left out, because it costs about half of the total. A rule of the policy pack requires
        # that it contains each step with its data.
        assert decided - execution_log(lines, USES["express"], MILLION) <= 20


def test_every_resource_has_a_price_or_a_reason_for_none(graph: Graph) -> None:
    for made in graph.resources:
        if made.custom and made.type.startswith("aws:"):
            assert cost_design.kind_of(made) in ("order", "month", "free")


@pytest.mark.parametrize("token", ["aws:ec2/natGateway:NatGateway", "aws:lambda/functionUrl:FunctionUrl"])
def test_a_new_type_of_resource_is_refused_until_it_has(token: str) -> None:
    with pytest.raises(KeyError, match="say in tools/cost/design"):
        cost_design.kind_of(resource(token))
    with pytest.raises(KeyError):
        cost_design.read(Graph("prod", [resource(token)]))


@pytest.mark.parametrize("name", prices())
def test_a_price_says_where_it_stands_and_when(name: str) -> None:
    price = prices()[name]
    assert re.search(r"^PL \w+, [\w:-]+$|https://aws\.amazon\.com/[\w/-]+/", price.source)
    assert date(2026, 1, 1) <= price.read <= date.fromisoformat(max(recorded()[0], "2026-11-24"))
    assert price.region in ("ap-northeast-1", "us-east-1")
    assert price.usd >= 0
    assert price.per >= 1


def test_every_price_is_for_something(design: cost_design.Design) -> None:
    # Only the levers and the tutorial use these prices.
    other = {"http_request", "queue_request", "infrequent_log_gb", "lambda_x86_64_second"}
    other |= {"lambda_x86_64_provisioned_second", "log_gb"}
    used = {line.price for way in USES for line in bill(way, design)} | set(design.monthly)
    assert set(prices()) == used | other


def test_all_parts_are_in_the_bill(design: cost_design.Design) -> None:
    for way in USES:
        assert {line.part for line in bill(way, design)} >= set(PARTS)
        assert sum(by_part(bill(way, design), MILLION)[part] for part in PARTS) == pytest.approx(
            total(bill(way, design), MILLION)
        )


def test_twice_as_many_orders_cost_twice_as_much(design: cost_design.Design) -> None:
    assert total(bill("standard", design), 2 * MILLION) == pytest.approx(2 * total(bill("standard", design), MILLION))


def test_writes_are_request_units_with_transactions_twice_and_the_index(design: cost_design.Design) -> None:
    # The units in this order: the order and its index; in the transaction, the order (twice) and its index; two lines
    # (twice each); two claims and two updates of claims.
    units = 2 + (2 + 1) + 2 * 2 + 4
    assert by_part(bill("standard", design), MILLION)["writes"] == pytest.approx(units * 0.715)


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ('"memoryMb": 256', '"memoryMb": 1024', "functions"),
        ('"logRetentionDays": 400', '"logRetentionDays": 3653', "logs"),
        ('"waf": true', '"waf": false', "API"),
    ],
)
def test_a_setting_changes_its_part_alone(design: cost_design.Design, before: str, after: str, part: str) -> None:
    config = {key: value.replace(before, after) for key, value in stack_config("prod").items()}
    assert config != stack_config("prod")
    changed = cost_design.read(record("prod", config=config))
    was, now = by_part(bill("express", design), MILLION), by_part(bill("express", changed), MILLION)
    assert {name for name in was if was[name] != now[name]} == {part}


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_each_lever_changes_something(lever: Lever, design: cost_design.Design) -> None:
    changes = dict(effects(MODEL, USES, design, MILLION))[lever]
    assert any(changes)


def test_more_orders_a_second_leave_fewer_of_them_traced(design: cost_design.Design) -> None:
    def traces(orders_per_second: float) -> float:
        model = replace(MODEL, assumed={**MODEL.assumed, "orders_per_second": orders_per_second})
        return by_part(model.bill(USES["express"], design), MILLION)["traces"]

    # One order has five traces: one of the API, two of stream batches and two of queue batches.
    assert traces(0.1) == pytest.approx(5 * 5.0)
    assert traces(0.1) > traces(1) > traces(10) > traces(1000)
    assert traces(10_000) == pytest.approx(5 * 0.25, rel=0.01)


class TestCommand:
    def test_it_prints_each_figure_with_two_digits(self, graph_of: Callable[[str], Graph]) -> None:
        text = "\n".join(cost.report(graph_of("prod"), MILLION).lines())
        assert re.search(r"^  transitions +26\.31 +1\.31 +175\.00$", text, re.MULTILINE)
        assert not re.search(r"\d\.\d{3}", text)
        assert "-0.00" not in text
        assert all(len(line) <= 120 for line in text.splitlines() if "gives up" not in line)

    @pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "", "1000000001", "٣"])
    def test_a_number_of_orders_that_is_none_is_refused(self, number: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            cost.main(["prod", f"--orders={number}"])
        said = capsys.readouterr().err
        assert f"ORDERS: got {number!r}; allowed: a whole number from 1 to 1,000,000,000; the default is" in said

    def test_a_stack_without_a_file_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cost.main(["nowhere"]) == 1
        missing = "Pulumi.nowhere.yaml is missing; stacks with a file: dev, local, prod"
        assert capsys.readouterr().err == f"STACK: got 'nowhere'; {missing}; name one of them\n"

    def test_a_number_may_be_written_with_separators(self) -> None:
        assert [cost.orders(text) for text in ("1", "1_000", "1,000,000")] == [1, 1000, MILLION]


def test_a_use_that_does_nothing_costs_the_request_alone(design: cost_design.Design) -> None:
    nothing = Use({}, {}, USES["express"].access_log, {}, (), ())
    parts = {part for part, usd in by_part(MODEL.bill(nothing, design), MILLION).items() if usd}
    assert parts == {"API", "logs", "traces"}


def test_the_command_builds_no_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So it needs neither Pyodide nor a package index, and works in a fresh clone."""
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    assert cost.main(["prod"]) == 0
    assert list(tmp_path.iterdir()) == []
