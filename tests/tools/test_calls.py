"""Tests the AWS calls and DynamoDB request units of each operation, for small and large amounts of data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from components.aws import openapi
from shared.catalog_store import CatalogStore
from shared.domain.products import Product
from tools.cost import cases
from tools.cost.calls import cloud, count
from tools.cost.capacity import Access, Units, size_of, units
from tools.cost.cases import CASES, named, shown
from tools.cost.operations import Case, Cloud

PROJECTIONS = {"orders": {"by-user": "ALL", "late": "SPARSE"}, "inventory": {"catalog": "KEYS_ONLY"}}


@pytest.fixture(scope="module")
def platform() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=named)
def test_operation_makes_the_expected_aws_calls_and_uses_the_expected_request_units(
    case: Case, platform: Cloud
) -> None:
    assert count(case, platform) == (case.calls, case.reads, case.writes)


def test_separate_read_per_product_is_detected(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_by_one(store: CatalogStore, ids: Iterable[str]) -> list[Product]:
        return [product for product_id in ids if (product := store.get(product_id))]

    monkeypatch.setattr(CatalogStore, "read", one_by_one)
    case = next(case for case in CASES if case.size == "100 products")
    assert count(case, platform)[0] == "Query catalog, 100 x GetItem inventory"


def test_table_of_calls_has_each_operation_of_the_apis() -> None:
    _, lines = shown()
    for document in ("rest-api.yaml", "http-api.yaml"):
        for operation in openapi.operations(openapi.load(document)):
            route = f"{operation.method} {operation.path}"
            # API Gateway starts the workflow of POST /process without a Lambda function, so the table lists the
            # workflow instead of this route.
            assert route == "POST /process" or any(route in line[0] for line in lines), route


def test_operation_without_a_case_is_listed_as_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "CASES", [case for case in CASES if "GET /users/{user_id}" not in case.operation])
    assert ("GET /users/{user_id}", "-", "not measured", "-", "-") in shown()[1]


@pytest.mark.parametrize(
    ("access", "consumed"),
    [
        (Access("get", "orders", 1, is_consistent=True), Units(reads=1)),
        (Access("get", "orders", 4096), Units(reads=0.5)),
        (Access("get", "orders", 4097, is_consistent=True), Units(reads=2)),
        (Access("get", "orders", 0), Units(reads=0.5)),
        (Access("query", "orders", 8193), Units(reads=1.5)),
        (Access("put", "users", 1024), Units(writes=1)),
        (Access("put", "users", 1025), Units(writes=2)),
        (Access("put", "orders", 1025), Units(writes=4)),
        (Access("put", "inventory", 1025), Units(writes=3)),
        (Access("update", "orders", 10), Units(writes=2)),
        (Access("update", "inventory", 10), Units(writes=1)),
        (Access("update", "inventory", 10, is_transactional=True), Units(writes=2)),
        (Access("update", "orders", 1025, is_transactional=True), Units(writes=6)),
    ],
)
def test_request_units_follow_the_rules_of_dynamodb(access: Access, consumed: Units) -> None:
    assert units(access, PROJECTIONS) == consumed


def test_row_size_is_the_size_of_its_attribute_names_and_values() -> None:
    row = {"id": {"S": "äb"}, "n": {"N": "-1234"}, "b": {"BOOL": True}, "l": {"L": [{"M": {"k": {"S": "v"}}}]}}
    assert size_of(row) == (2 + 3) + (1 + 3) + (1 + 1) + (1 + 3 + 1 + (3 + 1 + 1 + 1))
