"""Tests that docs/data.md lists every place with its retention time, and that no resource logs personal data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.proof.canaries.canaries import Canaries
from tests.proof.canaries.table import DOCUMENT, Row, kinds_explained, places_of, rows, stale, strays
from tests.proof.plugin import Proof
from tests.support.graph import Graph

pytestmark = pytest.mark.attack("canaries")

_TEXT: Final = DOCUMENT.read_text(encoding="utf-8")
# The only fields that an access log is allowed to contain. None of them contains the caller's id, the caller's address,
# or a path with the id of a resource.
_LOGGED: Final = re.compile(
    r"\$context[.](requestId|extendedRequestId|xrayTraceId|requestTime|httpMethod|resourcePath|routeKey|status|"
    r"responseLength|responseLatency|integration[.](latency|status|error)|error[.](message|responseType)|"
    r"authorizer[.]error|waf[.]status)"
)
# No function may have an environment variable whose name starts with one of these texts. With these variables,
# Powertools or Lambda would log events and responses.
_TALKATIVE: Final = (
    "POWERTOOLS_LOGGER_LOG_EVENT",
    "POWERTOOLS_TRACER_CAPTURE",
    "POWERTOOLS_DEBUG",
    "POWERTOOLS_DEV",
    "AWS_LAMBDA_LOG",
)


@pytest.fixture(scope="module")
def table() -> Mapping[str, Row]:
    """The table of docs/data.md."""
    return rows(_TEXT)


def test_data_md_lists_every_place_where_prod_stores_data_with_its_retention_time(
    table: Mapping[str, Row], graph_of: Callable[[str], Graph], proof: Proof
) -> None:
    made = places_of(graph_of("prod"))
    proof.tried(places_of_the_graph=len(made))
    assert {place: table[place].kept if place in table else "no line" for place in made} == made


def test_place_with_data_that_data_md_omits_is_reported(
    table: Mapping[str, Row], graph_of: Callable[[str], Graph]
) -> None:
    prod = graph_of("prod")
    assert set(places_of(prod)) - (table.keys() - {"log of users_api"}) == {"log of users_api"}


def test_data_md_says_why_each_place_stores_data_and_explains_each_kind_of_data(table: Mapping[str, Row]) -> None:
    assert [row.place for row in table.values() if not row.why] == []
    used = {kind for row in table.values() for kind in row.kinds}
    assert used <= kinds_explained(_TEXT)


def test_data_md_allows_tokens_and_passwords_only_in_local_files(table: Mapping[str, Row]) -> None:
    holding = {row.place for row in table.values() if row.kinds & {"token", "password"}}
    assert holding == {"outputs.json and state.json"}


def test_access_logs_contain_neither_the_caller_nor_ids_of_resources(graph: Graph) -> None:
    for kind in ("aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage"):
        (stage,) = graph.of(kind)
        fields = json.loads(stage.inputs["accessLogSettings"]["format"])
        assert [value for value in fields.values() if not _LOGGED.fullmatch(value)] == []


def test_gateways_and_functions_log_no_request_data(graph: Graph) -> None:
    (settings,) = graph.of("MethodSettings")
    assert settings.inputs["settings"]["dataTraceEnabled"] is False
    assert settings.inputs["settings"]["loggingLevel"] in ("OFF", "ERROR")
    for function in (each for each in graph.of("aws:lambda/function:Function") if each.custom):
        variables = function.inputs["environment"]["variables"]
        # Only dev and the stacks of pull requests are allowed to use the log level DEBUG. The tests in test_canaries.py
        # also passed at this level, so the functions log no request data when they use it.
        assert variables["LOG_LEVEL"] != "DEBUG" or graph.stack in ("dev", "pr")
        assert [name for name in variables if name.startswith(_TALKATIVE)] == []


def test_firewall_logs_only_blocked_requests_and_no_tokens(
    graph_of: Callable[[str], Graph],
) -> None:
    (logging,) = graph_of("prod").of("WebAclLoggingConfiguration")
    redacted = json.dumps(logging.inputs["redactedFields"])
    assert not [name for name in ("authorization", "cookie", "queryString") if name not in redacted]
    assert logging.inputs["loggingFilter"]["defaultBehavior"] == "DROP"
    (kept,) = logging.inputs["loggingFilter"]["filters"]
    assert kept["conditions"] == [{"actionCondition": {"action": "BLOCK"}}]
    (acl,) = graph_of("prod").of("WebAcl")
    assert acl.inputs["visibilityConfig"]["sampledRequestsEnabled"] is False


def test_report_names_data_in_wrong_places_and_allowed_data_that_was_not_found(table: Mapping[str, Row]) -> None:
    right = {row.place: set(row.kinds) for row in table.values()}
    assert (strays(right, table), stale(right, table)) == ([], [])
    assert strays({**right, "log of users_api": {"name"}}, table) == ["log of users_api: name"]
    assert strays({**right, "log of a new function": {"order id"}}, table) == ["log of a new function: order id"]
    assert stale({**right, "mails": set(table["mails"].kinds) - {"name"}}, table) == ["mails: name"]


def test_canary_is_found_in_every_encoding() -> None:
    words = Canaries()
    word = words.new("name")
    for text in (
        word,
        word.upper(),
        base64.b64encode(f"a name: {word}".encode()).decode(),
        base64.urlsafe_b64encode(json.dumps({"name": word}).encode()).decode().rstrip("="),
        "".join(f"%{ord(letter):02x}" for letter in word),
        "".join(f"\\u{ord(letter):04x}" for letter in word),
        json.dumps({"body": list(f'{{"name": "{word}"}}'.encode())}),
    ):
        assert words.kinds_within(text) == {"name"}, text
    assert words.kinds_within("another word") == set()
