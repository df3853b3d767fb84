"""Tests that every stack follows the rules in tests/rules/rules.py, and that each rule detects a violation."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.conftest import STACKS
from tests.rules import rules
from tests.rules.rules import RULES, Rule
from tests.support.graph import Graph, Resource

GraphOf = Callable[[str], Graph]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("stack", STACKS)
def test_stack_follows_the_architecture_rule(rule: Rule, stack: str, graph_of: GraphOf) -> None:
    assert list(rule(graph_of(stack))) == []


def changed(kind: str, change: Callable[[dict[str, Any]], None], name: str = "") -> Callable[[Graph], Graph]:
    """Return a function that makes a graph violate a rule: it applies `change` to one resource of type `kind`."""

    def spoil(graph: Graph) -> Graph:
        spoiled = False
        resources: list[Resource] = []
        for made in graph.resources:
            is_it = made.custom and made in graph.of(kind) and (not name or made.name == name)
            if is_it and not spoiled:
                inputs = copy.deepcopy(dict(made.inputs))
                change(inputs)
                spoiled = inputs != made.inputs
                resources.append(dataclasses.replace(made, inputs=inputs))
            else:
                resources.append(made)
        assert spoiled, f"the graph has no {kind} that the change affects"
        return dataclasses.replace(graph, resources=resources)

    return spoil


def put(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda inputs: inputs.update(values)


def drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda inputs: inputs.pop(key, None)


def policy(change: Callable[[dict[str, Any]], None], key: str = "policy") -> Callable[[dict[str, Any]], None]:
    """Return a function that changes the last statement of a policy document in a resource's inputs."""

    def spoil(inputs: dict[str, Any]) -> None:
        document = json.loads(inputs[key])
        change(document["Statement"][-1])
        inputs[key] = json.dumps(document)

    return spoil


def without(kind: str) -> Callable[[Graph], Graph]:
    return lambda graph: dataclasses.replace(
        graph, resources=[made for made in graph.resources if made.type.rsplit(":", 1)[-1] != kind]
    )


def unqualified(inputs: dict[str, Any]) -> None:
    inputs["arn"] = str(inputs["arn"]).removesuffix(":live")


def unqualified_routes(inputs: dict[str, Any]) -> None:
    inputs["body"] = str(inputs["body"]).replace(":live/invocations", "/invocations")


def express_for_a_minute(inputs: dict[str, Any]) -> None:
    inputs["definition"] = json.dumps({**json.loads(inputs["definition"]), "TimeoutSeconds": 60})
    inputs["type"] = "EXPRESS"


def twice(graph: Graph) -> Graph:
    return dataclasses.replace(graph, resources=[*graph.resources, graph.of("Queue")[0]])


def orphan(graph: Graph) -> Graph:
    stack = f"urn:pulumi:{graph.stack}::orders::pulumi:pulumi:Stack::orders-{graph.stack}"
    made = dataclasses.replace(graph.of("Queue")[0], parent=stack)
    return dataclasses.replace(graph, resources=[*graph.resources, made])


def silent(graph: Graph) -> Graph:
    return dataclasses.replace(graph, components_with_outputs=set[str]())


BREAKS: Mapping[Rule, list[Callable[[Graph], Graph]]] = {
    rules.each_function_has_its_own_role: [
        # This change gives the function orders-api the role of users-api. The argument "orders-api" is necessary,
        # because the change affects the first function of the graph by default. This could be users-api, because Pulumi
        # registers resources in any order.
        changed(
            "Function",
            lambda inputs: inputs.update(role="arn:aws:iam::123456789012:role/orders-dev-users-api"),
            "orders-api",
        ),
    ],
    rules.each_function_logs_to_its_own_group: [
        changed("Function", drop("loggingConfig")),
    ],
    rules.no_function_may_make_log_groups: [
        changed("RolePolicy", policy(lambda s: s.update(Action=["logs:CreateLogGroup"])), "users-api-policy"),
    ],
    rules.each_function_is_versioned_and_named_to_its_logs: [
        changed("Function", put(runtime="python3.11")),
        changed("Function", put(publish=False)),
        changed("Function", put(layers=[])),
        changed("Function", put(environment={"variables": {}})),
    ],
    rules.each_function_is_called_by_its_alias: [
        changed("EventTarget", unqualified),
        changed("RestApi", unqualified_routes, "rest-api"),
        changed("Api", unqualified_routes, "http-api"),
        changed("Permission", drop("qualifier")),
    ],
    rules.every_target_may_invoke_its_function: [without("Permission")],
    rules.every_asynchronous_hop_has_its_failure_destination: [
        changed("FunctionEventInvokeConfig", drop("destinationConfig")),
        changed("FunctionEventInvokeConfig", put(maximumRetryAttempts=1)),
        changed("FunctionEventInvokeConfig", put(maximumEventAgeInSeconds=300)),
        changed("FunctionEventInvokeConfig", put(maximumEventAgeInSeconds=21_600)),
        changed("EventSourceMapping", put(maximumRetryAttempts=10), "publish-order-events-stream"),
        changed("EventSourceMapping", put(maximumRecordAgeInSeconds=21_600), "publish-order-events-stream"),
        changed("EventTarget", drop("deadLetterConfig")),
        changed("EventTarget", drop("retryPolicy")),
        changed("EventSourceMapping", drop("functionResponseTypes")),
        without("Queue"),
    ],
    rules.timeouts_are_below_the_callers: [
        changed("Function", put(timeout=30), "orders-api"),
        changed("Function", put(timeout=30), "update-inventory"),
        changed("StateMachine", express_for_a_minute),
        changed("Function", put(timeout=900), "record-analytics"),
    ],
    rules.trust_is_limited_where_the_service_sends_its_source: [
        changed(
            "Role",
            policy(lambda s: s.update(Principal={"Service": "states.amazonaws.com"}, Condition={}), "assumeRolePolicy"),
        ),
    ],
    rules.resource_policies_let_one_source_in: [
        changed(
            "QueuePolicy",
            policy(lambda s: s.update(Effect="Allow", Principal={"Service": "events.amazonaws.com"}, Condition={})),
        ),
    ],
    rules.everything_taggable_is_tagged: [changed("Table", drop("tags")), changed("Role", drop("tags"))],
    rules.physical_names_are_unique_and_within_limits: [twice, changed("Function", put(name="f" * 65))],
    rules.every_component_registers_its_outputs: [silent],
    rules.every_resource_belongs_to_a_component: [orphan],
    rules.every_function_folder_is_declared_once: [
        without("Function"),
        changed("Function", put(handler="orders_api.handler.lambda_handler"), "users-api"),
    ],
}


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [pytest.param(rule, spoil, id=f"{rule.__name__}-{n}") for rule in BREAKS for n, spoil in enumerate(BREAKS[rule])],
)
def test_rule_detects_a_violation(rule: Rule, spoil: Callable[[Graph], Graph], graph_of: GraphOf) -> None:
    assert list(rule(spoil(graph_of("dev"))))


def test_every_rule_is_tested_with_a_violation() -> None:
    assert set(BREAKS) == set(RULES)
