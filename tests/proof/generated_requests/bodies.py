"""Generates valid and invalid request bodies, and computes the expected status of each body with jsonschema.

The expected status doesn't come from the handlers' own validation, because the tests check that validation.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from components.aws import openapi
from tests.contracts.answers import breaches
from tests.fakes.gateway import ADDRESS
from tests.proof.generated_requests.values import changed, seldom, texts, values

LARGEST_BYTES: Final = 16 * 1024
INVISIBLE: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""The Unicode categories whose characters a name must not contain."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_LINE: Final = '{"product_id": "tea", "quantity": %s}'
ODD_BODIES: Final = (
    *("", " ", "{", "[", "null", "[]", "{}", "1", '"text"', "NaN", "Infinity", "{'a': 1}", "\ufeff{}", "\x00"),
    *(
        "[" * 8000,
        "[" * 8000 + "]" * 8000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        "9" * 5000,
        '{"items": ' + "9" * 5000 + "}",
    ),
    *(
        f'{{"items": [{_LINE % number}]}}'
        for number in ("1.0", "1e0", "1E2", "-0", "1e400", "9" * 400, "0.1e1", "true")
    ),
    *('{"items": [], "items": [' + _LINE % 1 + "]}", '{"items": [' + _LINE % 1 + '], "items": []}'),
    *('{"items": [' + _LINE % 1 + "]} ", '{"items": [' + _LINE % 1 + "]}x", '{"items": [' + _LINE % 1 + "],}"),
    *('{"name": "\\ud800", "email": "a@example.com"}', '{"name": "\ufffd", "email": "a@example.com"}'),
    *('{"name": "\\ufffd", "email": "a@example.com"}', '{"name": "a\\u0000", "email": "a@example.com"}'),
    '{"items": [' + _LINE % 1 + "]}" + " " * LARGEST_BYTES,
)
MEDIA_TYPES: Final = (
    *("application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;"),
    *(
        "application/json; charset=shift_jis",
        "application/json; a=b",
        "application/jsonx",
        "text/plain",
        "",
        ";",
        "*/*",
    ),
    *("application/problem+json", "application/json, text/plain", "application/json\n", "multipart/form-data", "渋谷"),
)
GOOD: Final = MEDIA_TYPES[:4]
_PRODUCT_IDS: Final = st.sampled_from(("tea", "cup", "a", "Z9_-", "x" * 64, "0"))
_LINES: Final = st.lists(
    st.fixed_dictionaries({"product_id": _PRODUCT_IDS, "quantity": st.sampled_from((1, 2, 999, 1000))}),
    min_size=1,
    max_size=6,
)
_NAMES: Final = st.sampled_from(
    ("J.R. Tolkien", "O'Neil-Smith", "Dr.No", "www.a", "evil.example/x", "a\u202eb", "\U000e0041")
)
VALID: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "createOrder": st.fixed_dictionaries({"items": _LINES}),
    "createUser": st.fixed_dictionaries(
        {
            "name": seldom(
                st.text(
                    st.characters(exclude_categories=INVISIBLE, exclude_characters=":@\\"), min_size=1, max_size=200
                ),
                _NAMES | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
                4,
            ),
            "email": seldom(st.just(ADDRESS), st.sampled_from((ADDRESS.upper(), "a.b+c@x-y.example.org", "0@0.0")), 3),
        }
    ),
    "putProduct": st.fixed_dictionaries(
        {
            "name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
            "unit_price": st.sampled_from((0, 1, 10**9)),
            "currency": st.sampled_from(("JPY", "USD", "XCG")),
            "quantity": st.sampled_from((0, 1, 10**6)),
        }
    ),
}


@dataclass(frozen=True)
class Body:
    """A request body as API Gateway passes it to a function."""

    text: str | None
    is_base64: bool | None
    media_type: str | None


@st.composite
def bodies(draw: st.DrawFn, operation: str) -> Body:
    """Return a body for an operation: a valid body, a valid body with a few changes, or any text."""
    valid = VALID[operation]
    value = seldom(valid, changed(valid), 3)
    written = st.tuples(value, st.booleans()).map(lambda pair: json.dumps(pair[0], ensure_ascii=pair[1]))
    anything = st.sampled_from((*ODD_BODIES, None)) | texts() | values().map(json.dumps)
    text = draw(seldom(written, anything, 3))
    kinds = seldom(st.sampled_from(GOOD), st.none() | st.sampled_from(MEDIA_TYPES) | texts())
    media_type = draw(kinds)
    if text is None or draw(seldom(st.just(value=True), st.just(value=False), 4)):
        return Body(text, draw(seldom(st.just(value=False), st.sampled_from((None, True)))), media_type)
    codec = draw(st.sampled_from(("utf-8", "utf-8", "utf-16", "latin-1", "shift_jis")))
    encoded = base64.b64encode(text.encode(codec, errors="replace")).decode()
    return Body(encoded + draw(st.sampled_from(("", "", "=", "\n", "ä"))), is_base64=True, media_type=media_type)


def expected_status(operation: str, body: Body, own_address: str = "") -> int:
    """Return the status with which the platform must reject a body, or 200 if it must accept the body.

    `own_address` is the verified email address of the caller, or "" if the caller has none.
    """
    if body.media_type is not None and not is_json(body.media_type):
        return 415
    if not body.text:
        return 400
    try:
        data = base64.b64decode(body.text, validate=True) if body.is_base64 else body.text.encode()
    except ValueError:
        return 400
    if len(data) > LARGEST_BYTES:
        return 413
    try:
        value = json.loads(data.decode(), parse_constant=lambda _: 1 / 0)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError, ZeroDivisionError):
        return 400
    if _REPLACEMENT in data.decode() or breaches(body_schema(operation), value):
        return 400
    if operation == "createUser" and not (is_name(value["name"]) and value["email"].lower() == own_address.lower()):
        return 400
    return 200 if is_without_repetition(value.get("items", ())) else 400


def is_name(name: str) -> bool:
    """Return whether a profile's name contains neither invisible characters nor links.

    The JSON Schema of the API can't express this rule.
    """
    if any(unicodedata.category(each) in INVISIBLE for each in name) or re.search(r"\bwww\.", name.lower()):
        return False
    return not any(_is_domain(name[:place], name[place + 1 : place + 3]) for place in _dots(name))


def _dots(text: str) -> list[int]:
    return [place for place, each in enumerate(text) if each == "."]


def _is_domain(before: str, after: str) -> bool:
    """Return whether the texts before and after a dot form a domain, for example `ab` and `co`.

    There must be at least two characters before the dot, and two letters after it.
    """
    label = re.split(r"[^\w-]", before)[-1]
    letters = len(after) == 2 and all(each.isalnum() and not each.isdecimal() for each in after)
    return letters and label[-1:].isalnum() and any(each.isalnum() for each in label[:-1])


def is_without_repetition(lines: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether each product appears in only one of an order's lines."""
    products = [line["product_id"] for line in lines]
    return len(set(products)) == len(products)


def is_key(key: Any) -> bool:
    """Return whether a value is a valid Idempotency-Key."""
    return isinstance(key, str) and 1 <= len(key) <= 255 and not re.search("[\ud800-\udfff]", key)


def is_json(media_type: str) -> bool:
    """Return whether the APIs accept this Content-Type. It must be JSON, and its charset, if stated, must be UTF-8."""
    kind, _, parameters = media_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


@cache
def body_schema(operation: str) -> dict[str, Any]:
    """Return the JSON Schema of an operation's request body."""
    name = "http-api.yaml" if operation == "putProduct" else "rest-api.yaml"
    found = [each for each in openapi.operations(openapi.load(name)) if each.operation_id == operation]
    return dict(found[0].request_schema or {})
