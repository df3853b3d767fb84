"""Tests of a stack's first `pulumi preview`. No resource exists yet, so every computed output is unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import STACKS
from tests.support.graph import Graph

GraphOf = Callable[[str], Graph]


@pytest.mark.parametrize("stack", STACKS)
def test_first_preview_lists_every_resource(stack: str, graph_of: GraphOf, preview_of: GraphOf) -> None:
    """A resource created inside `apply` would be missing from the first preview."""
    assert {made.urn for made in preview_of(stack).resources} == {made.urn for made in graph_of(stack).resources}


@pytest.mark.parametrize("stack", STACKS)
def test_first_preview_shows_physical_resource_names(stack: str, preview_of: GraphOf) -> None:
    # AWS determines how the names of these two log groups begin, so they cannot begin with the project and the stack.
    # The name of API Gateway's execution log group contains the API's id, and the name of the firewall's log group must
    # start with aws-waf-logs-.
    named_by_aws = {"rest-api-execution-log", "rest-api-waf-log"}
    for kind in ("Table", "Queue", "Role", "LogGroup", "StateMachine"):
        for made in preview_of(stack).of(kind):
            if made.name not in named_by_aws:
                shown = made.inputs.get("name") or made.inputs["namePrefix"]
                assert shown.split("/")[-1].startswith(f"orders-{stack}-"), made.name


@pytest.mark.parametrize("stack", STACKS)
def test_stacks_differ_only_in_resources_that_a_setting_enables(stack: str, graph_of: GraphOf) -> None:
    # Only these resources may exist in some stacks and be missing in others: a firewall, provisioned concurrency, API
    # Gateway's account settings with their log role, alarm subscriptions, the SES identity of the sender, and the site.
    optional = {
        *("WebAcl", "WebAclAssociation", "WebAclLoggingConfiguration", "ProvisionedConcurrencyConfig"),
        *("Account", "TopicSubscription", "EmailIdentity"),
    }

    def shape(graph: Graph) -> set[tuple[str, str]]:
        kinds = {(made.type.rsplit(":", 1)[-1], made.name) for made in graph.resources}
        return {
            (kind, name)
            for kind, name in kinds
            if kind not in optional and "waf" not in name and name.split("-")[0] != "site"
        }

    log_role = {("Role", "rest-api-log-role"), ("RolePolicy", "rest-api-log-policy")}
    base = shape(graph_of("dev"))
    assert {item for item in shape(graph_of(stack)) ^ base if "account" not in item[1]} - log_role == set()
