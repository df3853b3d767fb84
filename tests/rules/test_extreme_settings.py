"""Tests that invalid settings are refused before the first resource is created, and not later by a component."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import settings
from components.functions.function import TimeLimitError
from tests.support.graph import Graph, record, stack_config

STACK = "dev"
REFUSED = re.compile(r"orders:(\S+): got \d+; allowed: at most (\d+);")
SCHEMA: dict[str, Any] = settings.Settings.model_json_schema(by_alias=True)


def numbers(value: Any, schema: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path in the settings, schema) for each number in `value` that has a minimum and a maximum."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "maximum" in schema:
        yield place, schema
    elif schema.get("type") == "object":
        for key, inner in value.items():
            known = schema.get("properties", {}).get(key) or schema["additionalProperties"]
            yield from numbers(inner, known, (*place, key))


def put(areas: dict[str, Any], place: tuple[str, ...], value: int) -> None:
    """Set the setting at the path `place` to `value`."""
    *parents, last = place
    for key in parents:
        areas = areas[key]
    areas[last] = value


@pytest.mark.parametrize("extreme", ["minimum", "maximum"])
def test_program_accepts_the_extreme_values_that_the_settings_accept(extreme: str) -> None:
    texts = stack_config(STACK)
    areas = {area: json.loads(texts[f"orders:{area}"]) for area in settings.AREAS}
    found = [pair for area in areas for pair in numbers(areas[area], SCHEMA["properties"][area], (area,))]
    assert len(found) >= 5
    for place, schema in found:
        put(areas, place, schema[extreme])

    def config() -> dict[str, str]:
        return {**texts, **{f"orders:{area}": json.dumps(value) for area, value in areas.items()}}

    # The maximum of some settings depends on another setting, and can be lower than the maximum in the schema.
    # settings.check then refuses the value, and the test replaces it with the maximum in the error message.
    try:
        settings.check("orders", STACK, config())
    except settings.SettingsError as error:
        for name, allowed in REFUSED.findall(str(error)):
            put(areas, tuple(name.split(".")), int(allowed))
    settings.check("orders", STACK, config())
    assert record(STACK, config=config(), build_archives=False).resources


@pytest.mark.parametrize("function", ["orders_api", "update_inventory"])
def test_timeout_above_the_limit_of_the_caller_creates_no_resource(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = stack_config(STACK)
    override = {"overrides": {function: {"timeoutSeconds": 61}}}
    config["orders:functions"] = json.dumps({**json.loads(config["orders:functions"]), **override})
    graphs: list[Graph] = []

    def graph_of(stack: str) -> Graph:
        graphs.append(Graph(stack))
        return graphs[-1]

    monkeypatch.setattr("engine.graph.Graph", graph_of)
    with pytest.raises(TimeLimitError, match=f"timeout of {function}: got 61 s; allowed: at most"):
        record(STACK, config=config, build_archives=False)
    assert [resource.name for graph in graphs for resource in graph.resources if resource.custom] == []
