"""Simulates many simultaneous orders of one product. Their DynamoDB transactions conflict with each other.

The Lambda functions and their retries run unchanged. DynamoDB with its conflicts, the waits of the workflow, and the
time are simulated.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import random
import statistics
import uuid
import warnings
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import pytest

from components.workflow import state_machine
from shared.domain.orders import Order, new_order
from shared.domain.times import utc_now
from shared.errors import StockContention
from shared.rows import order_row, product_values
from tests.fakes.conflicts import ConflictingDynamoDB
from tests.fakes.gateway import Answer, Request, http_event
from tests.fakes.runtime import ENVIRONMENT, LoadedFunction, loaded
from tests.fakes.simulation import Simulation

STOCK: Final = 100_000
TEA: Final = {"name": "Tea", "unit_price": 500, "currency": "JPY", "quantity": STOCK}
PRICE: Final = {"product_id": "tea", "unit_price": 500, "currency": "JPY"}
LINES: Final[Any] = [{"product_id": "tea", "quantity": 1}]

HELD_S: Final = 0.015
"""Mean time in seconds for which a transaction holds the product. The value is an assumption about AWS."""
INVOCATION_S: Final = 0.03
"""Seconds from the start of the step UpdateInventory to the start of the function's code."""

# On AWS, a STANDARD execution starts one EXPRESS execution after another until the order is decided. The simulation
# imitates the STANDARD execution with these waits and this time limit.
STANDARD_WAITS_S: Final = (3, 10, 30, 60)
"""Mean waits in seconds before the STANDARD execution runs the EXPRESS workflow again. The last wait repeats."""
STANDARD_LIMIT_S: Final = 900
"""Time limit of the STANDARD execution in seconds. An order that is still PENDING then becomes FAILED."""


def express_waits_s(chance: random.Random) -> Iterator[float]:
    """Yield the seconds that the EXPRESS workflow waits before each retry of its step UpdateInventory."""
    definition: Any = json.loads((state_machine.WORKFLOWS / state_machine.DEFINITION).read_text(encoding="utf-8"))
    step = definition["States"]["ProcessOrder"]["Branches"][0]["States"]["UpdateInventory"]
    (retry,) = [each for each in step["Retry"] if "StockContention" in each["ErrorEquals"]]
    for number in range(retry["MaxAttempts"]):
        longest_s = retry["IntervalSeconds"] * retry["BackoffRate"] ** number
        yield chance.uniform(0, min(retry.get("MaxDelaySeconds", longest_s), longest_s))


@dataclass
class Sale:
    """A simulation in which customers order one product at random moments, with a constant mean rate."""

    simulation: Simulation
    dynamodb: ConflictingDynamoDB
    functions: dict[str, LoadedFunction]
    chance: random.Random
    statuses: Counter[str] = field(default_factory=Counter[str])
    """{final status: number of orders}"""
    decided_after_s: list[float] = field(default_factory=list[float])
    undecided: int = 0
    """Number of EXPRESS executions that ended without a decision."""

    def run(self, *, rate: float, seconds: float) -> None:
        """Place `rate` orders per second on average during `seconds`, and run until all workflows have ended."""
        moment_s = 0.0
        while (moment_s := moment_s + self.chance.expovariate(rate)) < seconds:
            self.simulation.at(moment_s, self._order)
        self.simulation.run()

    def put_product(self) -> Answer:
        """Replace the product with PUT /products/tea."""
        request = Request(method="PUT", path="/products/tea", body=TEA, groups=["admin"])
        return Answer(self.functions["catalog_api"](http_event(request)))

    def sold(self) -> int:
        row = self.dynamodb.item("inventory", "tea")
        assert row
        return STOCK - int(row["quantity"]["N"])

    def percentile(self, percent: int) -> float:
        """Return the seconds within which `percent` % of the orders were confirmed or rejected."""
        return statistics.quantiles(self.decided_after_s, n=100)[percent - 1]

    def _order(self) -> None:
        """Place an order, and simulate its workflow until the order is no longer PENDING."""
        order_id = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        order = new_order(order_id, "u-1", LINES, utc_now())
        self.dynamodb.put("orders", order_row(order, request_hash="", synchronous=False))
        started_s = self.simulation.now_s
        waits_s = itertools.chain(STANDARD_WAITS_S, itertools.repeat(STANDARD_WAITS_S[-1]))
        while not self._is_decided_by_express(order):
            self.undecided += 1
            self.simulation.sleep(next(waits_s) * self.chance.uniform(0.5, 1.5))
            if self.simulation.now_s - started_s > STANDARD_LIMIT_S:
                self.statuses["FAILED"] += 1
                return
        self.decided_after_s.append(self.simulation.now_s - started_s)
        row = self.dynamodb.item("orders", order_id)
        assert row
        self.statuses[row["status"]["S"]] += 1

    def _is_decided_by_express(self, order: Order) -> bool:
        for wait_s in itertools.chain([0.0], express_waits_s(self.chance)):
            self.simulation.sleep(wait_s + INVOCATION_S)
            try:
                self.functions["update_inventory"]({"order": order, "products": [PRICE]})
            except StockContention:
                continue
            return True
        return False


@contextmanager
def _sale(names: Sequence[str]) -> Generator[Sale]:
    simulation, chance = Simulation(), random.Random(1)  # noqa: S311 - the numbers are no secrets
    dynamodb = ConflictingDynamoDB(simulation, lambda: HELD_S * chance.uniform(0.7, 1.3))
    product: Any = {"product_id": "tea", **TEA}
    dynamodb.put("inventory", {"product_id": {"S": "tea"}, **product_values(product, request_id="")})
    with ExitStack() as stack, warnings.catch_warnings():
        # Powertools warns about each invocation that emits no metric. Many invocations of this simulation emit none.
        warnings.simplefilter("ignore", UserWarning)
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(mock.patch("shared.retries.random", chance))
        clients = {"dynamodb": dynamodb}
        functions = {
            name: stack.enter_context(loaded(name, clients=clients, environment=ENVIRONMENT, time=simulation))
            for name in names
        }
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable()
        yield Sale(simulation, dynamodb, functions, chance)


@pytest.fixture
def sale() -> Generator[Sale]:
    with _sale(["update_inventory", "catalog_api"]) as made:
        yield made


def test_fifty_orders_per_second_for_one_product_are_each_decided_within_two_seconds(sale: Sale) -> None:
    # If update_inventory did not retry conflicts itself, this test would fail: 166 EXPRESS executions would end with a
    # PENDING order.
    sale.run(rate=50, seconds=20)
    assert set(sale.statuses) == {"CONFIRMED"}
    assert sale.sold() == sale.statuses.total() > 900
    assert sale.undecided == 0
    assert sale.dynamodb.conflicts.total() > sale.statuses.total()
    assert sale.percentile(99) <= 2


def test_orders_above_the_transaction_rate_of_a_product_are_decided_later(sale: Sale) -> None:
    # Each transaction holds the product for HELD_S on average, so at most 1 / HELD_S = 67 orders succeed per second.
    sale.run(rate=100, seconds=8)
    assert set(sale.statuses) == {"CONFIRMED"}
    assert sale.sold() == sale.statuses.total() > 700


def test_popular_product_can_be_replaced_while_it_is_sold(sale: Sale) -> None:
    answers: list[Answer] = []
    for number in range(20):
        sale.simulation.at(number / 4, lambda: answers.append(sale.put_product()))
    sale.run(rate=50, seconds=5)
    assert sale.dynamodb.conflicts["update_item"] > 0
    assert {answer.status for answer in answers} <= {200, 429}
    assert [answer.status for answer in answers].count(200) >= 19
