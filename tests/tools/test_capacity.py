"""Tests of `make capacity`, which computes how many orders per second each hop (step of an order's path) can carry."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from operations.quotas import NEEDED
from tests.support.graph import Graph
from tools.capacity import report as capacity
from tools.capacity.hops import Hop, Way
from tools.capacity.quotas import quotas
from tools.capacity.report import TARGET, Report
from tools.cost.recorded import recorded
from tools.docs import generate

GraphOf = Callable[[str], Graph]
TOKYO, IRELAND = "ap-northeast-1", "eu-west-1"
USES = recorded()[2]


@pytest.fixture(scope="module")
def prod(graph_of: GraphOf) -> Report:
    return capacity.report(graph_of("prod"), TARGET)


def hop(graph: Graph, name: str, region: str = TOKYO, way: str = "standard") -> Hop:
    (found,) = [each for each in Way(graph, USES[way], region).hops() if each.name == name]
    return found


def changed(graph: Graph, kind: str, name: str, **inputs: object) -> Graph:
    """Return a copy of the graph with new `inputs` of the resource `name` of type `kind`."""
    old = graph.one(kind, name)
    new = replace(old, inputs={**old.inputs, **inputs})
    return replace(graph, resources=[new if each is old else each for each in graph.resources])


class TestHops:
    @pytest.mark.parametrize(
        ("name", "tokyo", "ireland"),
        [
            ("REST and HTTP API, account", 10_000, 10_000),
            # The quotas of PutEvents are 1,200 (Tokyo) and 10,000 (Ireland) calls per second. An order needs 2 calls.
            ("bus, PutEvents", 600, 5_000),
            # A bus may invoke 2,250 (Tokyo) or 18,750 (Ireland) targets per second. An order causes 5 invocations.
            ("bus, rule targets", 450, 3_750),
            ("workflow, StartExecution", 150, 300),
            ("workflow, transitions", 800, 5_000),
            # Each of the 16 message groups allows 300 calls per second. An order sends 2 messages.
            ("queue analytics, sends", 2_400, 2_400),
            # One partition allows 1,000 write units per second. An order needs 2 units for each of its products.
            ("orders of one product, writes", 500, 500),
            ("emails", 0.5, 0.5),
            ("analytics objects", 1_750, 1_750),
        ],
    )
    def test_rate_of_a_hop_is_its_limit_divided_by_the_calls_per_order(
        self, graph_of: GraphOf, name: str, tokyo: float, ireland: float
    ) -> None:
        graph = graph_of("prod")
        assert hop(graph, name, TOKYO).rate == pytest.approx(tokyo)
        assert hop(graph, name, IRELAND).rate == pytest.approx(ireland)

    def test_rate_of_a_table_is_its_initial_units_divided_by_units_per_order(self, graph_of: GraphOf) -> None:
        """An order with 2 lines needs 3 write units of the orders table: 1 for its new row, and 2 for its confirmation.

        It also needs 4 write units of the inventory table: 2 for each product.
        """
        graph = graph_of("prod")
        assert hop(graph, "table orders, writes").rate == pytest.approx(4_000 / 3)
        assert hop(graph, "table inventory, writes").rate == pytest.approx(4_000 / 4)
        assert hop(graph, "index by-user, writes").rate == pytest.approx(4_000 / 2)

    def test_rate_of_a_stream_grows_with_its_parallelization_factor(self, graph_of: GraphOf) -> None:
        graph = graph_of("prod")
        before = hop(graph, "stream, publish_order_events")
        wider = changed(graph, "EventSourceMapping", "publish-order-events-stream", parallelizationFactor=10)
        # The orders table's stream has 4 shards. Lambda processes 2 batches of each shard in parallel. A batch has 50
        # records and takes 50 ms, so Lambda processes 8,000 records per second. An order causes 2 records.
        assert before.rate == pytest.approx(4_000)
        assert hop(wider, before.name).rate == pytest.approx(20_000)

    def test_fifo_queue_processes_one_batch_of_each_group_at_a_time(self, graph_of: GraphOf) -> None:
        graph = graph_of("prod")
        found = hop(graph, "queue analytics, record_analytics")
        faster = changed(
            graph, "EventSourceMapping", "record-analytics-queue", scalingConfig={"maximumConcurrency": 99}
        )
        assert found.limited_by.startswith("16 batches of 10")
        assert hop(faster, found.name).rate == found.rate

    def test_fifo_queue_without_high_throughput_has_one_limit_for_all_groups(self, graph_of: GraphOf) -> None:
        graph = graph_of("prod")
        narrow = changed(graph, "Queue", "analytics", fifoThroughputLimit="perQueue")
        assert hop(narrow, "queue analytics, sends").rate == pytest.approx(150)

    def test_analytics_function_processes_250_orders_per_second(self, graph_of: GraphOf) -> None:
        assert hop(graph_of("prod"), "queue analytics, record_analytics").rate >= 250

    def test_rate_of_functions_is_the_concurrency_divided_by_time_per_order(self, graph_of: GraphOf) -> None:
        found = hop(graph_of("prod"), "functions, all together")
        # The durations in milliseconds of all invocations for one order: 16 + 30 + 2 x 18 + 2 x 90 + 2 x 45 + 8 + 24 =
        # 384.
        assert found.per_order == pytest.approx(0.384)
        assert found.rate == pytest.approx(1_000 / 0.384)
        assert found.burst == 1_000

    def test_error_about_an_unknown_batch_duration_names_the_file_to_change(self, graph_of: GraphOf) -> None:
        graph = graph_of("prod")
        mapping = graph.one("EventSourceMapping", "record-analytics-queue")
        new = replace(mapping, name="new-function-queue")
        with pytest.raises(KeyError, match=r"batch_ms.new_function: got nothing; .*tools/capacity/assumptions.toml"):
            Way(replace(graph, resources=[*graph.resources, new]), USES["standard"], TOKYO).hops()


class TestTarget:
    def test_default_quotas_allow_150_decided_orders_per_second(self, prod: Report) -> None:
        for way in prod.ways:
            assert prod.first(way, "accept", "decide").rate >= TARGET

    def test_hops_after_the_response_can_process_a_whole_burst_of_orders(self, prod: Report) -> None:
        """The REST API limits bursts of orders. AWS refuses no call during the processing of the largest burst.

        The bus delivers 450 orders per second, and each order needs one call of StartExecution. The token bucket of
        StartExecution holds 800 calls and regains 150 calls per second. It is empty after 800 / (450 - 150) s. Until
        then, the bus delivers 1,200 orders, which are more than the largest burst.
        """
        assert prod.burst("standard", "accept", "decide") == 800
        assert prod.absorbed("standard") == pytest.approx(800 / (1 - 150 / 450))
        setting = next(each for each in prod.ways["standard"] if each.name == "REST API, setting")
        assert prod.absorbed("standard") >= setting.burst >= 800

    def test_first_limit_of_accepted_orders_is_start_execution(self, prod: Report) -> None:
        assert prod.first("standard", "accept", "decide").name == "workflow, StartExecution"
        assert prod.first("express", "accept", "decide").name == "bus, rule targets"

    def test_report_names_every_hop_that_is_too_slow_for_the_target_rate(self, graph_of: GraphOf) -> None:
        made = capacity.report(graph_of("prod"), 10_000)
        named = {line[2:46].strip() for line in made.needs()}
        below = {each.name for way in made.ways.values() for each in way if each.rate < 10_000}
        assert named == below
        start = next(line for line in made.needs() if "StartExecution" in line)
        assert (
            "needs 10,000: raise the quota StartExecution throttle token refill rate per second (states, code" in start
        )

    def test_report_asks_for_no_higher_limit_if_every_hop_is_fast_enough(self, prod: Report) -> None:
        slow = {way: [each for each in hops if each.rate >= TARGET] for way, hops in prod.ways.items()}
        assert list(replace(prod, ways=slow).needs()) == ["  no limit has to be raised"]


class TestWarning:
    def test_dev_and_prod_cause_no_capacity_warning(self, graph_of: GraphOf) -> None:
        for stack in ("dev", "prod"):
            warning = capacity.report(graph_of(stack), TARGET).warning()
            assert not warning.startswith("warning"), stack

    def test_throttle_rate_above_the_first_limit_causes_a_warning(self, prod: Report) -> None:
        assert (
            replace(prod, waiver="")
            .warning()
            .startswith(
                "warning: api.throttleRate: got 500 requests per second, but the hop `workflow, StartExecution` carries"
            )
        )
        assert replace(prod, waiver="", throttle_rate=150).warning() == ""
        assert replace(prod, waiver="Only reads.").warning().endswith("reason in api.capacityWaiver: Only reads.")


class TestData:
    @pytest.mark.parametrize("key", quotas())
    def test_quota_has_a_source_a_date_and_a_remedy(self, key: str) -> None:
        quota = quotas()[key]
        assert quota.source.startswith("https://docs.aws.amazon.com/")
        assert date(2026, 1, 1) < quota.read <= date.today()  # noqa: DTZ011 - the file contains dates without a zone
        assert bool(quota.service) != bool(quota.raise_by)
        assert quota.service or not quota.code
        assert not quota.bucket_regions or quota.bucket

    def test_every_quota_limits_a_hop(self, prod: Report) -> None:
        used = {each.quota.name for way in prod.ways.values() for each in way if each.quota}
        assert used == {quota.name for quota in quotas().values()}

    def test_file_of_needed_quotas_is_up_to_date(self) -> None:
        assert NEEDED.read_text(encoding="utf-8") == generate.needed_quotas(), "run `make generate`"

    def test_needed_quotas_include_only_hops_before_the_decision(self) -> None:
        needed = {each["name"]: each for each in json.loads(NEEDED.read_text(encoding="utf-8"))}
        assert needed["Concurrent executions"]["code"] == "L-B99A9384"
        assert needed["Invocations throttle limit in transactions per second"]["per_order"] == 5
        assert "Sending rate" not in needed


class TestCommand:
    @pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "", "100001", "\uff11"])
    def test_invalid_rate_is_refused(self, number: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            capacity.main(["prod", f"--rate={number}"])
        said = capsys.readouterr().err
        assert f"RATE: got {number!r}; allowed: a whole number of orders per second from 1 to 100,000" in said

    def test_stack_without_a_file_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert capacity.main(["staging"]) == 1
        assert "STACK: got 'staging'; Pulumi.staging.yaml is missing" in capsys.readouterr().err

    def test_report_lists_every_hop(self, prod: Report) -> None:
        lines = list(prod.lines())
        for each in prod.ways["standard"]:
            assert any(line.startswith(f"  {each.name} ") for line in lines), each.name
        assert any("the stack can decide 150 orders per second, and accept 800" in line for line in lines)
