"""Tests that run only in a checkout in which every page of docs/how-to was followed.

The module's name doesn't start with `test_`, so pytest doesn't collect the tests. tests/howto/test_howto.py runs them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.graph import Graph


@pytest.fixture
def staging(graph_of: Callable[[str], Graph]) -> Graph:
    """The resource graph of the stack `staging`, which a reader of docs/how-to/stack.md adds."""
    return graph_of("staging")


def test_api_sends_the_new_route_to_the_new_function(staging: Graph) -> None:
    body = json.loads(staging.one("aws:apigateway/restApi:RestApi", "rest-api").inputs["body"])
    integration = body["paths"]["/orders/{order_id}/events"]["get"]["x-amazon-apigateway-integration"]
    assert ":function:orders-staging-order-events-api:live" in integration["uri"]


def test_new_rule_sends_rejected_orders_to_the_new_function(staging: Graph) -> None:
    rule = staging.one("aws:cloudwatch/eventRule:EventRule", "events-order-rejected")
    assert json.loads(rule.inputs["eventPattern"])["detail-type"] == ["OrderRejected"]
    target = staging.one("aws:cloudwatch/eventTarget:EventTarget", "count-rejections-target")
    assert target.inputs["rule"] == rule.inputs["name"]
    assert target.inputs["arn"].endswith(":function:orders-staging-count-rejections:live")


def test_rule_of_all_events_selects_the_new_event(staging: Graph) -> None:
    rule = staging.one("aws:cloudwatch/eventRule:EventRule", "events-order-changed")
    assert "OrderShipped" in json.loads(rule.inputs["eventPattern"])["detail-type"]


@pytest.mark.parametrize("api", ["rest-api", "http-api"])
def test_each_api_has_the_new_alarm(staging: Graph, api: str) -> None:
    names = {made.inputs["name"] for made in staging.of("MetricAlarm")}
    assert f"orders-staging-{api}-very-slow" in names


def test_app_client_uses_the_default_value_of_the_new_setting(staging: Graph) -> None:
    (client,) = staging.of("UserPoolClient")
    assert client.inputs["accessTokenValidity"] == 60
