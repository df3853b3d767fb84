"""Tests of the cost model: the limits for a million orders, the prices, and the report of `make cost`."""

from __future__ import annotations

import json
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

MILLION = 1_000_000
MODEL = Model(prices(), assumptions())
USES = recorded()[2]


@pytest.fixture(scope="module")
def design(graph_of: Callable[[str], Graph]) -> cost_design.Design:
    """The parts of the stack prod that affect its cost."""
    return cost_design.read(graph_of("prod"))


def bill(way: str, design: cost_design.Design) -> list[Line]:
    return MODEL.bill(USES[way], design)


def resource(token: str) -> Resource:
    return Resource(token, "new", {}, {}, "", "urn", True, False, False, (), {}, False)


class TestLimits:
    """Limits in USD for a million orders.

    The total leaves out S3 objects and emails: each event causes one of each, so no change to the design alters their
    cost.
    """

    def test_accepted_orders_cost_at_most_95_usd(self, design: cost_design.Design) -> None:
        assert total(bill("standard", design), MILLION) <= 95

    def test_synchronous_orders_cost_at_most_65_usd(self, design: cost_design.Design) -> None:
        assert total(bill("express", design), MILLION) <= 65

    def test_deciding_synchronous_orders_costs_at_most_20_usd_without_logs(self, design: cost_design.Design) -> None:
        lines = bill("express", design)
        # This total contains only the costs until the workflow has confirmed or rejected the order.
        decided = total(lines, MILLION, decides=True)
        # The limit excludes the execution log, which costs about half of the total. The log cannot become cheaper,
        # because a rule of the policy pack requires that it contains each step with its data.
        assert decided - execution_log(lines, USES["express"], MILLION) <= 20


def test_every_resource_has_a_price_or_is_marked_free(graph: Graph) -> None:
    for made in graph.resources:
        if made.custom and made.type.startswith("aws:"):
            assert cost_design.kind_of(made) in ("order", "month", "free")


def test_cost_depends_only_on_the_listed_resource_types(graph: Graph) -> None:
    """READ lists the types. In recorded previews, unchanged resources of all other types are missing."""
    listed = [made for made in graph.resources if made.type.removeprefix("aws:") in cost_design.READ]
    assert cost_design.read(Graph(graph.stack, listed)) == cost_design.read(graph)


@pytest.mark.parametrize("token", ["aws:ec2/natGateway:NatGateway", "aws:lambda/functionUrl:FunctionUrl"])
def test_resource_type_without_a_price_is_refused(token: str) -> None:
    with pytest.raises(KeyError, match="say in tools/cost/design"):
        cost_design.kind_of(resource(token))
    with pytest.raises(KeyError):
        cost_design.read(Graph("prod", [resource(token)]))


@pytest.mark.parametrize("name", prices())
def test_price_has_a_source_a_date_and_a_region(name: str) -> None:
    price = prices()[name]
    assert re.search(r"^PL \w+, [\w:-]+$|https://aws\.amazon\.com/[\w/-]+/", price.source)
    assert date(2026, 1, 1) <= price.read <= date.fromisoformat(max(recorded()[0], "2026-11-24"))
    assert price.region in ("ap-northeast-1", "us-east-1")
    assert price.usd >= 0
    assert price.per >= 1


def test_every_price_is_used(design: cost_design.Design) -> None:
    # The stack prod does not use these prices. Stacks with another processor architecture or log class use them.
    other = {"infrequent_log_gb", "lambda_x86_64_second", "lambda_x86_64_provisioned_second", "log_gb"}
    used = {line.price for way in USES for line in bill(way, design)} | set(design.monthly)
    assert set(prices()) == used | other


def test_bill_contains_every_part_and_the_parts_add_up_to_the_total(design: cost_design.Design) -> None:
    for way in USES:
        assert {line.part for line in bill(way, design)} >= set(PARTS)
        assert sum(by_part(bill(way, design), MILLION)[part] for part in PARTS) == pytest.approx(
            total(bill(way, design), MILLION)
        )


def test_cost_is_proportional_to_the_number_of_orders(design: cost_design.Design) -> None:
    assert total(bill("standard", design), 2 * MILLION) == pytest.approx(2 * total(bill("standard", design), MILLION))


def test_write_cost_counts_transactions_twice_and_includes_the_index(design: cost_design.Design) -> None:
    # DynamoDB bills these write units for an order:
    # - 2 for the new order and its index entry;
    # - 2 for the confirmed order and 1 for its index entry;
    # - 2 for the stock of each of two products;
    # - 4 for the claims of two emails, each written once and updated once.
    # The confirmed order and the stock need two units each, because a transaction writes them.
    units = 2 + (2 + 1) + 2 * 2 + 4
    lines = [line for line in bill("standard", design) if line.caller != "mark_late_orders"]
    assert by_part(lines, MILLION)["writes"] == pytest.approx(units * 0.715)


