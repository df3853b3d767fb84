"""The order workflow: an EXPRESS state machine decides orders, and a STANDARD one runs it for accepted orders.

`POST /process` starts the EXPRESS state machine directly. AWS bills STANDARD by state transition, so the STANDARD state
machine has one state that starts an EXPRESS execution and waits for it (docs/decisions/19-standard-runs-express.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
import pulumi_aws as aws

from components.aws.iam import Statement, allow, policy_document, trust
from components.aws.messaging import make_topic
from components.aws.owner import Owner
from components.functions.function import Function, FunctionArgs, FunctionContext, FunctionSize
from components.workflow import state_machine

DEFINITION: Final = "order.asl.json"
ACCEPTED_DEFINITION: Final = "accepted-order.asl.json"
# API Gateway stops waiting after 29 s (its quota). A longer execution would continue after the client has received 504.
LONGEST_EXPRESS_S: Final = 28
_COMPONENT: Final = "order-workflow"
# An execution fails with this error if it could not read or write the status of its order.
_UNEXPECTED_ERROR: Final = "NotRecorded"
# The keys are functions, and the values are the Task states of the definition that invoke them.
_STEPS: Final[Mapping[str, str]] = {"validate_order": "ValidateInput", "update_inventory": "UpdateInventory"}


@dataclass(frozen=True, kw_only=True)
class OrderWorkflowArgs:
    """The tables that the workflow uses, and its time limits."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    sizes: Mapping[str, FunctionSize]
    """Sizes of `validate_order` and `update_inventory`. The time limit of each must be below the one of its state."""
    orders_table: aws.dynamodb.Table
    """Table of orders."""
    inventory_table: aws.dynamodb.Table
    """Table of products and their stock."""
    standard_timeout_s: int
    """Time limit of a STANDARD execution in seconds. It runs EXPRESS executions until the order is decided."""
    express_timeout_s: int = LONGEST_EXPRESS_S
    """Time limit of an EXPRESS execution in seconds. API Gateway stops waiting after 29 s."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The ARN, name and log group of one state machine."""

    arn: pulumi.Output[str]
    """ARN of the state machine."""
    name: pulumi.Output[str]
    """Physical name of the state machine."""
    log_group_name: pulumi.Output[str]
    """Name of the CloudWatch log group of its executions."""


