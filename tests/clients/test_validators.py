"""Tests that the TypeScript client's validators accept the same bodies as API Gateway and the Lambda functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from components.functions import generated_code
from shared import contracts
from shared.domain import orders
from shared.errors import ValidationError
from tests.clients.package import results
from tests.contracts.answers import breaches

LINE: Final[dict[str, Any]] = {"product_id": "teapot", "quantity": 1}
USER: Final[dict[str, Any]] = {"name": "Ada", "email": "ada@example.com"}
PRODUCT: Final[dict[str, Any]] = {"name": "Teapot", "unit_price": 4800, "currency": "JPY", "quantity": 12}
LARGEST_TOTAL: Final = 25 * 1000 * 1_000_000_000
"""The total of the largest order of the most expensive product."""
NOT_OBJECTS: Final[tuple[Any, ...]] = (None, True, 1, "text", [], {})
"""Values that no operation accepts as a body."""
VALID: Final[dict[str, tuple[tuple[str, Any], ...]]] = {
    "putProduct": (
        ("name", "N" * 200), ("name", "\U0001f375" * 200), ("unit_price", 0), ("unit_price", 1_000_000_000),
        ("quantity", 0), ("quantity", 1_000_000), ("currency", "XCG"), ("currency", "KWD"),
    ),
    "createUser": (
        ("name", "J.R. Tolkien"), ("name", "山田太郎"), ("name", "\U0001f375"), ("name", "N" * 200),
        ("email", "a.b+c@mail.example.co"), ("email", "a" * 64 + "@example.com"),
    ),
}  # fmt: skip
WRONG: Final[dict[str, tuple[tuple[str, Any], ...]]] = {
    "putProduct": (
        ("name", ""), ("name", "N" * 201), ("name", "\U0001f375" * 201), ("name", 5), ("name", None),
        ("unit_price", -1), ("unit_price", 1_000_000_001), ("unit_price", 1.5), ("unit_price", "5"),
        ("unit_price", True), ("quantity", -1), ("quantity", 1_000_001), ("currency", "jpy"), ("currency", "XAU"),
        ("currency", ""), ("product_id", "teapot"), ("__proto__", {}), ("constructor", 1),
    ),
    "createUser": (
        ("name", ""), ("name", "a@b"), ("name", "tel:1"), ("name", "a\\b"), ("name", "a\nb"), ("name", "a\u200bb"),
        ("name", "a\u202eb"), ("name", "a\n"), ("name", 1), ("email", "ada"), ("email", "ada@example"),
        ("email", "a..b@example.com"), ("email", ".a@example.com"), ("email", "a.@example.com"),
        ("email", "a@-example.com"), ("email", "a b@example.com"), ("email", "a@exämple.com"),
        ("email", "ada@example.com\n"), ("email", "a" * 65 + "@example.com"), ("email", None), ("role", "admin"),
    ),
}  # fmt: skip
ORDERS_VALID: Final[tuple[Any, ...]] = (
    [LINE],
    [{"product_id": f"p{number}", "quantity": 1000} for number in range(25)],
    [{"product_id": "a" * 64, "quantity": 1}],
)
ORDERS_WRONG: Final[tuple[Any, ...]] = (
    [],
    None,
    LINE,
    [None],
    [[]],
    [{}],
    [LINE, LINE],
    [LINE, {"product_id": "cup", "quantity": 1}, {**LINE, "quantity": 2}],
    [{"product_id": f"p{number}", "quantity": 1} for number in range(26)],
    [{"product_id": "teapot"}],
    [{"quantity": 1}],
    [{**LINE, "unit_price": 5}],
    *([{**LINE, "quantity": wrong}] for wrong in (0, -1, 1001, 1.5, "1", None, True, 10**20)),
    *([{**LINE, "product_id": wrong}] for wrong in ("", "-a", "a b", "a" * 65, "a\n", "ä", 1, None)),
)


def _bodies() -> Iterator[tuple[str, Any, bool]]:
    """Yield (operation, body, whether the body is valid) for many bodies of each operation with a request body."""
    for operation in generated_code.schemas():
        if operation in ("createOrder", "processOrder"):
            yield from ((operation, {"items": items}, True) for items in ORDERS_VALID)
            yield from ((operation, {"items": items}, False) for items in ORDERS_WRONG)
            yield operation, {"items": [LINE], "coupon": "A"}, False
            yield from ((operation, {"items": [LINE], "expected_total": total}, True) for total in (0, LARGEST_TOTAL))
            yield from (
                (operation, {"items": [LINE], "expected_total": total}, False)
                for total in (-1, LARGEST_TOTAL + 1, 1.5, "1", None, True)
            )
        elif operation in VALID:
            base = PRODUCT if operation == "putProduct" else USER
            yield operation, base, True
            yield from ((operation, {**base, name: value}, True) for name, value in VALID[operation])
            yield from ((operation, {**base, name: value}, False) for name, value in WRONG[operation])
            yield from ((operation, {key: base[key] for key in base if key != name}, False) for name in base)
        else:
            continue
        yield from ((operation, value, False) for value in NOT_OBJECTS)


BODIES: Final = list(_bodies())


def _details(operation: str, body: Any) -> set[tuple[str, str]] | None:
    """Validate `body` as the Lambda function for `operation` does.

    Return the (JSON pointer, rule) pairs of all violations, or None if `body` is valid.
    """
    try:
        contracts.request_check(operation)(body)
        if "items" in body:
            orders.check_lines(body["items"])
    except ValidationError as error:
        return {(detail["pointer"], detail["rule"]) for detail in error.details}
    return None


@pytest.fixture(scope="module")
def verdicts() -> list[list[dict[str, Any]]]:
    """The violations that the client finds in each body of BODIES."""
    return results("validate.js", [{"operation": operation, "body": body} for operation, body, _ in BODIES])


def test_bodies_cover_every_operation_with_a_request_body() -> None:
    events = {path.stem for path in (generated_code.openapi.CONTRACTS / "events").glob("*.json")}
    assert {operation for operation, _, _ in BODIES} == generated_code.schemas().keys() - events


def test_client_and_functions_accept_the_same_bodies(verdicts: list[list[dict[str, Any]]]) -> None:
    expected = [(operation, body, valid, valid) for operation, body, valid in BODIES]
    found = [
        (operation, body, _details(operation, body) is None, violations == [])
        for (operation, body, _), violations in zip(BODIES, verdicts, strict=True)
    ]
    assert found == expected


def test_client_and_functions_report_the_same_fields(verdicts: list[list[dict[str, Any]]]) -> None:
    for (operation, body, valid), violations in zip(BODIES, verdicts, strict=True):
        if not valid:
            found = {(each["pointer"], each["rule"]) for each in violations}
            assert found == _details(operation, body), (operation, body)


def test_client_and_gateway_accept_the_same_bodies(verdicts: list[list[dict[str, Any]]]) -> None:
    schemas = generated_code.schemas()
    for (operation, body, _), violations in zip(BODIES, verdicts, strict=True):
        # Leave out violations of the rule uniqueItems. With this rule, the client refuses two lines of the same
        # product. The gateway's model cannot express the rule.
        by_schema = [each for each in violations if each["rule"] != "uniqueItems"]
        assert (breaches(schemas[operation], body) == []) == (by_schema == []), (operation, body)
