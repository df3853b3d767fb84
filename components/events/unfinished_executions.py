"""Ends orders whose STANDARD execution ended without them: aborted, out of time, or unable to record their status.

Nothing inside of an execution can do so: its own time limit and its abortion cannot be caught. Step Functions tells the
account's default bus of every end.
"""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow
from components.functions.function import AsynchronousInvocation, Function, FunctionArgs, FunctionContext, FunctionSize

# Step Functions sends its events to this bus and to no other.
_DEFAULT_BUS: Final = "default"
_ENDS: Final = ("FAILED", "TIMED_OUT", "ABORTED")


def make_rule(
    name: str,
    *,
    context: FunctionContext,
    component: str,
    standard_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.EventRule:
    """Make the rule for executions of the STANDARD workflow that did not succeed.

    A rejected order's execution fails as well. Its event is not left out by the error's name, since an error that
    nobody thought of must not be either.
    """
    return aws.cloudwatch.EventRule(
        f"{name}-execution-ended",
        name=context.naming.physical("execution-ended", kind="rule"),
        event_bus_name=_DEFAULT_BUS,
        event_pattern=pulumi.Output.json_dumps(
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"stateMachineArn": [standard_arn], "status": list(_ENDS)},
            }
        ),
        tags=context.naming.tags(component),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def make_fail_order(
    *,
    context: FunctionContext,
    component: str,
    size: FunctionSize,
    orders_table: aws.dynamodb.Table,
    success_topic_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Function:
    """Make `fail_order`, which moves such an order to FAILED."""
    return Function(
        "fail-order",
        FunctionArgs(
            context=context,
            component=component,
            source="fail_order",
            size=size,
            environment={"ORDERS_TABLE": orders_table.name},
            permissions=[allow("dynamodb:UpdateItem", on=orders_table.arn)],
            asynchronous=AsynchronousInvocation(success_topic_arn=success_topic_arn),
        ),
        pulumi.ResourceOptions(parent=parent),
    )