class OrderWorkflow(pulumi.ComponentResource):
    """Two state machines with their roles and log groups, their functions, and the notification topic."""

    standard: Machine
    """State machine that decides orders of `POST /orders`. The name of an execution is the order id."""
    express: Machine
    """State machine that decides orders of `POST /process`. API Gateway starts it with StartSyncExecution."""
    notification_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that receives a message for each order that the workflow processes."""
    functions: Mapping[str, Function]
    """The functions `validate_order` and `update_inventory`, by name."""
    expected_errors: Sequence[str]
    """Errors with which a STANDARD execution ends on purpose. They do not include NotRecorded."""

    def __init__(self, name: str, args: OrderWorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        definition, accepted = state_machine.load(DEFINITION), state_machine.load(ACCEPTED_DEFINITION)
        _check(definition, accepted, args)
        super().__init__("orders:index:OrderWorkflow", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=_COMPONENT, parent=self)
        self._topic = make_topic("order-notifications", self._owner)
        self.functions = {"validate_order": self._validate_order(), "update_inventory": self._update_inventory()}
        self.express = self._make_machine(
            "express",
            self._rendered(definition, self._placeholders(), args.express_timeout_s),
            self._permissions(),
        )
        self.standard = self._make_machine(
            "standard",
            self._rendered(
                accepted,
                {"express_arn": self.express.arn, "orders_table": args.orders_table.name},
                args.standard_timeout_s,
            ),
            [
                allow("states:StartSyncExecution", on=self.express.arn),
                allow("dynamodb:GetItem", on=args.orders_table.arn),
            ],
        )
        self.notification_topic_arn = self._topic.arn
        ends = state_machine.fail_errors(accepted)
        self.expected_errors = sorted({error for error in ends.values() if error != _UNEXPECTED_ERROR})
        self.register_outputs({"standardArn": self.standard.arn, "expressArn": self.express.arn})

    def _validate_order(self) -> Function:
        args = self._args
        return Function(
            "validate-order",
            FunctionArgs(
                context=args.context, component=_COMPONENT, source="validate_order", size=args.sizes["validate_order"]
            ),
            self._owner.opts(),
        )

    def _update_inventory(self) -> Function:
        args = self._args
        orders, inventory = args.orders_table, args.inventory_table
        return Function(
            "update-inventory",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="update_inventory",
                size=args.sizes["update_inventory"],
                environment={"ORDERS_TABLE": orders.name, "INVENTORY_TABLE": inventory.name},
                permissions=[
                    # The function updates both tables in one TransactWriteItems. If the order was already decided, the
                    # failed call returns the order's row.
                    allow("dynamodb:UpdateItem", on=[orders.arn, inventory.arn]),
                ],
            ),
            self._owner.opts(),
        )

    def _make_machine(
        self, role: Literal["standard", "express"], definition: pulumi.Output[str], permissions: Sequence[Statement]
    ) -> Machine:
        name, physical = f"{self._name}-{role}", self._owner.name(f"order-{role}", kind="state-machine")
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            # CloudWatch Logs delivers to groups with this prefix without an entry in its resource policy, which may
            # have 5,120 characters.
            name=f"/aws/vendedlogs/states/{physical}",
            retention_in_days=self._args.context.log_retention_days,
            kms_key_id=self._args.context.log_key_arn,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )
        execution_role, policy = self._make_execution_role(name, physical, permissions)
        machine = aws.sfn.StateMachine(
            name,
            name=physical,
            type=role.upper(),
            definition=definition,
            role_arn=execution_role.arn,
            logging_configuration={
                # Step Functions stores no history of EXPRESS executions, so this log is their only record. It deletes
                # the history of STANDARD executions after 90 days.
                "level": "ALL",
                "include_execution_data": True,
                "log_destination": pulumi.Output.concat(log_group.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            tags=self._owner.tags(),
            # Step Functions refuses a log group that the role cannot write to, so the role's policy must exist first.
            opts=self._owner.opts(depends_on=[policy]),
        )
        return Machine(arn=machine.arn, name=machine.name, log_group_name=log_group.name)

    @staticmethod
    def _rendered(
        definition: Mapping[str, Any], values: Mapping[str, pulumi.Input[str]], timeout_s: int
    ) -> pulumi.Output[str]:
        state_machine.check_placeholders(definition, values)
        return pulumi.Output.all(**values).apply(
            lambda known: state_machine.render(definition, known, timeout_s=timeout_s)
        )

    def _placeholders(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        return {
            "validate_order_arn": self.functions["validate_order"].arn,
            "update_inventory_arn": self.functions["update_inventory"].arn,
            "orders_table": args.orders_table.name,
            "inventory_table": args.inventory_table.name,
            "notification_topic_arn": self._topic.arn,
        }

    def _make_execution_role(
        self, name: str, machine: str, permissions: Sequence[Statement]
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        context = self._args.context
        # The role must exist before the state machine, so the trust policy cannot use the ARN output of the state
        # machine.
        machine_arn = pulumi.Output.concat(
            f"arn:aws:states:{context.region}:", context.account_id, f":stateMachine:{machine}"
        )
        role = aws.iam.Role(
            f"{name}-role",
            name=machine,
            assume_role_policy=trust("states.amazonaws.com", source_account=context.account_id, source_arn=machine_arn),
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            name="permissions",
            role=role.name,
            policy=policy_document([*permissions, *_log_and_trace()]),
            opts=self._owner.opts(),
        )
        return role, policy

    def _permissions(self) -> list[Statement]:
        args = self._args
        return [
            allow("lambda:InvokeFunction", on=[function.arn for function in self.functions.values()]),
            # Only POST /process needs PutItem, because an accepted order already has a row.
            allow("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem", on=args.orders_table.arn),
            allow("dynamodb:BatchGetItem", on=args.inventory_table.arn),
            allow("sns:Publish", on=self._topic.arn),
        ]


def _log_and_trace() -> list[Statement]:
    return [
        allow(
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
            on="*",
            because="log delivery does not support resource-level permissions (Step Functions: CloudWatch Logs)",
        ),
        allow(
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            on="*",
            because="X-Ray does not support resource-level permissions for traces and sampling",
        ),
    ]


def _check(definition: Mapping[str, Any], accepted: Mapping[str, Any], args: OrderWorkflowArgs) -> None:
    """Raise ValueError unless each time limit is below the time limit of its caller."""
    for source, step in _STEPS.items():
        got, limit = args.sizes[source].timeout_s, state_machine.task_timeout_s(definition, step)
        if got >= limit:
            raise ValueError(
                f"timeout of {source}: got {got} s; allowed: less than {limit} s, the time limit of the state {step}"
            )
    for kind, got, steps in (
        ("express", args.express_timeout_s, definition),
        ("standard", args.standard_timeout_s, accepted),
    ):
        if got <= (needed := state_machine.longest_way_s(steps)):
            raise ValueError(
                f"{kind} timeout: got {got} s; allowed: more than {needed} s, the sum of the time limits of its states"
            )
    if args.express_timeout_s > LONGEST_EXPRESS_S:
        raise ValueError(
            f"express timeout: got {args.express_timeout_s} s; allowed: at most {LONGEST_EXPRESS_S} s; "
            "API Gateway stops waiting after 29 s"
        )
