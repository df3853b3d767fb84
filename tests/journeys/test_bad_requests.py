"""Journey 8: every invalid request gets a 4xx response with the common error body, and writes no data."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.journeys.people import Person, unique

LINE: Final = {"product_id": "apple", "quantity": 1}
NOT_JSON: Final[dict[str, bytes | str | None]] = {
    "nothing": None,
    "no body": "",
    "blanks": "  ",
    "text": "apples, please",
    "half": '{"items": [',
    "two": '{"items": []} {"items": []}',
    "single quotes": "{'items': []}",
    "trailing comma": '{"items": [],}',
    "NaN": '{"items": [{"product_id": "apple", "quantity": NaN}]}',
    "Infinity": '{"items": [{"product_id": "apple", "quantity": Infinity}]}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": json.dumps({"items": [LINE]}).encode("utf-16"),
    "not UTF-8": b'{"items": [{"product_id": "\xff\xfe", "quantity": 1}], "name": "\xff", "email": "a@example.com"}',
    "deep": "[" * 20_000 + "]" * 20_000,
    "null": "null",
    "list": "[]",
    "number": "42",
    "string": '"items"',
}
ORDERS: Final[dict[str, Any]] = {
    "nothing": {},
    "items are null": {"items": None},
    "items are an object": {"items": {"apple": 1}},
    "no lines": {"items": []},
    "too many lines": {"items": [{"product_id": f"p{number}", "quantity": 1} for number in range(26)]},
    "the same product twice": {"items": [LINE, LINE]},
    "a line is text": {"items": ["apple"]},
    "no product": {"items": [{"quantity": 1}]},
    "no quantity": {"items": [{"product_id": "apple"}]},
    **{
        f"quantity {quantity!r}"[:40]: {"items": [{"product_id": "apple", "quantity": quantity}]}
        for quantity in (0, -1, 1001, 1.5, "1", True, None, 10**30)
    },
    **{
        f"product {product!r}"[:40]: {"items": [{"product_id": product, "quantity": 1}]}
        for product in ("", "-apple", "an apple", "../apple", "apple\n", "apple\0", "林檎", "a" * 65, 1, None, "\ud800")
    },
    "a very long product": {"items": [{"product_id": "a" * 200_000, "quantity": 1}]},
    "its own price": {"items": [{**LINE, "unit_price": 1}]},
    "its own owner": {"items": [LINE], "user_id": "somebody"},
    "its own status": {"items": [LINE], "status": "CONFIRMED"},
    "another property": {"items": [LINE], "__proto__": {}},
}
PERSON: Final = {"name": "Kazumi", "email": "kazumi@example.com"}
PROFILES: Final[dict[str, Any]] = {
    "nothing": {},
    "no name": {"email": "kazumi@example.com"},
    "no email": {"name": "Kazumi"},
    "its own id": {**PERSON, "user_id": "somebody"},
    "group": {**PERSON, "cognito:groups": ["admin"]},
    **{f"name {name!r}"[:40]: {**PERSON, "name": name} for name in ("", "k" * 201, 1, None, "\udc00")},
    **{
        f"email {email!r}"[:40]: {**PERSON, "email": email}
        for email in ("", "kazumi", "a@b", "a b@example.com", "a@example.com\nBcc: b@example.com", "é@example.com", 1)
    },
    "a very long email": {**PERSON, "email": "a" * 300 + "@example.com"},
    "a very long name": {**PERSON, "name": "k" * 300_000},
}
TEA: Final = {"name": "Tea", "unit_price": 100, "currency": "JPY", "quantity": 1}
PRODUCTS: Final[dict[str, Any]] = {
    "nothing": {},
    **{f"no {name}": {key: value for key, value in TEA.items() if key != name} for name in TEA},
    "its own id": {**TEA, "product_id": "tea"},
    **{f"name {name!r}"[:40]: {**TEA, "name": name} for name in ("", "t" * 201, 1, None, "\ud800")},
    **{
        f"price {price!r}": {**TEA, "unit_price": price}
        for price in (-1, 1_000_000_001, 1.5, 100.0, "100", True, None, 1e400)
    },
    **{f"quantity {number!r}": {**TEA, "quantity": number} for number in (-1, 1_000_001, 0.5, "1", None)},
    **{f"currency {code!r}": {**TEA, "currency": code} for code in ("", "jpy", "YEN!", "JP", "YEN", "XXX", 392, None)},
}


@pytest.fixture(scope="module")
def visitor(people: Any) -> Person:
    """A user without a profile."""
    return people.somebody()


def refused(answer: Any, *statuses: int) -> None:
    assert answer.status in (statuses or (400,)), answer
    assert answer.json()["code"] in {"ValidationError", "PayloadTooLarge", "UnsupportedMediaType", "NotFound"}


@pytest.mark.parametrize("path", ["/orders", "/process"])
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_order_body_that_is_not_a_json_object_returns_400(visitor: Person, path: str, body: bytes | str | None) -> None:
    refused(visitor.rest("POST", path, body), *((400, 413) if len(body or b"") > 16_384 else (400,)))


@pytest.mark.parametrize("path", ["/orders", "/process"])
@pytest.mark.parametrize("body", ORDERS.values(), ids=ORDERS)
def test_order_body_that_violates_the_schema_returns_400(visitor: Person, path: str, body: Any) -> None:
    refused(visitor.rest("POST", path, json.dumps(body)))


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_profile_body_that_is_not_a_json_object_returns_400(visitor: Person, body: bytes | str | None) -> None:
    refused(visitor.rest("POST", "/users", body), *((400, 413) if len(body or b"") > 16_384 else (400,)))


@pytest.mark.parametrize("body", PROFILES.values(), ids=PROFILES)
def test_profile_body_that_violates_the_schema_returns_400(visitor: Person, body: Any) -> None:
    refused(visitor.rest("POST", "/users", json.dumps(body)))


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_product_body_that_is_not_a_json_object_returns_400(admin: Person, body: bytes | str | None) -> None:
    refused(admin.http("PUT", "/products/tea", body), *((400, 413) if len(body or b"") > 16_384 else (400,)))


@pytest.mark.parametrize("body", PRODUCTS.values(), ids=PRODUCTS)
def test_product_body_that_violates_the_schema_returns_400(admin: Person, body: Any) -> None:
    refused(admin.http("PUT", "/products/tea", json.dumps(body)))


@pytest.mark.parametrize("product_id", ["-tea", "t" * 65, "a%20tea", "%2e%2e", "tea%00", "%FF%FE", "%E8%8C%B6"])
def test_product_with_an_invalid_id_is_refused(admin: Person, product_id: str) -> None:
    refused(admin.http("PUT", f"/products/{product_id}", TEA), *((400, 404) if "%" in product_id else (400,)))
    assert admin.http("GET", f"/products/{product_id}").status == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "image/png"])
@pytest.mark.parametrize("path", ["/orders", "/process", "/users"])
def test_order_or_profile_with_a_content_type_other_than_json_is_refused(visitor: Person, path: str, kind: str) -> None:
    body = json.dumps(PERSON if path == "/users" else {"items": [LINE]})
    refused(visitor.rest("POST", path, body, Content_Type=kind), 400, 415)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=shift_jis"])
def test_product_with_a_content_type_other_than_json_in_utf_8_is_refused(admin: Person, kind: str) -> None:
    refused(admin.http("PUT", "/products/tea", json.dumps(TEA), Content_Type=kind), 400, 415)


@pytest.mark.parametrize("path", ["/orders", "/process", "/users"])
def test_too_large_body_returns_413(visitor: Person, path: str) -> None:
    body = json.dumps(PERSON if path == "/users" else {"items": [LINE]})
    refused(visitor.rest("POST", path, body + " " * 20_000), 413)


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json; charset=shift_jis", "application/jsonx"])
@pytest.mark.parametrize("surplus", [0, 1])
def test_both_order_endpoints_return_the_same_error_for_an_unsupported_content_type(
    visitor: Person, kind: str, surplus: int
) -> None:
    body = json.dumps({"items": [LINE]})
    padded = body + " " * (16_384 - len(body) + surplus)
    wrong_kind = [visitor.rest("POST", path, body, Content_Type=kind) for path in ("/orders", "/process")]
    too_large = [visitor.rest("POST", path, padded, Content_Type=kind) for path in ("/orders", "/process")]
    for ways in (wrong_kind, too_large):
        assert [answer.status for answer in ways] == [415, 415]
        assert len({(answer.json()["code"], answer.json()["message"]) for answer in ways}) == 1


def test_both_order_endpoints_have_the_same_body_size_limit(customer: Person) -> None:
    body = json.dumps({"items": [{"product_id": unique("none"), "quantity": 1}]})
    for surplus, ordered, processed in ((0, 202, 404), (1, 413, 413)):
        padded = body + " " * (16_384 - len(body) + surplus)
        assert customer.rest("POST", "/orders", padded, Idempotency_Key=unique("key")).status == ordered
        assert customer.rest("POST", "/process", padded).status == processed


@pytest.mark.parametrize("path", ["/orders", "/process", "/users"])
def test_body_above_the_limit_of_api_gateway_returns_413(visitor: Person, path: str) -> None:
    refused(visitor.rest("POST", path, '{"items": "' + "a" * 10_500_000 + '"}'), 413)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("DELETE", "/orders"),
        ("PUT", "/users"),
        ("GET", "/process"),
        ("PATCH", "/orders/one"),
        ("GET", "/orders/one/cancel"),
        ("GET", "/orders/one/two/three"),
    ],
)
def test_unknown_route_of_the_rest_api_returns_404(visitor: Person, method: str, path: str) -> None:
    refused(visitor.rest(method, path), 404)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("POST", "/nothing"), ("PUT", "/orders")])
def test_unknown_route_of_the_rest_api_returns_404_for_any_content_type(
    visitor: Person, method: str, path: str, kind: str
) -> None:
    refused(visitor.rest(method, path, "anything", Content_Type=kind), 404)


@pytest.mark.parametrize("path", ["/orders/", "/orders//", "/orders/one/", "/users/one/"])
def test_rest_api_ignores_a_trailing_slash_of_the_path(visitor: Person, path: str) -> None:
    with_slash, without = (visitor.rest("GET", each) for each in (path, path.rstrip("/")))
    assert with_slash.status == without.status
    assert with_slash.json().keys() == without.json().keys()
    assert visitor.rest("POST", "/orders/one/cancel/").json()["code"] == "OrderNotFound"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/nothing"), ("DELETE", "/products/apple")])
def test_unknown_route_of_the_http_api_returns_404(visitor: Person, method: str, path: str) -> None:
    assert visitor.http(method, path).status == 404


@pytest.mark.parametrize(
    "name", ["one", "%00", "%0A", "one%0A", "%FF", "%22", "%27", "x" * 3000, "ORDER-1", "00000000"]
)
def test_unknown_id_returns_the_not_found_error_of_its_resource(visitor: Person, admin: Person, name: str) -> None:
    for method, path, code in (
        ("GET", "/orders/{}", "OrderNotFound"),
        ("POST", "/orders/{}/cancel", "OrderNotFound"),
        ("GET", "/users/{}", "UserNotFound"),
    ):
        answer = visitor.rest(method, path.format(name))
        assert (answer.status, answer.json()["code"]) == (404, code)
    answer = visitor.http("GET", f"/products/{name}")
    assert (answer.status, answer.json()["code"]) == (404, "ProductNotFound")
    refused(admin.http("PUT", f"/products/{name}%0A", TEA), 400)


def test_invalid_requests_wrote_nothing(visitor: Person, admin: Person) -> None:
    assert visitor.rest("GET", "/orders").json() == {"orders": []}
    assert visitor.rest("GET", f"/users/{visitor.sub}").status == 404
    assert admin.http("GET", "/products/tea").status == 404
    assert visitor.rest("GET", f"/orders/{unique('none')}").status == 404
