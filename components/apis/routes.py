"""Maps each operation of the APIs to the function that handles it. A new route needs an entry in this map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from components.aws.openapi import Operation
from components.functions.function import CallerLimit
from contracts.orders import API_TIMEOUT_S, LONGEST_BEHIND_API_S

REST_API: Final = "rest-api.yaml"
HTTP_API: Final = "http-api.yaml"
WORKFLOW: Final = "order workflow"
"""Value for an operation that API Gateway passes to the order workflow without a Lambda function."""

CALLER_LIMIT: Final = CallerLimit(
    at_most_s=LONGEST_BEHIND_API_S, because=f"API Gateway stops waiting after {API_TIMEOUT_S} s"
)

_ANSWERED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    REST_API: {
        "createUser": "users_api",
        "getUser": "users_api",
        "createOrder": "orders_api",
        "listOrders": "orders_api",
        "getOrder": "orders_api",
        "cancelOrder": "orders_api",
        "processOrder": WORKFLOW,
    },
    HTTP_API: {
        "listProducts": "catalog_api",
        "getProduct": "catalog_api",
        "putProduct": "catalog_api",
    },
}


def caller_limits() -> dict[str, CallerLimit]:
    """Return the highest allowed time limit of each function that API Gateway invokes, by the function's name."""
    return dict.fromkeys(functions(), CALLER_LIMIT)


def function_of(operation_id: str) -> str:
    """Return the folder of the function that handles an operation, or WORKFLOW if the order workflow handles it.

    Raises ValueError if no function handles the operation.
    """
    found = [answers[operation_id] for answers in _ANSWERED_BY.values() if operation_id in answers]
    if not found:
        raise ValueError(
            f"operation {operation_id!r}: no function handles it; add the operation to components/apis/routes.py"
        )
    return found[0]


def functions() -> tuple[str, ...]:
    """Return the folders of all functions that handle operations, in alphabetical order."""
    named = {function for answers in _ANSWERED_BY.values() for function in answers.values()}
    return tuple(sorted(named - {WORKFLOW}))


def check(document: str, operations: Iterable[Operation], functions: Iterable[str]) -> None:
    """Raise ValueError unless the API's `functions` handle exactly the operations of `contracts/{document}`."""
    answers, found, own = _ANSWERED_BY[document], {each.operation_id for each in operations}, sorted(functions)
    if found != set(answers):
        raise ValueError(
            f"contracts/{document}: no function handles the operations {sorted(found - set(answers))}, and the "
            f"document lacks the operations {sorted(set(answers) - found)}; list the same operations in the document "
            "and in components/apis/routes.py"
        )
    if unknown := set(answers.values()) - {WORKFLOW} - set(own):
        raise ValueError(
            f"components/apis/routes.py: operations of {document} use {sorted(unknown)}; the API has only the "
            f"functions {own}; declare the function in the API's component"
        )


def permitted_paths(operations: Iterable[Operation], function: str) -> dict[str, str]:
    """Return the path patterns for which API Gateway needs permission to invoke `function`.

    The patterns match the paths of all `operations` that `function` handles. There is one permission per first segment
    of the paths, and the result maps the permission's name to its pattern, for example `{"orders": "/orders*"}`. The
    `*` also matches slashes, so the pattern includes longer paths and a trailing slash.
    """
    own = [operation.path for operation in operations if function_of(operation.operation_id) == function]
    firsts = dict.fromkeys(path.split("/")[1] for path in own)
    return {re.sub(r"[^a-z0-9]+", "-", first.lower()).strip("-"): f"/{first}*" for first in firsts}
