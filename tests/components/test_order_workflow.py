"""Tests of the two state machines: their definitions, permissions, logs and time limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.functions.function import FunctionOverride
from components.workflow import state_machine
from tests.components.order_programs import context, record_workflow
from tests.proof.least_privilege.workflow import calls
from tests.support.graph import ACCOUNT, REGION, Graph

MACHINES = ("standard", "express")
FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-dev"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-dev-order-notifications"


@pytest.fixture(scope="module")
def graph(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the whole program for the stack dev."""
    return graph_of("dev")


def definition(graph: Graph, machine: str) -> dict[str, Any]:
    """Return the definition of the state machine `machine`, which is `standard` or `express`, as Pulumi deploys it."""
    deployed: dict[str, Any] = json.loads(graph.one("StateMachine", f"order-workflow-{machine}").inputs["definition"])
    return deployed


def test_standard_machine_runs_the_express_machine(graph: Graph) -> None:
    standard, express = definition(graph, "standard"), definition(graph, "express")
    assert (standard["TimeoutSeconds"], express["TimeoutSeconds"]) == (900, 28)
    assert (
        standard["States"]["DecideOrder"]["Arguments"]["StateMachineArn"]
        == (graph.one("StateMachine", "order-workflow-express").state["arn"])
    )
    assert "${" not in json.dumps([standard, express])


def test_express_execution_ends_before_its_caller_times_out(graph: Graph) -> None:
    waits = definition(graph, "standard")["States"]["DecideOrder"]["TimeoutSeconds"]
    assert definition(graph, "express")["TimeoutSeconds"] < waits


def test_one_machine_is_standard_and_one_is_express(graph: Graph) -> None:
    machines = {m.inputs["name"]: m.inputs["type"] for m in graph.of("StateMachine")}
    assert machines == {"orders-dev-order-standard": "STANDARD", "orders-dev-order-express": "EXPRESS"}


def test_definition_uses_the_aliases_tables_and_topic_of_its_stack(graph: Graph) -> None:
    tasks = dict(state_machine.tasks(definition(graph, "express")))
    assert tasks["ValidateInput"]["Arguments"]["FunctionName"] == f"{FUNCTIONS}-validate-order:live"
    assert tasks["UpdateInventory"]["Arguments"]["FunctionName"] == f"{FUNCTIONS}-update-inventory:live"
    assert tasks["SendNotification"]["Arguments"]["TopicArn"] == TOPIC
    assert list(tasks["CheckInventory"]["Arguments"]["RequestItems"]) == ["orders-dev-inventory"]
    written = {tasks[name]["Arguments"]["TableName"] for name in ("RecordOrder", "RecordRejected", "ReadOrder")}
    assert written == {"orders-dev-orders"}


@pytest.mark.parametrize("machine", MACHINES)
def test_machines_role_allows_exactly_the_calls_of_its_definition(graph: Graph, machine: str) -> None:
    may = {
        (action, resource)
        for statement in graph.policy("RolePolicy", f"order-workflow-{machine}-policy")
        for action in statement["Action"]
        for resource in statement["Resource"]
        if not action.startswith(("logs:", "xray:"))
    }
    assert may == calls(definition(graph, machine), synchronous=True)


@pytest.mark.parametrize("machine", MACHINES)
def test_only_log_delivery_and_tracing_are_allowed_on_all_resources(graph: Graph, machine: str) -> None:
    anywhere = {
        action
        for statement in graph.policy("RolePolicy", f"order-workflow-{machine}-policy")
        if statement["Resource"] == ["*"]
        for action in statement["Action"]
    }
    # Step Functions needs these actions, and IAM can allow them only on the resource "*". The AWS Step Functions
    # Developer Guide lists them under "Logging to CloudWatch Logs" and under "X-Ray and Step Functions".
    delivery = {f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")}
    groups = {"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"}
    tracing = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    sampling = {"xray:GetSamplingRules", "xray:GetSamplingTargets"}
    assert anywhere == delivery | groups | {"logs:DescribeLogGroups"} | tracing | sampling


@pytest.mark.parametrize("machine", MACHINES)
def test_only_the_state_machine_itself_may_assume_its_role(graph: Graph, machine: str) -> None:
    (trusted,) = graph.policy("Role", f"order-workflow-{machine}-role", "assumeRolePolicy")
    assert trusted == {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-{machine}"},
        },
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_executions_are_traced_and_all_their_events_are_logged(graph: Graph, machine: str) -> None:
    made = graph.one("StateMachine", f"order-workflow-{machine}")
    group = graph.one("LogGroup", f"order-workflow-{machine}-log")
    assert group.inputs["name"] == f"/aws/vendedlogs/states/orders-dev-order-{machine}"
    assert group.inputs["retentionInDays"] == 14
    assert made.inputs["loggingConfiguration"] == {
        "level": "ALL",
        "includeExecutionData": True,
        "logDestination": f"{group.state['arn']}:*",
    }
    assert made.inputs["tracingConfiguration"] == {"enabled": True}


@pytest.mark.parametrize("machine", MACHINES)
def test_state_machine_is_created_after_the_policy_of_its_role(graph: Graph, machine: str) -> None:
    policy = graph.one("RolePolicy", f"order-workflow-{machine}-policy")
    assert policy.urn in graph.one("StateMachine", f"order-workflow-{machine}").dependencies


def test_notification_topic_is_encrypted_and_refuses_plain_http(graph: Graph) -> None:
    assert graph.one("Topic", "order-notifications").inputs["kmsMasterKeyId"] == "alias/aws/sns"
    (denied,) = graph.policy("TopicPolicy", "order-notifications-policy")
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_update_inventory_may_update_two_tables_and_validate_order_none(graph: Graph) -> None:
    def tables(function: str) -> set[tuple[str, str]]:
        return {
            (action, resource)
            for statement in graph.policy("RolePolicy", f"{function}-policy")
            for action in statement["Action"]
            for resource in statement["Resource"]
            if action.startswith("dynamodb:")
        }

    assert tables("validate-order") == set()
    assert tables("update-inventory") == {
        ("dynamodb:UpdateItem", f"{TABLES}-orders"),
        ("dynamodb:UpdateItem", f"{TABLES}-inventory"),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"context": context(overrides={"validate_order": FunctionOverride(timeout_s=8)})},
            "timeout of validate_order: got 8 s; allowed: at most 7 s, because the state ValidateInput stops waiting",
        ),
        (
            {"context": context(overrides={"update_inventory": FunctionOverride(timeout_s=9)})},
            "timeout of update_inventory: got 9 s; allowed: at most 7 s, because the state UpdateInventory stops",
        ),
        ({"express_timeout_s": 29}, "express timeout: got 29 s; allowed: at most 28 s"),
        ({"express_timeout_s": 24}, "express timeout: got 24 s; allowed: more than 24 s"),
        ({"standard_timeout_s": 10}, "standard timeout: got 10 s; allowed: more than 34 s"),
    ],
)
def test_time_limit_that_conflicts_with_another_time_limit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        record_workflow(**changes)
