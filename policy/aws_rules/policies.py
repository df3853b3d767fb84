"""Policy documents: of roles, of resources, and of who may assume a role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

Statement = Mapping[str, Any]


def statements(document: object) -> list[Statement]:
    """Return the statements of a policy's JSON text."""
    parsed = json.loads(document) if isinstance(document, str) else document
    if not isinstance(parsed, Mapping):
        return []
    return [cast("Statement", each) for each in listed(cast("Mapping[str, Any]", parsed).get("Statement"))]


def allowing(document: object) -> list[Statement]:
    """Return the statements that allow something."""
    return [each for each in statements(document) if each.get("Effect") == "Allow"]


def listed(value: object) -> list[Any]:
    """Return a value that IAM's grammar lets stand alone or in a list as a list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def actions(statement: Statement) -> list[str]:
    """Return its actions; NotAction allows all but a few, so it counts as all."""
    return ["*"] if "NotAction" in statement else [str(each) for each in listed(statement.get("Action"))]


def resources(statement: Statement) -> list[str]:
    """Return its resources; NotResource counts as all."""
    return ["*"] if "NotResource" in statement else [str(each) for each in listed(statement.get("Resource"))]


def accounts(statement: Statement) -> list[str]:
    """Return the AWS principals: `*`, ARNs, account numbers."""
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return [str(each) for each in listed(cast("Mapping[str, Any]", principal).get("AWS"))]
    return [str(each) for each in listed(principal)]


def for_everybody(statement: Statement) -> bool:
    """Whether it is about every principal. NotPrincipal counts as that."""
    return "*" in accounts(statement) or "NotPrincipal" in statement


def refuses_plain_http(document: object, action: str, *arns: str) -> bool:
    """Whether a statement denies `action` on all of `arns` to everybody who comes without TLS."""
    for statement in statements(document):
        condition = cast("Mapping[str, Mapping[str, Any]]", statement.get("Condition") or {}).get("Bool") or {}
        if (
            statement.get("Effect") == "Deny"
            and for_everybody(statement)
            and {action, "*"} & set(actions(statement))
            and set(arns) <= set(resources(statement))
            and str(condition.get("aws:SecureTransport")).lower() == "false"
        ):
            return True
    return False


def open_to_everybody(document: object) -> Iterator[str]:
    """Yield what a resource's policy allows to every principal."""
    for statement in allowing(document):
        if for_everybody(statement):
            yield f"everybody may {', '.join(actions(statement))}; name the principal"
