"""Tests of the OpenAPI documents: they are valid and strict, and API Gateway accepts their schemas as models.

API Gateway's models use JSON Schema draft 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import validate

from components.aws import openapi
from shared.domain import orders, products, users
from tests.contracts.answers import breaches, document

DOCUMENTS = ("rest-api.yaml", "http-api.yaml")
# Schemas of requests must not contain these keywords of OpenAPI 3.0 or of later drafts of JSON Schema. API Gateway's
# models use draft 4, so API Gateway rejects or ignores these keywords.
NOT_DRAFT_4 = {
    "const", "nullable", "discriminator", "oneOf", "examples", "example", "contains", "propertyNames", "if", "then",
    "else", "$id", "$defs", "readOnly", "writeOnly", "deprecated", "unevaluatedProperties",
}  # fmt: skip


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path, object) for every JSON object inside `value`. Each path starts with `path`."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        yield path, fields
        for key, inner in fields.items():
            yield from nodes(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(cast("list[Any]", value)):
            yield from nodes(inner, f"{path}/{position}")


@pytest.fixture(params=DOCUMENTS)
def raw(request: pytest.FixtureRequest) -> dict[str, Any]:
    return openapi.load(request.param)


def schemas(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return raw["components"]["schemas"]


def test_document_is_valid_openapi(raw: dict[str, Any]) -> None:
    validate(raw)


def test_document_has_no_vendor_extensions(raw: dict[str, Any]) -> None:
    keys = [(path, str(key)) for path, node in nodes(raw) if not path.endswith("/headers") for key in node]
    assert [path for path, key in keys if key.startswith("x-")] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "rest-api.yaml",
            {
                "POST /users": "createUser",
                "GET /users/{user_id}": "getUser",
                "POST /orders": "createOrder",
                "GET /orders": "listOrders",
                "GET /orders/{order_id}": "getOrder",
                "POST /orders/{order_id}/cancel": "cancelOrder",
                "POST /process": "processOrder",
            },
        ),
        (
            "http-api.yaml",
            {
                "GET /products": "listProducts",
                "GET /products/{product_id}": "getProduct",
                "PUT /products/{product_id}": "putProduct",
            },
        ),
    ],
)
def test_document_keeps_the_operations_that_clients_use(name: str, expected: dict[str, str]) -> None:
    found = openapi.operations(openapi.load(name))
    operations = {f"{operation.method} {operation.path}": operation.operation_id for operation in found}
    assert operations.items() >= expected.items()


@pytest.mark.parametrize(("name", "scopes"), [("rest-api.yaml", ()), ("http-api.yaml", ("email",))])
def test_every_operation_requires_a_token(name: str, scopes: tuple[str, ...]) -> None:
    for operation in openapi.operations(openapi.load(name)):
        assert operation.scheme
        assert operation.scopes == scopes


def test_schemas_are_json_schema_draft_4(raw: dict[str, Any]) -> None:
    for schema in schemas(openapi.resolve(raw, raw)).values():
        Draft4Validator.check_schema(schema)
        assert all(isinstance(node.get("exclusiveMinimum", False), bool | dict) for _, node in nodes(schema))
    for name, schema in requests(raw):
        for path, node in nodes(schema, name):
            # The keys of `properties` are names of fields. Do not check them, because a field may have the same name as
            # a forbidden keyword.
            assert path.endswith("/properties") or not NOT_DRAFT_4 & set(node), path


def requests(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (operation id, schema) for every request body in the OpenAPI document `raw`."""
    for operation in openapi.operations(raw):
        if operation.request_schema is not None:
            yield operation.operation_id, dict(operation.request_schema)


def test_requests_allow_no_additional_properties(raw: dict[str, Any]) -> None:
    found = [node for _, schema in requests(raw) for _, node in nodes(schema) if node.get("type") == "object"]
    assert found
    assert all(node["additionalProperties"] is False for node in found)


def test_responses_allow_additional_properties(raw: dict[str, Any]) -> None:
    """With `additionalProperties: false`, clients could refuse the fields that a later version adds."""
    for path, node in nodes(openapi.resolve(raw, raw)["paths"]):
        if "/responses/" in path:
            assert "additionalProperties" not in node, path


