"""Reads IAM policy documents: policies of roles, resource policies and trust policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

Statement = Mapping[str, Any]


def statements(document: object) -> list[Statement]:
    """Return the statements of `document`, a policy document as JSON text or as a mapping."""
    parsed = json.loads(document) if isinstance(document, str) else document
    if not isinstance(parsed, Mapping):
        return []
    return [cast("Statement", each) for each in listed(cast("Mapping[str, Any]", parsed).get("Statement"))]


def allowing(document: object) -> list[Statement]:
    """Return the statements of `document` with the effect Allow."""
    return [each for each in statements(document) if each.get("Effect") == "Allow"]


def listed(value: object) -> list[Any]:
    """Return `value` as a list. IAM's grammar allows both a single value and a list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def actions(statement: Statement) -> list[str]:
    """Return the actions of `statement`, or `*` if it has NotAction, which matches almost all actions."""
    return ["*"] if "NotAction" in statement else [str(each) for each in listed(statement.get("Action"))]


def resources(statement: Statement) -> list[str]:
    """Return the resources of `statement`, or `*` if it has NotResource."""
    return ["*"] if "NotResource" in statement else [str(each) for each in listed(statement.get("Resource"))]


def accounts(statement: Statement) -> list[str]:
    """Return the AWS principals of `statement`. Each principal is `*`, an ARN or an account id."""
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return [str(each) for each in listed(cast("Mapping[str, Any]", principal).get("AWS"))]
    return [str(each) for each in listed(principal)]


def for_everybody(statement: Statement) -> bool:
    """Return whether `statement` applies to all principals. A statement with NotPrincipal counts as applying to all."""
    return "*" in accounts(statement) or "NotPrincipal" in statement


def refuses_plain_http(document: object, action: str, *arns: str) -> bool:
    """Return whether the policy `document` denies every plain HTTP request for `action` on the resources `arns`."""
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
    """Yield a message for each statement of the resource policy `document` that allows an action to every principal."""
    for statement in allowing(document):
        if for_everybody(statement):
            yield f"allows {', '.join(actions(statement))} to everybody; name the principal"
