"""Tests of the stack outputs `frontend` and `ops`, which frontend teams and operators use."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import jsonschema
import pytest

from tests.conftest import STACKS
from tests.support.graph import ROOT, Graph

GraphOf = Callable[[str], Graph]
SCHEMA = json.loads((ROOT / "contracts" / "frontend-outputs.schema.json").read_text())


def validate(frontend: Any) -> None:
    cast("Any", jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker())).validate(frontend)


@pytest.mark.parametrize("stack", STACKS)
def test_frontend_output_follows_the_contract(stack: str, graph_of: GraphOf) -> None:
    frontend = graph_of(stack).outputs["frontend"]
    validate(frontend)
    assert frontend["contractVersion"] == "1"
    assert frontend["stage"] == stack
    assert frontend["restApi"]["tokenUse"] == "id"
    assert frontend["httpApi"]["tokenUse"] == "access"
    assert frontend["httpApi"]["scopes"] == ["email"]
    assert frontend["auth"]["redirectUris"]
    assert frontend["auth"]["discoveryUrl"].startswith(frontend["auth"]["issuer"])
    assert frontend["auth"]["logoutUrl"].startswith(frontend["auth"]["hostedUiUrl"])


@pytest.mark.parametrize("stack", STACKS)
def test_api_urls_do_not_end_with_a_slash(stack: str, graph_of: GraphOf) -> None:
    frontend = graph_of(stack).outputs["frontend"]
    assert frontend["restApi"]["url"].endswith(f".amazonaws.com/{stack}")
    assert frontend["httpApi"]["url"].endswith(".amazonaws.com")


@pytest.mark.parametrize("stack", STACKS)
def test_frontend_output_contains_no_arn_and_no_table_name(stack: str, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    text = json.dumps(graph.outputs["frontend"])
    assert "arn:" not in text
    for table in graph.of("Table"):
        assert table.inputs["name"] not in text


@pytest.mark.parametrize("key", ["restApi", "auth", "stage"])
def test_missing_frontend_field_violates_the_contract(key: str, graph_of: GraphOf) -> None:
    frontend = {name: value for name, value in graph_of("dev").outputs["frontend"].items() if name != key}
    with pytest.raises(jsonschema.ValidationError):
        validate(frontend)


@pytest.mark.parametrize("stack", STACKS)
def test_ops_output_lists_the_failure_queues_of_every_kind(stack: str, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    told = {entry["url"] for entry in graph.outputs["ops"]["failureQueues"].values()}
    work = {"analytics", "email"}
    assert told == {queue.state["url"] for queue in graph.of("Queue") if queue.name not in work}
    kinds = {entry["kind"] for entry in graph.outputs["ops"]["failureQueues"].values()}
    assert kinds == {"delivery", "invocation", "dead-letter", "stream", "queue"}


@pytest.mark.parametrize("stack", STACKS)
def test_ops_output_lists_every_function_and_log_group(stack: str, graph_of: GraphOf) -> None:
    graph = graph_of(stack)
    ops = graph.outputs["ops"]
    assert set(ops["functions"].values()) == {made.state["arn"] for made in graph.of("aws:lambda/alias:Alias")}
    assert all(arn.endswith(":live") for arn in ops["functions"].values())
    aws_names_it = {"rest-api-execution-log", "rest-api-waf-log"}
    groups = {group.inputs["name"] for group in graph.of("LogGroup") if group.name not in aws_names_it}
    assert set(ops["logGroups"].values()) == groups
