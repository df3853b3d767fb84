"""Tests of both APIs: how they check the caller and body of each request, and which errors and headers they return."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.orders import EXPOSED_HEADERS, MOST_DETAILS
from shared.identity import TokenUse, groups
from tests.fakes.dynamodb import FakeDynamoDB
from tests.fakes.gateway import ORIGIN, USER, Answer, Request
from tests.functions.conftest import Api

ORDER = {"items": [{"product_id": "tea", "quantity": 1}]}
PRODUCT = {"name": "Tea", "unit_price": 500, "currency": "JPY", "quantity": 10}
DEEP = "[" * 8000
DEEP_AND_WHOLE = DEEP + "]" * 8000


def order(body: Any = ORDER, path: str = "/orders", **others: Any) -> Request:
    return Request(method="POST", path=path, body=body, **others)


def line(**changes: Any) -> dict[str, Any]:
    return {"items": [{**ORDER["items"][0], **changes}]}


def is_error(answer: Answer, status: int, code: str) -> bool:
    body = {name: value for name, value in answer.body.items() if name != "details"}
    return (answer.status, body) == (
        status,
        {"code": code, "message": answer.body["message"], "request_id": "gateway-request"},
    )


BROKEN: list[Any] = [
    "",
    " ",
    "{",
    "null",
    "[]",
    "1",
    '"text"',
    "NaN",
    '{"items": NaN}',
    '{"items": [{"product_id": "tea", "quantity": Infinity}]}',
    f'{{"items": {"9" * 5000}}}',
    DEEP,
    DEEP_AND_WHOLE,
    {},
    {"items": None},
    {"items": {}},
    {"items": []},
    {"items": [None]},
    {"items": [{}]},
    {**ORDER, "user_id": USER},
    {**ORDER, "total": 1},
    {"items": [{"product_id": f"p{number}", "quantity": 1} for number in range(26)]},
    line(quantity=0),
    line(quantity=1001),
    line(quantity=-1),
    line(quantity=1.0),
    line(quantity=1e400),
    line(quantity="1"),
    line(quantity=True),
    line(quantity=None),
    line(product_id=""),
    line(product_id="x" * 65),
    line(product_id="x" * 9000),
    line(product_id="te a"),
    line(product_id="tea\n"),
    line(product_id="té"),
    line(product_id=5),
    line(unit_price=1),
    '{"items": [{"product_id": "\\ud800", "quantity": 1}]}',
    '{"items": [{"product_id": "\N{REPLACEMENT CHARACTER}", "quantity": 1}]}',
]


@pytest.mark.parametrize("body", BROKEN)
def test_invalid_body_returns_an_error_in_the_common_error_format(
    orders_api: Api, dynamodb: FakeDynamoDB, body: Any
) -> None:
    assert is_error(orders_api(order(body)), 400, "ValidationError")
    assert dynamodb.tables["orders"].items == {}


def test_missing_body_is_rejected(orders_api: Api) -> None:
    assert is_error(orders_api(order(None)), 400, "ValidationError")


@pytest.mark.parametrize("body", [line(quantity=1), line(quantity=1000), line(product_id="x" * 64)])
def test_minimum_and_maximum_values_are_accepted(orders_api: Api, body: Any) -> None:
    assert orders_api(order(body)).status == 202


def test_order_with_25_lines_is_accepted(orders_api: Api) -> None:
    lines = [{"product_id": f"p{number}", "quantity": 1} for number in range(25)]
    assert orders_api(order({"items": lines})).status == 202


@pytest.mark.parametrize("name", ["\\ud800", "\\udc00x", "\N{REPLACEMENT CHARACTER}"])
def test_unpaired_surrogate_or_u_fffd_is_rejected(users_api: Api, name: str) -> None:
    body = f'{{"name": "{name}", "email": "ada@example.com"}}'
    assert is_error(users_api(Request(method="POST", path="/users", body=body)), 400, "ValidationError")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (f'{{"items": {"9" * 5000}}}', "5000 characters"),
        (f'{{"items": -{"9" * 5000}}}', "5001 characters"),
        ('{"items": "\N{REPLACEMENT CHARACTER}"}', "U+FFFD"),
        ('{"items": "\\ud800"}', "surrogate"),
        ("{", "not valid JSON"),
        ("NaN", "not valid JSON"),
        ({"items": [{"product_id": f"p{number}", "quantity": 1} for number in range(26)]}, "at most 25 entries"),
        (line(quantity=1001), "at most 1000"),
        (line(product_id="x" * 65), "got 65 characters"),
    ],
)
def test_error_message_states_the_problem(orders_api: Api, body: Any, problem: str) -> None:
    assert problem in orders_api(order(body)).body["message"]


def test_error_message_for_deeply_nested_json_states_the_nesting_or_the_wrong_type(orders_api: Api) -> None:
    # Some versions of Python reach the recursion limit when they parse this body. The error message then says that the
    # body is nested too deeply. Other versions can parse the body. The error message then names the wrong type, because
    # the body violates the schema.
    message = orders_api(order(DEEP_AND_WHOLE)).body["message"]
    assert "nested too deeply" in message or "allowed: type object" in message


def test_escaped_replacement_character_is_accepted(users_api: Api) -> None:
    body = '{"name": "\\ufffd", "email": "ada@example.com"}'
    assert users_api(Request(method="POST", path="/users", body=body)).body["name"] == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("name", ["渋谷 🍵", "O'Brien", "\\ud83c\\udf75"])
def test_user_name_with_an_apostrophe_or_non_latin_characters_is_accepted(users_api: Api, name: str) -> None:
    body = f'{{"name": "{name}", "email": "ada@example.com"}}'
    answer = users_api(Request(method="POST", path="/users", body=body))
    assert answer.body["name"] == json.loads(f'"{name}"')


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "a b@example.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: x@y.zz",
        "ada@example.com,bob@example.com",
        "Ada <ada@example.com>",
        "ädä@example.com",
        "ada@exämple.com",
        "a@" + "b" * 250 + ".com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        '"a da"@example.com',
        "ada@[127.0.0.1]",
        "ada@-example.com",
        "ada@example-.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@example.1",
    ],
)
def test_email_address_that_ses_would_refuse_is_rejected(users_api: Api, email: str) -> None:
    """The token contains the same address, so only the format of the address can be the reason for the rejection."""
    request = Request(method="POST", path="/users", body={"name": "Ada", "email": email}, email=email)
    assert is_error(users_api(request), 400, "ValidationError")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "json",
        "",
        "application/json; charset=utf-16",
        "application/jsonx",
    ],
)
def test_content_type_other_than_json_is_rejected(orders_api: Api, kind: str) -> None:
    assert is_error(orders_api(order(headers={"Content-Type": kind})), 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_every_spelling_of_the_json_content_type_is_accepted(orders_api: Api, kind: str) -> None:
    assert orders_api(order(headers={"Content-Type": kind})).status == 202


def test_too_large_body_is_rejected(orders_api: Api, catalog_api: Api) -> None:
    big = " " * 17_000
    assert is_error(orders_api(order(big)), 413, "PayloadTooLarge")
    request = Request(method="PUT", path="/products/tea", body=big, groups=("admin",))
    assert is_error(catalog_api(request), 413, "PayloadTooLarge")


def test_base64_body_is_decoded(catalog_api: Api) -> None:
    body = base64.b64encode(json.dumps(PRODUCT).encode()).decode()
    request = Request(method="PUT", path="/products/tea", body=body, base64=True, groups=("admin",))
    assert catalog_api(request).status == 201


@pytest.mark.parametrize("body", [base64.b64encode(b'{"name": "\xff"}').decode(), "no base64!", "ä", "abc", "\ud800"])
def test_base64_body_without_utf8_text_is_rejected(catalog_api: Api, body: str) -> None:
    request = Request(method="PUT", path="/products/tea", body=body, base64=True, groups=("admin",))
    assert is_error(catalog_api(request), 400, "ValidationError")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/nothing"), ("DELETE", "/orders"), ("PUT", "/orders/1")]
)
def test_unknown_route_returns_an_error_in_the_common_error_format(
    orders_api: Api, catalog_api: Api, method: str, path: str
) -> None:
    for api in (orders_api, catalog_api):
        assert is_error(api(Request(method=method, path=path)), 404, "NotFound")


@pytest.mark.parametrize(("path", "token_use"), [("/orders", "access"), ("/products", "id")])
def test_wrong_kind_of_token_is_unauthorized(orders_api: Api, catalog_api: Api, path: str, token_use: str) -> None:
    api = orders_api if path == "/orders" else catalog_api
    assert is_error(api(Request(method="GET", path=path, token_use=token_use)), 401, "Unauthorized")


def test_request_without_claims_is_unauthorized(orders_api: Api) -> None:
    assert is_error(orders_api(Request(method="GET", path="/orders", user_id=None)), 401, "Unauthorized")


def test_error_lists_every_invalid_field(orders_api: Api) -> None:
    lines = [{"product_id": "tea", "quantity": 0}, {"product_id": "", "quantity": 1001}, {"quantity": "1", "unit": 1}]
    answer = orders_api(order({"items": lines}))
    assert is_error(answer, 400, "ValidationError")
    assert [(each["pointer"], each["rule"]) for each in answer.body["details"]] == [
        ("/items/0/quantity", "minimum"),
        ("/items/1/product_id", "pattern"),
        ("/items/1/quantity", "maximum"),
        ("/items/2/product_id", "required"),
        ("/items/2/quantity", "type"),
        ("/items/2", "additionalProperties"),
    ]
    assert answer.body["message"] == f"body.items[0].quantity: {answer.body['details'][0]['message']}"


def test_error_lists_at_most_twenty_invalid_fields(orders_api: Api) -> None:
    answer = orders_api(order({"items": [0] * 1000}))
    assert len(answer.body["details"]) == MOST_DETAILS == 20


def test_product_in_two_lines_is_reported_as_an_invalid_field(orders_api: Api) -> None:
    answer = orders_api(order({"items": [{"product_id": "tea", "quantity": 1}] * 2}))
    assert [(each["pointer"], each["rule"]) for each in answer.body["details"]] == [
        ("/items/1/product_id", "uniqueItems")
    ]


@pytest.mark.parametrize("origin", ["http://localhost:3000", ORIGIN])
def test_allowed_origin_is_echoed_in_every_response(orders_api: Api, origin: str) -> None:
    for body in (ORDER, {}):
        headers = orders_api(order(body, headers={"Origin": origin})).headers
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Expose-Headers"] == ",".join(EXPOSED_HEADERS)
        assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"{ORIGIN}.evil.com", "null", "*"])
def test_unlisted_origin_gets_no_cors_headers(orders_api: Api, origin: str) -> None:
    headers = orders_api(order(headers={"Origin": origin})).headers
    assert not [name for name in headers if name.startswith("Access-Control-")]


def test_http_api_function_sends_no_cors_headers(catalog_api: Api) -> None:
    headers = catalog_api(Request(method="GET", path="/products")).headers
    assert not [name for name in headers if name.startswith("Access-Control-")]


def test_responses_forbid_caching(orders_api: Api) -> None:
    assert orders_api(order()).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("claim", "token_use"),
    [
        (["a", "admin"], "id"),
        ("a,admin", "id"),
        ("admin", "id"),
        (["a", "admin"], "access"),
        ("[a admin]", "access"),
        ("[admin]", "access"),
    ],
)
def test_group_admin_is_found_in_each_format_of_the_groups_claim(claim: object, token_use: TokenUse) -> None:
    assert "admin" in groups(claim, token_use)


@pytest.mark.parametrize("token_use", ["id", "access"])
@pytest.mark.parametrize(
    "claim", [None, "", "[]", "administrators", ["Admin"], {"admin": 1}, 7, "x admin", ["x,admin"]]
)
def test_groups_claim_without_the_exact_name_admin_gives_no_admin_rights(claim: object, token_use: TokenUse) -> None:
    assert "admin" not in groups(claim, token_use)


@pytest.mark.parametrize(
    ("claim", "token_use"),
    [("[a admin]", "id"), ("[admin]", "id"), ("a, admin", "id"), ("[x,admin]", "access"), ("[a, admin,b]", "access")],
)
def test_each_api_splits_the_groups_claim_only_in_its_own_format(claim: str, token_use: TokenUse) -> None:
    assert "admin" not in groups(claim, token_use)


@pytest.mark.parametrize("subject", ["", "a b", "x" * 65, "tea\n", "../x", "\ud800"])
def test_invalid_token_subject_is_unauthorized(orders_api: Api, subject: str) -> None:
    request = Request(method="GET", path="/orders", user_id=subject or " ")
    assert is_error(orders_api(request), 401, "Unauthorized")


ODD_IDS = [
    '"',
    "\\",
    "`",
    "#",
    "tea\n",
    "\n",
    "\x00",
    "\x7f",
    "\u2028",
    "渋谷",
    "\ud800",
    "%22",
    "a b",
    "<x>",
    "?",
    "x" * 4000,
]


@pytest.mark.parametrize("name", ODD_IDS)
def test_malformed_id_returns_the_not_found_error_of_its_resource(
    orders_api: Api, users_api: Api, catalog_api: Api, name: str
) -> None:
    asked = [
        (orders_api, "GET", f"/orders/{name}", "OrderNotFound"),
        (orders_api, "POST", f"/orders/{name}/cancel", "OrderNotFound"),
        (users_api, "GET", f"/users/{name}", "UserNotFound"),
        (catalog_api, "GET", f"/products/{name}", "ProductNotFound"),
    ]
    for api, method, path, code in asked:
        assert is_error(api(Request(method=method, path=path, groups=("admin",))), 404, code)


@pytest.mark.parametrize("name", ODD_IDS)
def test_put_with_malformed_id_writes_nothing(catalog_api: Api, dynamodb: FakeDynamoDB, name: str) -> None:
    request = Request(method="PUT", path=f"/products/{name}", body=PRODUCT, groups=("admin",))
    assert is_error(catalog_api(request), 400, "ValidationError")
    assert dynamodb.tables["inventory"].items == {}


def test_rest_path_with_trailing_line_feed_is_not_found(orders_api: Api) -> None:
    assert is_error(orders_api(Request(method="GET", path="/orders\n")), 404, "NotFound")


def test_trailing_slash_matters_only_on_the_http_api(orders_api: Api, catalog_api: Api) -> None:
    answer = orders_api(order(path="/orders/"))
    assert (answer.status, answer.headers["Location"]) == (202, f"/prod/orders/{answer.body['order_id']}")
    assert is_error(catalog_api(Request(method="GET", path="/products/")), 404, "NotFound")


class TestUnexpectedFaults:
    @pytest.fixture
    def broken(self, orders_api: Api, dynamodb: FakeDynamoDB) -> Answer:
        dynamodb.faults.refuse("put_item", RuntimeError("an internal secret"))
        return orders_api(order(headers={"Origin": ORIGIN}))

    def test_unexpected_error_returns_500_without_its_cause(self, broken: Answer) -> None:
        assert is_error(broken, 500, "InternalError")
        assert "secret" not in json.dumps(broken.body)

    def test_response_to_an_unexpected_error_has_cors_headers(self, broken: Answer) -> None:
        assert broken.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_traceback_is_logged(
        self, logs: Callable[[], list[dict[str, Any]]], orders_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        dynamodb.faults.refuse("put_item", RuntimeError("an internal secret"))
        orders_api(order())
        (failure,) = [record for record in logs() if record["level"] == "ERROR"]
        assert failure["request_id"] == "gateway-request"
        assert "an internal secret" in failure["exception"]
