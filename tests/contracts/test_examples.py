"""Tests of the examples in the OpenAPI documents: they match their schemas, and cover every status and error code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.aws import openapi
from contracts.orders import TRANSITIONS
from tests.contracts.answers import breaches, closed
from tests.contracts.test_openapi import DOCUMENTS, nodes


def examples(name: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield (place, schema, value) for every example of a request or response in the OpenAPI document `name`."""
    raw = openapi.load(name)
    for path, node in nodes(raw):
        if path.endswith("/application/json"):
            schema = closed(openapi.resolve(raw, node["schema"]))
            for key, reference in node["examples"].items():
                yield f"{path}/{key}", schema, raw["components"]["examples"][reference["$ref"].split("/")[-1]]["value"]
    for key, schema in raw["components"]["schemas"].items():
        if "example" in schema:
            yield key, closed(openapi.resolve(raw, schema)), schema["example"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_example_matches_its_schema(name: str) -> None:
    found = list(examples(name))
    assert len(found) > len(openapi.load(name)["components"]["responses"])
    assert [f"{place}: {fault}" for place, schema, value in found for fault in breaches(schema, value)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_error_code_has_an_example(name: str) -> None:
    codes = openapi.load(name)["components"]["schemas"]["ApiError"]["properties"]["code"]["enum"]
    assert {value["code"] for _, _, value in examples(name) if "code" in value} == set(codes)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_response_with_several_schemas_has_an_example_of_each(name: str) -> None:
    for path, node in nodes(openapi.load(name)["components"]["responses"]):
        schema = node.get("schema", {})
        several = schema.get("oneOf", schema.get("anyOf", []))
        assert len(node.get("examples", several)) == max(1, len(several)) or not node.get("schema"), path


def test_get_order_operation_has_an_example_of_each_status() -> None:
    shown = [
        value["status"]
        for place, _, value in examples("rest-api.yaml")
        if "{order_id}/get" in place and "status" in value
    ]
    assert sorted(shown) == sorted(TRANSITIONS)
