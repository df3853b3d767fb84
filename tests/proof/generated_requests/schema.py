"""Runs schemathesis on an OpenAPI document: boundary values, random values, and sequences of operations.

Schemathesis checks the status, body, headers and content type of each response. It also checks that the API accepts
valid data, rejects invalid data, and requires a token. `answers_as_the_contract_says` adds checks that a schema can't
express: the error code of each status, and the response to an unknown method.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

import schemathesis
from schemathesis import engine
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData

from components.aws import openapi
from contracts.orders import LARGEST_ID_LIST
from local.client import Answer
from tests.contracts import answers
from tests.journeys.checked_client import breaches
from tests.proof.generated_requests.bodies import body_schema, is_name
from tests.proof.generated_requests.values import fields

WsgiApp = Callable[..., Any]
REST: Final = "rest-api.yaml"
HTTP: Final = "http-api.yaml"
_BAD_REQUEST: Final = 400
_PRODUCT_ID: Final = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_config: Any = cast("Any", schemathesis.Config).from_dict
# schemathesis tries these methods even on paths for which the document doesn't list them. HEAD is left out, because its
# responses have no body to check. OPTIONS is left out, because API Gateway handles preflight requests.
_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The API that schemathesis sends requests to."""

    document: str
    """File name of the OpenAPI document in contracts/."""
    token: str
    base_url: str | None = None
    """URL of the API, or None if `app` is set."""
    app: WsgiApp | None = None
    """WSGI application that responds in this process, or None if `base_url` is set."""
    without: tuple[str, ...] = ()
    """Paths of the document to which no requests are sent."""
    products: tuple[str, ...] = ()
    """Ids of products in stock. Generated orders use these ids in their first lines."""
    address: str = ""
    """Verified address of the caller. In a generated profile, this address replaces any other valid address."""


@dataclass
class Found:
    """The results of all generated requests."""

    cases: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """Number of responses by operation ("POST /orders") and status."""
    failures: list[str] = field(default_factory=list[str])

    @property
    def server_errors(self) -> int:
        """Number of responses with status 500 or above."""
        return sum(number for (_, status), number in self.answers.items() if status >= 500)

    @property
    def asked(self) -> set[str]:
        """Operations that received at least one request."""
        return {operation for operation, _ in self.answers}

    @property
    def succeeded(self) -> set[str]:
        """Operations that responded with success at least once."""
        return {operation for operation, status in self.answers if status < 300}


@schemathesis.check
def answers_as_the_contract_says(_: Any, response: Any, case: Any) -> None:
    """Validate the response against the document, including the error code."""
    base = urlsplit(case.operation.schema.config.base_url or "").path.rstrip("/")
    document = REST if "REST" in case.operation.schema.raw_schema["info"]["title"] else HTTP
    headers = {name.lower(): values[0] for name, values in response.headers.items()}
    answer = Answer(response.status_code, headers, response.content.decode())
    path = urlsplit(str(response.request.url)).path.removeprefix(base)
    found = breaches(document, response.request.method, path, answer)
    assert not found, "; ".join(found)


def attack(target: Target, *, cases: int, seed: int | None = None, thorough: bool = True) -> Found:
    """Send at least `cases` requests, and return the results.

    Requests are the same each time if `seed` is set. If `thorough` is true, the run starts with all boundary values.
    """
    found, run = Found(), 0
    while found.cases < cases and not found.failures:
        left = cases - found.cases
        for event in engine.from_schema(_schema(target, left, seed, run, boundaries=thorough and run == 0)).execute():
            _take_down(event, found)
        run += 1
    return found


def _schema(target: Target, left: int, seed: int | None, run: int, *, boundaries: bool) -> Any:
    document = openapi.load(target.document)
    for path in target.without:
        del document["paths"][path]
    settings = _settings(target, len(list(openapi.operations(document))), left, boundaries=boundaries)
    if target.base_url:
        settings["base-url"] = target.base_url
    if seed is not None:
        settings["seed"] = seed + run
    schema: Any = schemathesis.openapi.from_dict(document, config=_config(settings))
    if target.app is not None:
        schema.app = target.app

    _add_hooks(schema, target)
    return schema


