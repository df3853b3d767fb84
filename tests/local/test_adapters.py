"""Tests that each resource type of the stacks has one adapter, and that there are no other adapters.

An adapter is the code that deploys resources of one type to the emulator.
"""

from __future__ import annotations

from collections.abc import Callable

from local import adapters
from tests.conftest import STACKS
from tests.support.graph import Graph, record, stack_config

# A stack has an SNS subscription for alarms only if an email address is set. The stack files leave this address empty,
# so the test below sets one.
ADDRESS = '"alarmEmail": "operators@example.com"'


def test_adapters_match_the_resource_types_of_the_stacks(graph_of: Callable[[str], Graph]) -> None:
    config = {key: value.replace('"alarmEmail": ""', ADDRESS) for key, value in stack_config("local").items()}
    with_address = record("local", config=config, build_archives=False)
    assert with_address.of("TopicSubscription")
    graphs = [with_address, *(graph_of(stack) for stack in STACKS)]
    types = {made.type for graph in graphs for made in graph.resources if made.custom}
    # The emulator does not support CloudFront. The local stack therefore has no site, and CloudFront needs no adapters.
    cloudfront = {each for each in types if each.startswith("aws:cloudfront/")}
    assert types - cloudfront == set(adapters.ADAPTERS)
    assert not with_address.of("Distribution")
