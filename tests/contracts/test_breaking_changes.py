"""Tests that each contract still fits the clients of the newest release, unless the contract has a new version.

The OpenAPI documents have their version in `info`, and the outputs have `contractVersion`. An event has no version. A
breaking change of an event needs a new detail type instead.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from components.aws import openapi
from tests.contracts.compatibility import OPEN, document_breaks, schema_breaks
from tests.contracts.test_openapi import DOCUMENTS
from tests.engine import releases
from tests.releases import sources, stored

OUTPUTS: Final = "frontend-outputs.schema.json"
ACCEPTED: Final[Mapping[str, str]] = {
    r"POST /users body\.(name|email): pattern changed": (
        "Links in names and other people's email addresses would allow attacks."
    ),
    r"(POST|GET) /orders(/\{order_id\})? 20[02][a-z.\[\]]*\.reason\.code: enum widened": (
        "Only clients that send expected_total get the code PriceChanged."
    ),
    r"POST /process 409\.code: enum widened": "Only clients that send expected_total get the code PriceChanged.",
    r"POST (/orders/\{order_id\}/cancel|/process) 200\.reason(\.\w+)?: field removed": (
        "A cancelled or confirmed order never had a reason."
    ),
    r"OrderRejected \.order\.reason\.code: enum widened": "Consumers must know PriceChanged before it is published.",
}
"""Breaking changes since the newest release that are intended, with the reason. contracts/CHANGELOG.md tells
consumers about each of them. A new release empties this list."""


@cache
def released() -> dict[str, Any]:
    """Return the contracts of the newest release as {path in contracts/: contract}."""
    archive = (releases.FOLDER / stored.versions()[-1] / "sources.tar.xz").read_bytes()
    files = {path.removeprefix("contracts/"): content for path, content in sources.unpacked(archive).items()}
    return {
        path: openapi.parse(content.decode())
        for path, content in files.items()
        if path in DOCUMENTS or path == OUTPUTS or path.startswith("events/")
    }


def outputs_version(schema: Mapping[str, Any]) -> object:
    return schema["properties"].get("contractVersion", {}).get("enum")


def current(path: str) -> Any:
    """Return a copy of the present contract `contracts/{path}`, which the caller may change."""
    return copy.deepcopy(parsed(path))


@cache
def parsed(path: str) -> Any:
    return openapi.parse((openapi.CONTRACTS / path).read_text(encoding="utf-8"))


def breaks(path: str, old: Any, new: Any) -> list[str]:
    if path in DOCUMENTS:
        return document_breaks(old, new)
    if path == OUTPUTS:
        return schema_breaks(old, new, version=outputs_version)
    return [f"{path.removeprefix('events/').removesuffix('.json')} {line}" for line in schema_breaks(old, new)]


def test_nothing_breaks_the_clients_of_the_newest_release() -> None:
    found = [line for path, old in released().items() for line in breaks(path, old, current(path))]
    assert [line for line in found if not any(re.fullmatch(each, line) for each in ACCEPTED)] == []
    assert [each for each in ACCEPTED if not any(re.fullmatch(each, line) for line in found)] == []


def test_every_contract_of_the_newest_release_is_checked_for_breaking_changes() -> None:
    events = {f"events/{path.name}" for path in (openapi.CONTRACTS / "events").glob("*.json")}
    assert {*DOCUMENTS, OUTPUTS} <= {*released()} <= {*DOCUMENTS, OUTPUTS, *events}


def order(document: Any) -> Any:
    return document["components"]["schemas"]["PendingOrder"]


def lines(document: Any) -> Any:
    return document["components"]["schemas"]["NewOrder"]["properties"]["items"]


def line(document: Any) -> Any:
    return document["components"]["schemas"]["NewOrderLine"]


def place(document: Any) -> Any:
    return document["paths"]["/orders"]["post"]


def remove_route(document: Any) -> None:
    del document["paths"]["/orders/{order_id}/cancel"]


def remove_method(document: Any) -> None:
    del document["paths"]["/orders"]["get"]


def rename_operation(document: Any) -> None:
    place(document)["operationId"] = "placeOrder"


def require_scope(document: Any) -> None:
    document["security"] = [{"userPoolIdToken": ["orders"]}]


def require_parameter(document: Any) -> None:
    document["components"]["parameters"]["IdempotencyKey"]["required"] = True


def remove_parameter(document: Any) -> None:
    place(document)["parameters"] = []


def narrow_parameter(document: Any) -> None:
    document["components"]["parameters"]["Limit"]["schema"]["maximum"] = 50


def remove_request_field(document: Any) -> None:
    del document["components"]["schemas"]["NewOrder"]["properties"]["expected_total"]


def require_request_field(document: Any) -> None:
    document["components"]["schemas"]["NewOrder"]["required"].append("expected_total")


def narrow_type(document: Any) -> None:
    line(document)["properties"]["quantity"] = {"type": "string"}


def narrow_limit(document: Any) -> None:
    lines(document)["maxItems"] = 24


def add_limit(document: Any) -> None:
    document["components"]["schemas"]["ProductId"]["maxLength"] = 10


def narrow_pattern(document: Any) -> None:
    document["components"]["schemas"]["ProductId"]["pattern"] = "^[a-z]+$"


def add_request_enum(document: Any) -> None:
    document["components"]["schemas"]["ProductId"]["enum"] = ["teapot"]


def remove_response_field(document: Any) -> None:
    del order(document)["properties"]["user_id"]
    for each in ("ConfirmedOrder", "RejectedOrder", "FailedOrder", "CancelledOrder"):
        del document["components"]["schemas"][each]["properties"]["user_id"]


def remove_optional_field(document: Any) -> None:
    del document["components"]["schemas"]["OrderPage"]["properties"]["next_cursor"]


def make_field_optional(document: Any) -> None:
    order(document)["required"].remove("user_id")


def change_response_type(document: Any) -> None:
    document["components"]["schemas"]["Total"] = {"type": "string"}


def widen_response_limit(document: Any) -> None:
    document["components"]["schemas"]["UnitPrice"]["maximum"] += 1


def widen_closed_enum(document: Any) -> None:
    order(document)["properties"]["status"]["enum"].append("WAITING")


def change_code(document: Any) -> None:
    response = document["components"]["responses"]["OrderNotFound"]
    response["description"] = response["description"].replace("OrderNotFound", "NoSuchOrder")


def remove_success(document: Any) -> None:
    place(document)["responses"]["200"] = place(document)["responses"].pop("202")


def remove_header(document: Any) -> None:
    del place(document)["responses"]["202"]["headers"]["Location"]


RED: Final = [
    (remove_route, "route removed"),
    (remove_method, "route removed"),
    (rename_operation, "operationId changed"),
    (require_scope, "security changed"),
    (require_parameter, "parameter is required now"),
    (remove_parameter, "parameter removed"),
    (narrow_parameter, "maximum narrowed"),
    (remove_request_field, "field removed"),
    (require_request_field, "required field added"),
    (narrow_type, "type changed"),
    (narrow_limit, "maxItems narrowed"),
    (add_limit, "maxLength narrowed"),
    (narrow_pattern, "pattern changed"),
    (add_request_enum, "enum narrowed"),
    (remove_response_field, "field removed"),
    (remove_optional_field, "field removed"),
    (make_field_optional, "optional now"),
    (change_response_type, "type changed"),
    (widen_response_limit, "maximum widened"),
    (widen_closed_enum, "enum widened"),
    (change_code, "code OrderNotFound removed"),
    (remove_success, "status 202 removed"),
    (remove_header, "removed or optional now"),
]


def add_route(document: Any) -> None:
    document["paths"]["/receipts"] = copy.deepcopy(document["paths"]["/orders"])


def add_parameter(document: Any) -> None:
    place(document)["parameters"].append({"name": "dry_run", "in": "query", "schema": {"type": "boolean"}})


def add_request_field(document: Any) -> None:
    document["components"]["schemas"]["NewOrder"]["properties"]["note"] = {"type": "string"}


def widen_request(document: Any) -> None:
    lines(document)["maxItems"] = 26
    line(document)["properties"]["quantity"] = {"type": "integer", "minimum": 0}


def add_response_field(document: Any) -> None:
    order(document)["properties"]["note"] = {"type": "string"}
    order(document)["required"].append("note")


def add_error_status(document: Any) -> None:
    place(document)["responses"]["503"] = {"$ref": "#/components/responses/ServiceUnavailable"}


def widen_open_enum(document: Any) -> None:
    codes = document["components"]["schemas"]["RejectionReason"]["properties"]["code"]
    assert OPEN in codes["description"]
    codes["enum"].append("TooExpensive")


def reword(document: Any) -> None:
    document["info"]["description"] = place(document)["summary"] = "Other words."


@pytest.mark.parametrize(("change", "reported"), RED, ids=lambda value: getattr(value, "__name__", ""))
def test_breaking_change_is_reported(change: Callable[[Any], None], reported: str) -> None:
    new = changed("rest-api.yaml", change)
    found = document_breaks(current("rest-api.yaml"), new)
    assert [line for line in found if reported in line], found
    new["info"]["version"] = "2"
    assert document_breaks(current("rest-api.yaml"), new) == []


@pytest.mark.parametrize(
    "change",
    [
        *(add_route, add_parameter, add_request_field, widen_request, add_response_field, add_error_status),
        *(widen_open_enum, reword),
    ],
)
def test_compatible_change_is_not_reported(change: Callable[[Any], None]) -> None:
    assert document_breaks(current("rest-api.yaml"), changed("rest-api.yaml", change)) == []


def changed(path: str, change: Callable[[Any], None]) -> Any:
    new = current(path)
    change(new)
    assert new != current(path)
    return new


def variations(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield (end of the expected finding, changed schema) for many breaking changes of `schema`.

    `schema` is the schema of an event or of the outputs.
    """
    for field in schema["required"]:
        new = copy.deepcopy(schema)
        del new["properties"][field]
        new["required"].remove(field)
        yield f".{field}: field removed", new
        new = copy.deepcopy(schema)
        new["properties"][field]["type"] = "boolean"
        yield f".{field}: type changed", new
        new = copy.deepcopy(schema)
        new["required"].remove(field)
        yield f".{field}: optional now", new


@pytest.mark.parametrize("path", [OUTPUTS, "events/OrderConfirmed.json"])
def test_breaking_change_of_outputs_or_an_event_is_reported(path: str) -> None:
    schema = current(path)
    for reported, new in variations(schema):
        assert any(line.endswith(reported) for line in breaks(path, schema, new)), reported


def test_incompatible_change_of_the_outputs_is_allowed_if_their_version_changes_too() -> None:
    schema = current(OUTPUTS)
    new = json.loads(json.dumps(schema).replace('"enum": ["1"]', '"enum": ["2"]'))
    del new["properties"]["auth"]
    new["required"].remove("auth")
    assert breaks(OUTPUTS, schema, new) == []
