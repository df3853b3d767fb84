"""Journey: the platform processes an order even if the event or the workflow execution of the order was lost.

A sweep is an invocation of restart_late_orders, which restarts the workflows of late orders. Usually, a stream invokes
mark_late_orders, and a schedule invokes restart_late_orders. The tests invoke both functions directly, so that they do
not have to wait a few minutes.
"""

from __future__ import annotations

import pytest

from tests.journeys.breakages import rule_disabled
from tests.journeys.patience import Watcher
from tests.journeys.people import Person
from tests.journeys.stack import Stack
from tests.journeys.sweeps import sweep


@pytest.mark.parametrize("ended", [False, True], ids=["event lost", "execution aborted"])
def test_order_whose_event_or_execution_was_lost_is_confirmed_after_a_sweep(
    admin: Person, customer: Person, watcher: Watcher, stack: Stack, ended: bool
) -> None:
    product = admin.put(5)
    with rule_disabled(stack, "order-created", stack.ops["eventBus"]["name"]):
        order_id = customer.order({product: 2})["order_id"]
        watcher.told(order_id, "OrderCreated")
    if ended:
        # Simulate an execution that ended without a decision: start an execution with an input that contains no order,
        # and abort it.
        with rule_disabled(stack, "execution-ended", "default"):
            machine = stack.ops["stateMachines"]["standard"]
            started = stack.aws("stepfunctions", "start_execution", stateMachineArn=machine, name=order_id, input="{}")
            stack.aws("stepfunctions", "stop_execution", executionArn=started["executionArn"])
            assert watcher.ended(order_id)["status"] == "ABORTED"
    assert customer.read(order_id)["status"] == "PENDING"

    sweep(stack, order_id)

    assert watcher.decided(customer, order_id)["status"] == "CONFIRMED"
    assert watcher.ended(f"{order_id}-1" if ended else order_id)["status"] == "SUCCEEDED"
    assert stack.stock(product) == 3
    assert "late_shard" not in (stack.row("orders", order_id=order_id) or {})
    watcher.told(order_id, "OrderCreated", "OrderConfirmed")
