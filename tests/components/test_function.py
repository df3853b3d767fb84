"""Tests of the Lambda functions' code, roles, aliases and sizes in the deployed program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from components.functions import archives
from components.functions.function import FunctionOverride
from tests.components.order_programs import context, record_event_bus
from tests.support.graph import Graph, stack_config

GraphOf = Callable[[str], Graph]
REPORTING = {"process-order"}
WITH_DEAD_LETTER_QUEUE = {"process-order"}
NAMES = sorted(path.parent.name.replace("_", "-") for path in archives.FUNCTIONS.glob("*/handler.py"))


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
def test_every_role_may_write_logs_and_traces_and_process_order_may_also_report_results(
    name: str, graph_of: GraphOf
) -> None:
    graph = graph_of("prod")
    log, traces, *own = graph.policy("RolePolicy", f"{name}-policy")
    group = graph.one("LogGroup", f"{name}-log").state["arn"]
    assert log["Resource"] == [f"{group}:log-stream:*"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert traces["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    reports = [statement for statement in own if statement["Action"] in (["sqs:SendMessage"], ["sns:Publish"])]
    if name in REPORTING:
        failures, successes = reports
        queues = ([f"{name}-dlq"] if name in WITH_DEAD_LETTER_QUEUE else []) + [f"{name}-failures"]
        assert failures["Resource"] == [graph.one("Queue", queue).state["arn"] for queue in queues]
        assert successes["Action"] == ["sns:Publish"]
    else:
        assert f"{name}-dlq" not in {queue.name for queue in graph.of("Queue")}
        assert not graph.one("aws:lambda/function:Function", name).inputs.get("deadLetterConfig")


def test_only_process_order_has_a_dead_letter_queue_for_failed_events(graph_of: GraphOf) -> None:
    graph = graph_of("prod")
    functions = [made for made in graph.of("aws:lambda/function:Function") if made.custom]
    with_queue = {made.name for made in functions if made.inputs.get("deadLetterConfig")}
    assert with_queue == WITH_DEAD_LETTER_QUEUE
    assert {queue.name for queue in graph.of("Queue") if queue.name.endswith("-dlq")} == {
        *(f"{name}-dlq" for name in WITH_DEAD_LETTER_QUEUE),
        "analytics-dlq",
    }


@pytest.mark.parametrize("name", NAMES)
def test_function_is_created_after_the_policy_of_its_role(name: str, graph_of: GraphOf) -> None:
    """Lambda refuses to create a function if the role may not send messages to the function's dead-letter queue."""
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
    wanted = json.loads(stack_config("prod")["orders:functions"])["provisionedConcurrency"]
    assert wanted
    assert {name: made["provisionedConcurrentExecutions"] for name, made in provisioned.items()} == {
        f"orders-prod-{name.replace('_', '-')}": number for name, number in wanted.items()
    }
    assert {made["qualifier"] for made in provisioned.values()} == {"live"}
    assert graph_of("dev").of("ProvisionedConcurrencyConfig") == []


def test_stack_overrides_limits_of_single_functions() -> None:
    overrides = {"send_email": FunctionOverride(timeout_s=45), "process_order": FunctionOverride(memory_mb=512)}
    plain, changed = (
        {
            made.name: (made.inputs["timeout"], made.inputs["memorySize"])
            for made in graph.of("aws:lambda/function:Function")
            if made.custom
        }
        for graph in (record_event_bus(), record_event_bus(context=context(overrides=overrides)))
    )
    assert {name: limits for name, limits in changed.items() if limits != plain[name]} == {
        "send-email": (45, plain["send-email"][1]),
        "process-order": (plain["process-order"][0], 512),
    }


def test_function_gets_its_log_level_and_metrics_namespace_as_environment_variables(graph_of: GraphOf) -> None:
    graph = graph_of("dev")
    inputs = graph.one("aws:lambda/function:Function", "validate-order").inputs
    assert inputs["environment"]["variables"]["LOG_LEVEL"] == "DEBUG"
    assert inputs["environment"]["variables"]["POWERTOOLS_METRICS_NAMESPACE"] == "orders-dev"


def test_environment_variables_contain_no_secret(graph_of: GraphOf) -> None:
    for made in graph_of("prod").of("aws:lambda/function:Function"):
        text = json.dumps(made.inputs["environment"]).lower()
        assert not any(word in text for word in ("secret", "password", "token"))
