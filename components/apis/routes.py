"""Which function answers each operation of the APIs. A new route names its function here, and only here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from components.aws.openapi import Operation
from components.functions.function import FunctionSize

REST_API: Final = "rest-api.yaml"
HTTP_API: Final = "http-api.yaml"
WORKFLOW: Final = "order workflow"
"""Answers an operation without a function between."""

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


def function_of(operation_id: str) -> str:
    """Return the folder of the function that answers an operation, or WORKFLOW. Raises ValueError without an answer."""
    found = [answers[operation_id] for answers in _ANSWERED_BY.values() if operation_id in answers]
    if not found:
        raise ValueError(
            f"operation {operation_id!r}: no function answers it; name its function in components/apis/routes.py"
        )
    return found[0]


def check(document: str, operations: Iterable[Operation], functions: Iterable[str]) -> None:
    """Raise ValueError unless the API's `functions` answer exactly the operations of `contracts/{document}`."""
    answers, found, own = _ANSWERED_BY[document], {each.operation_id for each in operations}, sorted(functions)
    if found != set(answers):
        raise ValueError(
            f"contracts/{document}: no function answers the operations {sorted(found - set(answers))}, and the "
            f"document lacks the operations {sorted(set(answers) - found)}; name each operation's function in "
            "components/apis/routes.py"
        )
    if unknown := set(answers.values()) - {WORKFLOW} - set(own):
        raise ValueError(
            f"components/apis/routes.py: {document} is answered by {sorted(unknown)}; the API has only the functions "
            f"{own}; declare the function in the API's component"
        )


def check_timeouts(functions: Iterable[str], sizes: Mapping[str, FunctionSize], limit_s: float) -> None:
    """Raise ValueError unless each function has a size, and ends before API Gateway gives up on it."""
    for name in functions:
        if name not in sizes:
            raise ValueError(f"size of {name}: got none; give it one in the stack's settings")
        if sizes[name].timeout_s >= limit_s:
            raise ValueError(f"timeout of {name}: got {sizes[name].timeout_s} s; API Gateway waits {limit_s:g} s")


def permitted_paths(operations: Iterable[Operation], function: str) -> dict[str, str]:
    """Return the patterns of paths that API Gateway may invoke `function` for, each by a name.

    There is one pattern for the first part of all paths that have it: `/orders*`, called `orders`. Its `*` stands for
    slashes too, so it allows the rest of a path, and the slash that a client may send at its end.
    """
    own = [operation.path for operation in operations if function_of(operation.operation_id) == function]
    firsts = dict.fromkeys(path.split("/")[1] for path in own)
    return {re.sub(r"[^a-z0-9]+", "-", first.lower()).strip("-"): f"/{first}*" for first in firsts}
