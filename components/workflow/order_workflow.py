"""The order workflow: an EXPRESS state machine decides orders, and a STANDARD state machine starts EXPRESS executions.

`POST /process` starts the EXPRESS state machine directly. Orders of `POST /orders` start the STANDARD state machine.
AWS bills STANDARD executions by state transition. To save transitions, a single state of the STANDARD state machine
starts an EXPRESS execution and waits for its result (docs/decisions/19-standard-runs-express.md).
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
from components.functions.function import CallerLimit, Function, FunctionArgs, FunctionContext, by_source
from components.workflow import state_machine
from components.workflow.state_machine import ACCEPTED_DEFINITION, DEFINITION
from contracts.orders import API_TIMEOUT_S, LONGEST_BEHIND_API_S

_COMPONENT: Final = "order-workflow"
# A STANDARD execution fails with this error if its order has no row. This must never happen, so the error fires an
# alarm. The other errors of the Fail states are expected, for example because an order was rejected.
_UNEXPECTED_ERROR: Final = "NotRecorded"


@dataclass(frozen=True, kw_only=True)
class OrderWorkflowArgs:
    """The tables that the workflow uses, and its time limits."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    orders_table: aws.dynamodb.Table
    """Table of orders."""
    inventory_table: aws.dynamodb.Table
    """Table of products and their stock."""
    standard_timeout_s: int
    """Time limit in seconds of a STANDARD execution, which runs EXPRESS executions until the order is decided."""
    express_timeout_s: int = LONGEST_BEHIND_API_S
    """Time limit of an EXPRESS execution in seconds. The execution must end before API Gateway stops waiting."""


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
    """State machine for orders of `POST /orders`. The name of an order's first execution is the order id."""
    express: Machine
    """State machine that decides orders. API Gateway and STANDARD executions start it with StartSyncExecution."""
    notification_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that receives a message for each order that the workflow processes."""
    functions: Mapping[str, Function]
    """The functions `validate_order` and `update_inventory`, by name."""
    expected_errors: Sequence[str]
    """Errors with which a STANDARD execution ends on purpose: all errors of its Fail states except `NotRecorded`."""

    def __init__(self, name: str, args: OrderWorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        definition, accepted = state_machine.load(DEFINITION), state_machine.load(ACCEPTED_DEFINITION)
        _check(definition, accepted, args)
        super().__init__("orders:index:OrderWorkflow", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=_COMPONENT, parent=self)
        self._topic = make_topic("order-notifications", self._owner)
        self._limits = caller_limits()
        self._validate_order = self._make_validate_order()
        self._update_inventory = self._make_update_inventory()
        self.functions = by_source(self._validate_order, self._update_inventory)
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

    def _make_validate_order(self) -> Function:
        return Function(
            "validate-order",
            FunctionArgs(
                context=self._args.context,
                component=_COMPONENT,
                source="validate_order",
                timeout_s=3,
                memory_mb=256,
                caller_limit=self._limits["validate_order"],
                raises_business_errors=True,
            ),
            self._owner.opts(),
        )

    def _make_update_inventory(self) -> Function:
        args = self._args
        orders, inventory = args.orders_table, args.inventory_table
        return Function(
            "update-inventory",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="update_inventory",
                timeout_s=6,
                memory_mb=256,
                caller_limit=self._limits["update_inventory"],
                raises_business_errors=True,
                environment={"ORDERS_TABLE": orders.name, "INVENTORY_TABLE": inventory.name},
                permissions=[
                    # The function updates both tables in one TransactWriteItems call. It needs no GetItem: if the order
                    # was already decided, the failed call returns the order's row.
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
            # Step Functions can write to a log group only if the account's resource policy for CloudWatch Logs allows
            # it. The policy is limited to 5,120 characters, so it cannot name many log groups. When the policy is
            # nearly full, CloudWatch Logs adds a permission for all log groups with the prefix /aws/vendedlogs/. A log
            # group with this prefix therefore works even if the policy is full.
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
                # Step Functions stores no history of EXPRESS executions, so this log is their only record. STANDARD
                # executions have a history, but Step Functions deletes it after 90 days.
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
            "validate_order_arn": self._validate_order.arn,
            "update_inventory_arn": self._update_inventory.arn,
            "orders_table": args.orders_table.name,
            "inventory_table": args.inventory_table.name,
            "notification_topic_arn": self._topic.arn,
        }

    def _make_execution_role(
        self, name: str, machine: str, permissions: Sequence[Statement]
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        context = self._args.context
        # The trust policy contains the ARN of the state machine. The state machine does not exist yet, because it needs
        # the role. The ARN is therefore composed from the state machine's name.
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
            # PutItem creates the row of an order from POST /process. Other orders already have a row, which POST
            # /orders created.
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


def caller_limits() -> dict[str, CallerLimit]:
    """Return the highest allowed time limit of each function that a Task state invokes, by function name."""
    definition = state_machine.load(DEFINITION)
    steps = {"validate_order": "ValidateInput", "update_inventory": "UpdateInventory"}
    return {source: task_limit(definition, step) for source, step in steps.items()}


def task_limit(definition: Mapping[str, Any], step: str) -> CallerLimit:
    """Return the highest allowed time limit of the function that the Task state `step` invokes.

    The function must end before the time limit of the state, `TimeoutSeconds`.
    """
    waits_s = state_machine.task_timeout_s(definition, step)
    return CallerLimit(at_most_s=waits_s - 1, because=f"the state {step} stops waiting after {waits_s} s")


def _check(definition: Mapping[str, Any], accepted: Mapping[str, Any], args: OrderWorkflowArgs) -> None:
    """Check the time limits of both state machines.

    Raises ValueError if a time limit is too short for the states of its state machine, or if API Gateway would stop
    waiting before the EXPRESS time limit.
    """
    for kind, got, steps in (
        ("express", args.express_timeout_s, definition),
        ("standard", args.standard_timeout_s, accepted),
    ):
        if got <= (needed := state_machine.longest_way_s(steps)):
            raise ValueError(
                f"{kind} timeout: got {got} s; allowed: more than {needed} s, the longest time that its states can take"
            )
    if args.express_timeout_s > LONGEST_BEHIND_API_S:
        raise ValueError(
            f"express timeout: got {args.express_timeout_s} s; allowed: at most {LONGEST_BEHIND_API_S} s; "
            f"API Gateway stops waiting after {API_TIMEOUT_S} s"
        )