class TestSweep:
    @staticmethod
    def of_marks(design: cost_design.Design, orders_per_second: float) -> dict[str, float]:
        model = replace(MODEL, assumed={**MODEL.assumed, "orders_per_second": orders_per_second})
        lines = model.bill(USES["standard"], design)
        return by_part([line for line in lines if line.caller == "mark_late_orders"], MILLION)

    @pytest.mark.parametrize("way", USES)
    def test_sweep_adds_at_most_5_cents_to_a_million_orders(self, way: str, design: cost_design.Design) -> None:
        without = MODEL.bill(USES[way], replace(design, sweep_s=0))
        added = total(bill(way, design), MILLION) - total(without, MILLION)
        assert 0 < added <= 0.05

    def test_orders_decided_in_a_later_batch_cost_additional_writes(self, design: cost_design.Design) -> None:
        parts = self.of_marks(design, 10)
        # A batch of 6 MB contains about 2,470 orders. When the batch ends, 10 of them are undecided. Each of these 10
        # orders needs 4 write units: mark_late_orders writes the row and two index entries, and the decision deletes
        # one entry.
        assert parts["writes"] == pytest.approx(10 / 2467 * 4 * 0.715, rel=0.01)
        assert parts["functions"] > 0
        assert parts["streams"] == 0

    def test_mark_late_orders_costs_more_per_order_at_a_low_order_rate(self, design: cost_design.Design) -> None:
        assert self.of_marks(design, 0.01)["functions"] > 100 * self.of_marks(design, 10)["functions"]

    def test_sweeps_without_late_orders_cost_at_most_3_cents_per_month(self, design: cost_design.Design) -> None:
        without = sum(MODEL.monthly(replace(design, sweep_s=0)).values())
        assert 0 < sum(MODEL.monthly(design).values()) - without <= 0.03


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ('"overrides": {}', '"overrides": {"send_email": {"memoryMb": 1024}}', "functions"),
        ('"logRetentionDays": 400', '"logRetentionDays": 3653', "logs"),
        ('"waf": true', '"waf": false', "API"),
    ],
)
def test_setting_changes_only_its_part_of_the_cost(
    design: cost_design.Design, before: str, after: str, part: str
) -> None:
    prod = stack_config("prod")
    prod["orders:functions"] = json.dumps({**json.loads(prod["orders:functions"]), "overrides": {}})
    config = {key: value.replace(before, after) for key, value in prod.items()}
    assert config != prod
    changed = cost_design.read(record("prod", config=config))
    was, now = by_part(bill("express", design), MILLION), by_part(bill("express", changed), MILLION)
    assert {name for name in was if was[name] != now[name]} == {part}


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_each_cost_lever_in_the_report_changes_the_cost(lever: Lever, design: cost_design.Design) -> None:
    changes = dict(effects(MODEL, USES, design, MILLION))[lever]
    assert any(changes)


def test_share_of_traced_orders_falls_with_the_order_rate(design: cost_design.Design) -> None:
    def traces(orders_per_second: float) -> float:
        model = replace(MODEL, assumed={**MODEL.assumed, "orders_per_second": orders_per_second})
        return by_part(model.bill(USES["express"], design), MILLION)["traces"]

    # An order starts seven traces: one in the API, two in stream batches and four in queue batches.
    assert traces(0.1) == pytest.approx(7 * 5.0, rel=0.01)
    assert traces(0.1) > traces(1) > traces(10) > traces(1000)
    assert traces(10_000) == pytest.approx(7 * 0.25, rel=0.01)


class TestCommand:
    def test_report_prints_amounts_with_two_decimals(self, graph_of: Callable[[str], Graph]) -> None:
        text = "\n".join(cost.report(graph_of("prod"), MILLION).lines())
        assert re.search(r"^  transitions +26\.31 +1\.31$", text, re.MULTILINE)
        assert not re.search(r"\d\.\d{3}", text)
        assert "-0.00" not in text
        assert all(len(line) <= 120 for line in text.splitlines() if "loses:" not in line)

    @pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "", "1000000001", "٣"])
    def test_invalid_number_of_orders_is_refused(self, number: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            cost.main(["prod", f"--orders={number}"])
        said = capsys.readouterr().err
        assert f"ORDERS: got {number!r}; allowed: a whole number from 1 to 1,000,000,000; the default is" in said

    def test_stack_without_a_file_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cost.main(["nowhere"]) == 1
        missing = "Pulumi.nowhere.yaml is missing; stacks with a file: dev, local, prod"
        assert capsys.readouterr().err == f"STACK: got 'nowhere'; {missing}; choose one of these stacks\n"

    def test_number_of_orders_may_contain_separators(self) -> None:
        assert [cost.orders(text) for text in ("1", "1_000", "1,000,000")] == [1, 1000, MILLION]


def test_request_that_uses_no_other_service_costs_only_api_logs_and_traces(design: cost_design.Design) -> None:
    nothing = Use({}, {}, USES["express"].access_log, {}, (), ())
    parts = {part for part, usd in by_part(MODEL.bill(nothing, design), MILLION).items() if usd}
    assert parts == {"API", "logs", "traces"}


def test_cost_report_builds_no_lambda_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`make cost` must work in a fresh clone without a package index. Building the archives needs a package index."""
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    assert cost.main(["prod"]) == 0
    assert list(tmp_path.iterdir()) == []
