"""There is one adapter for each resource type of the stacks, and no other adapter."""

from __future__ import annotations

from collections.abc import Callable

from local import adapters
from tests.conftest import STACKS
from tests.support.graph import Graph, record, stack_config

# The stack files leave the email address for alarms empty, because the owner of a stack sets it. Only a stack with an
# address has an alarm subscription, so the test below sets an address.
ADDRESS = '"alarmEmail": "operators@example.com"'


def test_each_adapter_serves_a_resource_type_of_a_stack(graph_of: Callable[[str], Graph]) -> None:
    config = {key: value.replace('"alarmEmail": ""', ADDRESS) for key, value in stack_config("local").items()}
    with_address = record("local", config=config, build_archives=False)
    assert with_address.of("TopicSubscription")
    graphs = [with_address, *(graph_of(stack) for stack in STACKS)]
    types = {made.type for graph in graphs for made in graph.resources if made.custom}
    # The emulator does not run CloudFront, so the local stack has no site.
    cloudfront = {each for each in types if each.startswith("aws:cloudfront/")}
    assert types - cloudfront == set(adapters.ADAPTERS)
    assert not with_address.of("Distribution")
