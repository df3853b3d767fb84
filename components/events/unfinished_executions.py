"""Sets orders to FAILED if their STANDARD execution ended at its time limit without a decision.

The states of an execution cannot catch the execution's timeout. A rule therefore matches the event that Step Functions
sends to the default bus when an execution ends, and invokes `fail_order`.
"""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.aws.owner import Owner
from components.functions.function import AsynchronousInvocation, Function, FunctionArgs, FunctionContext

# Step Functions sends events about executions only to the account's default bus.
_DEFAULT_BUS: Final = "default"
_ENDS: Final = ("FAILED", "TIMED_OUT", "ABORTED")


def make_rule(
    name: str,
    owner: Owner,
    *,
    standard_arn: pulumi.Input[str],
) -> aws.cloudwatch.EventRule:
    """Create the rule that matches unsuccessful executions of the STANDARD state machine.

    Executions of rejected orders also end as FAILED. The rule matches these executions too, because a filter by error
    names would miss errors that nobody anticipated. The additional matches do no harm: `fail_order` changes only orders
    that are still PENDING and have reached the time limit.
    """
    return aws.cloudwatch.EventRule(
        f"{name}-execution-ended",
        name=owner.name("execution-ended", kind="rule"),
        event_bus_name=_DEFAULT_BUS,
        event_pattern=pulumi.Output.json_dumps(
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"stateMachineArn": [standard_arn], "status": list(_ENDS)},
            }
        ),
        tags=owner.tags(),
        opts=owner.opts(),
    )


def make_fail_order(
    owner: Owner,
    *,
    context: FunctionContext,
    orders_table: aws.dynamodb.Table,
    standard_timeout_s: int,
) -> Function:
    """Create `fail_order`, which sets an order to FAILED if it is PENDING at the time limit of its execution."""
    return Function(
        "fail-order",
        FunctionArgs(
            context=context,
            component=owner.component,
            source="fail_order",
            timeout_s=15,
            memory_mb=256,
            environment={"ORDERS_TABLE": orders_table.name, "STANDARD_TIMEOUT_S": str(standard_timeout_s)},
            permissions=[allow("dynamodb:UpdateItem", on=orders_table.arn)],
            # No failure queue is needed. If an event is lost, its order stays PENDING, and the sweep starts the
            # workflow of the order again. The new execution decides the order, or ends at its time limit and causes
            # another event.
            asynchronous=AsynchronousInvocation(failure_queue=False),
        ),
        owner.opts(),
    )
