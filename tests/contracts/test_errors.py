"""One tree of errors, one table of statuses; their names are those of the APIs and of the workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.aws.openapi import CONTRACTS
from shared.errors import HTTP_STATUS, ConsumerError, OrdersError
from tests.contracts.answers import document
from tests.contracts.test_openapi import DOCUMENTS, nodes

WORKFLOW = CONTRACTS.parent / "workflows" / "order.asl.json"
# Names of the workflow's own: no function raises them, and no client sees them.
OF_THE_WORKFLOW = {"ProcessingFailed", "NotRecorded"}


def kinds(root: type[OrdersError] = OrdersError) -> Iterator[type[OrdersError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_error_that_can_answer_a_request_is_in_the_table() -> None:
    assert set(HTTP_STATUS) == {kind for kind in kinds() if not issubclass(kind, ConsumerError)}


def test_a_name_stands_for_one_error() -> None:
    names = [kind.__name__ for kind in kinds()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_codes_of_a_document_are_names_of_errors(name: str) -> None:
    codes = set(document(name)["components"]["schemas"]["Error"]["properties"]["code"]["enum"])
    assert codes - {kind.__name__ for kind in HTTP_STATUS} <= {"Timeout"}  # the gateway's own


def test_every_error_that_answers_a_request_is_a_code_of_the_rest_document() -> None:
    codes = set(document("rest-api.yaml")["components"]["schemas"]["Error"]["properties"]["code"]["enum"])
    # Those of 5xx are all answered as InternalError.
    assert {kind.__name__ for kind, status in HTTP_STATUS.items() if status < 500} <= codes


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_code_that_a_description_names_is_documented_under_its_status(name: str) -> None:
    by_name = {kind.__name__: status for kind, status in HTTP_STATUS.items()}
    wrong = [
        f"{operation['operationId']} {status} {code}"
        for item in document(name)["paths"].values()
        for key, operation in item.items()
        if key != "parameters"
        for status, response in operation["responses"].items()
        for code, expected in by_name.items()
        if f"`{code}`" in response["description"] and str(expected) != status and status != "5XX"
    ]
    assert wrong == []


def test_the_workflow_catches_and_fails_with_names_of_errors() -> None:
    workflow: Any = json.loads(WORKFLOW.read_text())
    caught = {name for _, node in nodes(workflow) for name in node.get("ErrorEquals", [])}
    failed = {node["Error"] for _, node in nodes(workflow) if node.get("Type") == "Fail"}
    own = {name for name in caught | failed if "." not in name} - OF_THE_WORKFLOW
    assert own <= {kind.__name__ for kind in kinds()}
    assert {"ValidationError", "OutOfStock", "ProductNotFound", "StockContention"} <= own