def test_every_operation_documents_the_common_error_statuses(raw: dict[str, Any]) -> None:
    for path, item in raw["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert {"401", "403", "429", "5XX"} <= set(operation["responses"]), f"{method} {path}"
                body = "requestBody" in operation
                assert not body or {"400", "413", "415"} <= set(operation["responses"]), f"{method} {path}"


def test_error_responses_of_all_operations_have_the_same_schema(raw: dict[str, Any]) -> None:
    """For an HTTP API, the errors that API Gateway itself returns have another body, which cannot be changed."""
    resolved = openapi.resolve(raw, raw)
    error, gateway = (schemas(resolved).get(name) for name in ("ApiError", "GatewayError"))
    for item in resolved["paths"].values():
        for operation in (value for key, value in item.items() if key != "parameters"):
            for status, response in operation["responses"].items():
                schema = response["content"]["application/json"]["schema"]
                for each in schema.get("oneOf", schema.get("anyOf", [schema])) if status[0] in "45" else ():
                    assert each == gateway or each["allOf"][0] == error, status


@pytest.mark.parametrize(
    ("name", "header"), [("rest-api.yaml", "x-amzn-requestid"), ("http-api.yaml", "apigw-requestid")]
)
def test_every_response_documents_its_request_id(name: str, header: str) -> None:
    for item in document(name)["paths"].values():
        for operation in (value for key, value in item.items() if key != "parameters"):
            for status, response in operation["responses"].items():
                assert header in response["headers"], f"{operation['operationId']} {status}"


def test_schemas_that_both_apis_use_are_equal_in_both_openapi_documents() -> None:
    rest, http = (schemas(openapi.load(name)) for name in DOCUMENTS)
    for name in ("ProductId", "Name", "UnitPrice", "Currency", "Cursor"):
        assert rest[name] == http[name]


def test_each_active_currency_matches_the_currency_pattern() -> None:
    http = schemas(openapi.load("http-api.yaml"))
    codes: list[str] = http["ActiveCurrency"]["enum"]
    assert codes == sorted(set(codes))
    assert [code for code in codes if breaches(http["Currency"], code)] == []


def test_length_limit_of_idempotency_keys_is_equal_in_the_openapi_document_and_the_code() -> None:
    parameter = openapi.load("rest-api.yaml")["components"]["parameters"]["IdempotencyKey"]
    assert (parameter["required"], parameter["schema"]["minLength"]) == (False, 1)
    assert parameter["schema"]["maxLength"] == orders.LONGEST_IDEMPOTENCY_KEY


@pytest.mark.parametrize(
    ("name", "schema", "recognized"),
    [
        ("rest-api.yaml", "ProductId", products.is_product_id),
        ("rest-api.yaml", "OrderId", orders.is_order_id),
        ("rest-api.yaml", "UserId", users.is_user_id),
    ],
)
def test_functions_accept_exactly_the_ids_that_match_the_openapi_patterns(
    name: str, schema: str, recognized: Callable[[str], bool]
) -> None:
    contract = schemas(openapi.load(name))[schema]
    valid = {
        "ProductId": ["a", "A1_-", "x" * 64],
        "OrderId": ["00000000-0000-4000-8000-00000000000f"],
        "UserId": ["5a9d3c1e-0000-4000-8000-00000000000a", "x" * 64],
    }[schema]
    for text in [*valid, "", "-", "_a", "x" * 65, "a b", "é", "A" * 36, "00000000-0000-4000-8000-00000000000"]:
        assert recognized(text) == (breaches(contract, text) == []), text


def test_openapi_pattern_of_user_names_accepts_the_same_characters_as_the_functions() -> None:
    """The test checks only the characters up to U+FFFF.

    The pattern excludes no character above U+FFFF, because programming languages write such characters differently in
    regular expressions.
    """
    pattern = re.compile(schemas(openapi.load("rest-api.yaml"))["NewUserName"]["pattern"].removesuffix("$") + r"\Z")
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    assert [each for each in characters if bool(pattern.match(each)) != users.is_name(each)] == []
