"""What both APIs do with every request: caller, body, errors, headers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

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
    return (answer.status, answer.body) == (
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
def test_a_body_that_breaks_the_contract_is_refused_with_the_common_error(
    orders_api: Api, dynamodb: FakeDynamoDB, body: Any
) -> None:
    assert is_error(orders_api(order(body)), 400, "ValidationError")
    assert dynamodb.tables["orders"].items == {}


def test_a_missing_body_is_refused(orders_api: Api) -> None:
    assert is_error(orders_api(order(None)), 400, "ValidationError")


@pytest.mark.parametrize("body", [line(quantity=1), line(quantity=1000), line(product_id="x" * 64)])
def test_the_ends_of_the_ranges_are_accepted(orders_api: Api, body: Any) -> None:
    assert orders_api(order(body)).status == 202


def test_twenty_five_lines_are_accepted(orders_api: Api) -> None:
    lines = [{"product_id": f"p{number}", "quantity": 1} for number in range(25)]
    assert orders_api(order({"items": lines})).status == 202


@pytest.mark.parametrize("name", ["\\ud800", "\\udc00x", "\N{REPLACEMENT CHARACTER}"])
def test_text_that_no_service_takes_is_refused(users_api: Api, name: str) -> None:
    body = f'{{"name": "{name}", "email": "ada@example.com"}}'
    assert is_error(users_api(Request(method="POST", path="/users", body=body)), 400, "ValidationError")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f'{{"items": {"9" * 5000}}}', "a number of 5000 characters"),
        (f'{{"items": -{"9" * 5000}}}', "a number of 5001 characters"),
        ('{"items": "\N{REPLACEMENT CHARACTER}"}', "U+FFFD"),
        ('{"items": "\\ud800"}', "half of a surrogate pair"),
        ("{", "is not JSON"),
        ("NaN", "is not JSON"),
    ],
)
def test_a_body_is_refused_for_what_is_wrong_with_it(orders_api: Api, body: str, says: str) -> None:
    assert says in orders_api(order(body)).body["message"]


def test_how_deep_is_too_deep_is_the_interpreters_business_and_never_called_no_json(orders_api: Api) -> None:
    message = orders_api(order(DEEP_AND_WHOLE)).body["message"]
    assert "nested too deeply" in message or "allowed: type object" in message


def test_the_replacement_character_is_taken_where_it_is_certain(users_api: Api) -> None:
    body = '{"name": "\\ufffd", "email": "ada@example.com"}'
    assert users_api(Request(method="POST", path="/users", body=body)).body["name"] == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("name", ["渋谷 🍵", "O'Brien", "\\ud83c\\udf75"])
def test_any_other_text_is_a_name(users_api: Api, name: str) -> None:
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
        "a@" + "b" * 250 + ".com",
    ],
)
def test_what_is_no_single_address_is_refused(users_api: Api, email: str) -> None:
    request = Request(method="POST", path="/users", body={"name": "Ada", "email": email})
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
def test_a_foreign_content_type_is_refused(orders_api: Api, kind: str) -> None:
    assert is_error(orders_api(order(headers={"Content-Type": kind})), 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf8_is_accepted_however_it_is_written(orders_api: Api, kind: str) -> None:
    assert orders_api(order(headers={"Content-Type": kind})).status == 202


def test_a_body_larger_than_any_valid_one_is_refused(orders_api: Api, catalog_api: Api) -> None:
    big = " " * 17_000
    assert is_error(orders_api(order(big)), 413, "PayloadTooLarge")
    request = Request(method="PUT", path="/products/tea", body=big, groups=("admin",))
    assert is_error(catalog_api(request), 413, "PayloadTooLarge")


def test_a_body_in_base64_is_decoded(catalog_api: Api) -> None:
    body = base64.b64encode(json.dumps(PRODUCT).encode()).decode()
    request = Request(method="PUT", path="/products/tea", body=body, base64=True, groups=("admin",))
    assert catalog_api(request).status == 201


@pytest.mark.parametrize("body", [base64.b64encode(b'{"name": "\xff"}').decode(), "no base64!", "ä", "abc", "\ud800"])
def test_a_base64_body_that_is_no_utf8_is_refused(catalog_api: Api, body: str) -> None:
    request = Request(method="PUT", path="/products/tea", body=body, base64=True, groups=("admin",))
    assert is_error(catalog_api(request), 400, "ValidationError")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/nothing"), ("DELETE", "/orders"), ("PUT", "/orders/1")]
)
def test_an_unknown_route_is_not_found_with_the_common_error(
    orders_api: Api, catalog_api: Api, method: str, path: str
) -> None:
    for api in (orders_api, catalog_api):
        assert is_error(api(Request(method=method, path=path)), 404, "NotFound")


@pytest.mark.parametrize(("path", "token_use"), [("/orders", "access"), ("/products", "id")])
def test_a_token_of_the_other_kind_is_unauthorized(
    orders_api: Api, catalog_api: Api, path: str, token_use: str
) -> None:
    api = orders_api if path == "/orders" else catalog_api
    assert is_error(api(Request(method="GET", path=path, token_use=token_use)), 401, "Unauthorized")


def test_a_request_without_claims_is_unauthorized(orders_api: Api) -> None:
    assert is_error(orders_api(Request(method="GET", path="/orders", user_id=None)), 401, "Unauthorized")


@pytest.mark.parametrize("origin", ["http://localhost:3000", ORIGIN])
def test_an_allowed_origin_is_echoed_on_answers_and_errors(orders_api: Api, origin: str) -> None:
    for body in (ORDER, {}):
        headers = orders_api(order(body, headers={"Origin": origin})).headers
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Expose-Headers"] == "Location"
        assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"{ORIGIN}.evil.com", "null", "*"])
def test_a_foreign_origin_gets_no_cors_headers(orders_api: Api, origin: str) -> None:
    headers = orders_api(order(headers={"Origin": origin})).headers
    assert not [name for name in headers if name.startswith("Access-Control-")]


def test_the_http_api_leaves_cors_to_its_gateway(catalog_api: Api) -> None:
    headers = catalog_api(Request(method="GET", path="/products")).headers
    assert not [name for name in headers if name.startswith("Access-Control-")]


def test_no_answer_is_kept_by_a_cache(orders_api: Api) -> None:
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
def test_groups_are_read_as_the_gateway_of_that_token_writes_them(claim: object, token_use: TokenUse) -> None:
    assert "admin" in groups(claim, token_use)


@pytest.mark.parametrize("token_use", ["id", "access"])
@pytest.mark.parametrize(
    "claim", [None, "", "[]", "administrators", ["Admin"], {"admin": 1}, 7, "x admin", ["x,admin"]]
)
def test_nothing_else_is_the_group_admin(claim: object, token_use: TokenUse) -> None:
    assert "admin" not in groups(claim, token_use)


@pytest.mark.parametrize(
    ("claim", "token_use"),
    [("[a admin]", "id"), ("[admin]", "id"), ("a, admin", "id"), ("[x,admin]", "access"), ("[a, admin,b]", "access")],
)
def test_what_separates_names_on_one_api_is_a_part_of_a_name_on_the_other(claim: str, token_use: TokenUse) -> None:
    assert "admin" not in groups(claim, token_use)


@pytest.mark.parametrize("subject", ["", "a b", "x" * 65, "tea\n", "../x", "\ud800"])
def test_a_subject_that_is_no_users_id_is_unauthorized(orders_api: Api, subject: str) -> None:
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
def test_an_id_that_nothing_can_have_is_not_found_as_what_it_would_be(
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
def test_nothing_is_written_under_an_id_that_cannot_be(catalog_api: Api, dynamodb: FakeDynamoDB, name: str) -> None:
    request = Request(method="PUT", path=f"/products/{name}", body=PRODUCT, groups=("admin",))
    assert is_error(catalog_api(request), 400, "ValidationError")
    assert dynamodb.tables["inventory"].items == {}


def test_a_line_feed_behind_a_rest_path_is_not_ignored(orders_api: Api) -> None:
    assert is_error(orders_api(Request(method="GET", path="/orders\n")), 404, "NotFound")


def test_a_trailing_slash_changes_nothing_on_the_rest_api_and_is_another_path_on_the_http_api(
    orders_api: Api, catalog_api: Api
) -> None:
    answer = orders_api(order(path="/orders/"))
    assert (answer.status, answer.headers["Location"]) == (202, f"/prod/orders/{answer.body['order_id']}")
    assert is_error(catalog_api(Request(method="GET", path="/products/")), 404, "NotFound")


class TestUnexpectedFaults:
    @pytest.fixture
    def broken(self, orders_api: Api, dynamodb: FakeDynamoDB) -> Answer:
        dynamodb.faults.refuse("put_item", RuntimeError("a secret of ours"))
        return orders_api(order(headers={"Origin": ORIGIN}))

    def test_they_answer_500_and_say_nothing_of_the_cause(self, broken: Answer) -> None:
        assert is_error(broken, 500, "InternalError")
        assert "secret" not in json.dumps(broken.body)

    def test_they_answer_readably_to_a_browser(self, broken: Answer) -> None:
        assert broken.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_their_traceback_is_in_the_log(
        self, logs: Callable[[], list[dict[str, Any]]], orders_api: Api, dynamodb: FakeDynamoDB
    ) -> None:
        dynamodb.faults.refuse("put_item", RuntimeError("a secret of ours"))
        orders_api(order())
        (failure,) = [record for record in logs() if record["level"] == "ERROR"]
        assert failure["request_id"] == "gateway-request"
        assert "a secret of ours" in failure["exception"]