def _add_hooks(schema: Any, target: Target) -> None:
    """Let schemathesis use ids and addresses of `target`, and accept rejections by rules outside the schemas."""

    # schemathesis doesn't know the rules that are only in the document's descriptions, because JSON Schema draft 4
    # can't express them. If the API rejects data that breaks one of them, schemathesis finds a failure, although the
    # rejection is correct.
    def filter_failure(_: Any, failure: Failure, case: Any, response: Any) -> bool:
        if isinstance(failure, AcceptedNegativeData):
            return not is_accepted_by_a_rule(case.query or {})
        if not isinstance(failure, RejectedPositiveData) or response.status_code != _BAD_REQUEST:
            return True
        return not is_refused_by_a_rule(case.query or {}, case.body, target.address)

    def map_body(_: Any, body: Any) -> Any:
        items: Any = fields(body).get("items")
        lines = cast("list[Any]", items) if isinstance(items, list) else []
        for line, product_id in zip(lines, target.products, strict=False):
            named = fields(line).get("product_id")
            if isinstance(named, str) and _PRODUCT_ID.fullmatch(named):
                line["product_id"] = product_id
        if target.address and "email" in fields(body) and not answers.breaches(_address_schema(), body["email"]):
            body["email"] = target.address
        return body

    schema.hook(filter_failure)
    schema.hook(map_body)


def _settings(target: Target, operations: int, left: int, *, boundaries: bool) -> dict[str, Any]:
    """Return schemathesis's settings for about `left` requests to a document with this number of `operations`."""
    # Maximum number of requests to one operation in each of the two phases that generate random requests.
    examples = max(2, min(60, left // operations // 2))
    return {
        "headers": {"Authorization": f"Bearer {target.token}"},
        "generation": {"max-examples": examples, "with-security-parameters": False, "database": "none"},
        "phases": {
            "examples": {"enabled": False},
            "coverage": {"enabled": boundaries, "unexpected-methods": list(_METHODS)},
            "stateful": {"max-steps": 4},
        },
        "checks": {
            # This check is disabled. For a method that is not in the document, it expects 405, but the contract
            # requires 404. `answers_as_the_contract_says` checks for 404.
            "unsupported_method": {"enabled": False},
            # This check repeats a request with other credentials. It needs an API Gateway that checks credentials, so
            # it is enabled only for requests over HTTP. See also the attack `wrong-tokens` (tests/proof/tokens).
            "ignored_auth": {"enabled": target.app is None},
            "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409"]},
            "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415"]},
        },
        "continue-on-failure": True,
    }


def is_accepted_by_a_rule(query: Mapping[str, Any]) -> bool:
    """Return whether a list of ids is longer than the document allows only because it repeats ids.

    The API counts a repeated id once, which the description of `ids` says.
    """
    ids = query.get("ids", "")
    given = ",".join(map(str, cast("list[Any]", ids) if isinstance(ids, list) else [ids])).split(",")
    return len(given) > LARGEST_ID_LIST >= len(set(given))


def is_refused_by_a_rule(query: Mapping[str, Any], body: Any, address: str) -> bool:
    """Return whether a rule outside the schemas rejects the data of a caller with the verified address `address`.

    These rules reject cursors that the API didn't return, `ids` with `limit`, repeated products, U+FFFD in names, links
    in the names of profiles, and profiles with an address of somebody else. schemathesis doesn't replace the address in
    requests with boundary values. They also reject a list with one empty id, because it looks like an empty list in a
    URL.
    """
    if query.get("ids") in ("", [""]):
        return True
    name: Any = fields(body).get("name")
    if "email" in fields(body) and (fields(body)["email"] != address or (isinstance(name, str) and not is_name(name))):
        return True
    products = [line["product_id"] for line in fields(body).get("items", ())]
    is_repeated = len(set(products)) < len(products)
    return (
        "cursor" in query or {"ids", "limit"} <= set(query) or is_repeated or "\N{REPLACEMENT CHARACTER}" in str(name)
    )


def _address_schema() -> dict[str, Any]:
    return body_schema("createUser")["properties"]["email"]


def _take_down(event: Any, found: Found) -> None:
    if isinstance(event, events.NonFatalError | events.FatalError):
        found.failures.append(str(getattr(event, "info", None) or getattr(event, "exception", event)))
    if not isinstance(event, events.ScenarioFinished):
        return
    for case_id, interaction in event.recorder.interactions.items():
        if interaction.response is not None:
            found.cases += 1
            recorded: dict[str, Any] = {**event.recorder.cases}
            found.answers[recorded[case_id].value.operation.label, interaction.response.status_code] += 1
    for nodes in event.recorder.checks.values():
        for node in nodes:
            if node.failure_info is not None:
                sample = node.failure_info.code_sample
                found.failures.append(f"{node.name}: {node.failure_info.failure.message}\n{sample}"[:2000])
