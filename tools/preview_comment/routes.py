"""Compares the OpenAPI documents before and after an update, and lists the routes that the update changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from engine.graph import Graph
from operations.api_document import INTEGRATION, Route, changes
from operations.api_document import routes as routes_of
from tools.preview_comment.preview import UNKNOWN, Change, Inputs

APIS: Final[Mapping[str, str]] = {
    "aws:apigateway/restApi:RestApi": "REST API",
    "aws:apigatewayv2/api:Api": "HTTP API",
}
_NOTHING: Final = "{}"
# Clients do not notice changes to these parts of an API document.
_HARMLESS: Final = ("~ info", "~ openapi", "~ tags")
_GONE: Final = ": clients get 404 after the update"
# Matches what a route calls: the name of a Lambda function, or a Step Functions action such as StartSyncExecution.
_ANSWERS: Final = re.compile(r":(?:function:|(?=states:action/))([A-Za-z0-9_:/-]+?)(?::live)?[/\"]*(?:invocations)?\"")


def routes(changed: list[Change], program: Callable[[], Graph]) -> Iterator[tuple[str, list[str]]]:
    """Yield each API with a changed document, and one line per changed route, for example `+ GET /orders`.

    The preview does not contain a new document with an ARN that is known only after the update. In that case, the
    document comes from a run of the Pulumi program without AWS, which uses invented ARNs. The comparison then leaves
    out the parts of a route that contain ARNs.
    """
    for change in changed:
        if change.type not in APIS:
            continue
        old, new = _body(change.old), _body(change.new)
        name = APIS[change.type]
        if new == UNKNOWN:
            [made] = [each for each in program().resources if (each.type, each.name) == (change.type, change.name)]
            whole = str(made.inputs["body"])
            before, after = _without_arns(old), _without_arns(whole)
            if change.old is not None:
                name += ", without the integrations, which are known only after the update"
        else:
            whole, before, after = new, json.loads(old), json.loads(new)
        described = {f"+ {route.name}": _described(route) for route in routes_of(whole)}
        lines = [line for line in changes(before, after) if line not in _HARMLESS]
        if change.old is None:
            lines = [line for line in lines if line.startswith("+")]
        if lines:
            yield name, [line + described.get(line, _GONE if line.startswith("-") else "") for line in lines]


def _described(route: Route) -> str:
    """Return a text that says which backend handles requests to a new route, and whether requests need a token."""
    if route.is_fixed:
        return ": API Gateway itself always returns the same response"
    found = _ANSWERS.search(json.dumps(route.integration))
    access = "needs a token" if route.operation.get("security") else "OPEN TO EVERYBODY"
    return f": answered by {found[1] if found else 'an unknown integration'}, {access}"


def _body(inputs: Inputs | None) -> str:
    return str((inputs or {}).get("body") or _NOTHING)


def _without_arns(body: str) -> dict[str, Any]:
    document = cast("dict[str, Any]", json.loads(body))
    for item in document.get("paths", {}).values():
        for operation in item.values():
            if isinstance(operation, dict) and INTEGRATION in operation:
                operation[INTEGRATION] = {}
    document.get("components", {}).pop("securitySchemes", None)
    return document
