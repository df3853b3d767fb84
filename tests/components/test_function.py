"""The Lambda functions' code, roles, aliases and sizes in the deployed program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import FUNCTION_NAMES
from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]
ASYNCHRONOUS = {"process-order", "fail-order", "send-email"}
NAMES = [name.replace("_", "-") for name in FUNCTION_NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_each_function_runs_its_own_archive_on_arm64_with_both_layers(name: str, graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    inputs = graph.one("aws:lambda/function:Function", name).inputs
    source = name.replace("-", "_")
    assert inputs["handler"] == f"{source}.handler.lambda_handler"
    assert Path(inputs["code"].path).name.startswith(f"{name}-")
    assert inputs["architectures"] == ["arm64"]
    layers = [graph.one("LayerVersion", f"layers-{role}").state["arn"] for role in ("powertools", "common")]
    assert inputs["layers"] == layers


@pytest.mark.parametrize("name", NAMES)
def test_each_role_starts_with_permissions_to_log_trace_and_report_failures(name: str, graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    log, traces, *own = graph.policy("RolePolicy", f"{name}-policy")
    group = graph.one("LogGroup", f"{name}-log").state["arn"]
    assert log["Resource"] == [f"{group}:log-stream:*"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert traces["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    reports = [statement for statement in own if statement["Action"] in (["sqs:SendMessage"], ["sns:Publish"])]
    if name in ASYNCHRONOUS:
        failures, successes = reports
        queues = (f"{name}-dlq", f"{name}-failures")
        assert failures["Resource"] == [graph.one("Queue", queue).state["arn"] for queue in queues]
        assert successes["Action"] == ["sns:Publish"]
    else:
        dead_letter_queues = {queue.name for queue in graph.of("Queue")} & {f"{name}-dlq", f"{name}-failures"}
        assert not dead_letter_queues


@pytest.mark.parametrize("name", NAMES)
def test_function_is_created_after_its_policy(name: str, graph_of: GraphOf) -> None:
    """Lambda checks at creation that the role may send to the dead-letter queue."""
    graph = graph_of("prod")
    policy = graph.one("RolePolicy", f"{name}-policy").urn
    assert policy in graph.one("aws:lambda/function:Function", name).dependencies


@pytest.mark.parametrize("name", NAMES)
def test_alias_points_to_the_published_version(name: str, graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    alias = graph.one("aws:lambda/alias:Alias", f"{name}-live").inputs
    assert alias["name"] == "live"
    assert alias["functionVersion"] == graph.one("aws:lambda/function:Function", name).state["version"]


def test_alias_has_provisioned_concurrency_if_a_setting_requests_it(graph_of: GraphOf) -> None:
    provisioned = {
        made.inputs["functionName"]: made.inputs for made in graph_of("prod").of("ProvisionedConcurrencyConfig")
    }
    wanted = {"users-api", "orders-api", "catalog-api", "validate-order", "update-inventory"}
    assert set(provisioned) == {f"orders-prod-{name}" for name in wanted}
    assert {made["qualifier"] for made in provisioned.values()} == {"live"}
    assert graph_of("dev").of("ProvisionedConcurrencyConfig") == []


def test_function_size_and_log_level_come_from_the_settings(graph_of: GraphOf) -> None:
    graph = graph_of("dev")
    inputs = graph.one("aws:lambda/function:Function", "validate-order").inputs
    assert (inputs["timeout"], inputs["memorySize"]) == (3, 256)
    assert inputs["environment"]["variables"]["LOG_LEVEL"] == "DEBUG"
    assert inputs["environment"]["variables"]["POWERTOOLS_METRICS_NAMESPACE"] == "orders-dev"


def test_environment_variables_contain_no_secret(graph_of: GraphOf) -> None:
    for made in graph_of("prod").of("aws:lambda/function:Function"):
        text = json.dumps(made.inputs["environment"]).lower()
        assert not any(word in text for word in ("secret", "password", "token"))
