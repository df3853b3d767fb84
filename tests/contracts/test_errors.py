"""Tests that the APIs and the workflow use the names and HTTP statuses of the error classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.aws.openapi import CONTRACTS
from contracts.orders import HTTP_STATUS
from shared.errors import ConsumerError, OrdersError
from tests.contracts.answers import codes_of, document
from tests.contracts.test_openapi import DOCUMENTS, nodes

WORKFLOW = CONTRACTS.parent / "workflows" / "order.asl.json"
# The errors that only the workflow uses. No function raises them, and no client receives them.
OF_THE_WORKFLOW = {"ProcessingFailed", "NotRecorded", "Undecided"}


def kinds(root: type[OrdersError] = OrdersError) -> Iterator[type[OrdersError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_request_error_has_an_http_status() -> None:
    raised = {kind.__name__ for kind in kinds() if not issubclass(kind, ConsumerError)}
    # Functions raise every error that has an HTTP status, except the two errors that only API Gateway returns.
    assert set(HTTP_STATUS) == raised | {"ServiceUnavailable", "Timeout"}


def error_responses(name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (operation id, status, response) for every error response that the document `name` describes."""
    for item in document(name)["paths"].values():
        for key, operation in item.items():
            for status, response in operation["responses"].items() if key != "parameters" else ():
                if status[0] in "45":
                    yield operation["operationId"], status, response


def test_error_names_are_unique() -> None:
    names = [kind.__name__ for kind in kinds()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documented_error_codes_are_names_of_error_classes(name: str) -> None:
    codes = set(document(name)["components"]["schemas"]["ApiError"]["properties"]["code"]["enum"])
    assert codes <= set(HTTP_STATUS)


def test_rest_document_lists_every_client_error_code() -> None:
    codes = set(document("rest-api.yaml")["components"]["schemas"]["ApiError"]["properties"]["code"]["enum"])
    # The document must list each code with a status below 500. It need not list the other codes, because the functions
    # return the code InternalError instead of them.
    assert {code for code, status in HTTP_STATUS.items() if status < 500} <= codes


@pytest.mark.parametrize("name", DOCUMENTS)
def test_error_codes_of_each_response_match_its_status_and_description(name: str) -> None:
    for operation, status, response in error_responses(name):
        codes = codes_of(response["content"]["application/json"]["schema"])
        described = [code for code in HTTP_STATUS if f"`{code}`" in response["description"]]
        assert sorted(codes) == sorted(described), f"{operation} {status}"
        statuses = {"5XX" if status == "5XX" else str(HTTP_STATUS[code]) for code in codes}
        assert statuses <= {status}, f"{operation} {status}"


def test_workflow_uses_existing_error_names() -> None:
    workflow: Any = json.loads(WORKFLOW.read_text())
    caught = {name for _, node in nodes(workflow) for name in node.get("ErrorEquals", [])}
    failed = {node["Error"] for _, node in nodes(workflow) if node.get("Type") == "Fail"}
    own = {name for name in caught | failed if "." not in name} - OF_THE_WORKFLOW
    assert own <= {kind.__name__ for kind in kinds()}
    assert {"ValidationError", "OutOfStock", "ProductNotFound", "StockContention"} <= own
