"""Generates the table of docs/permissions.md, which shows auditors who may do what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from tests.proof.least_privilege.grants import Grant, of_graph
from tests.proof.least_privilege.needs import needed
from tests.support.graph import Graph

HEAD: Final = ("who", "may call", "on", "only if", "why (with the AWS document)", "granted by")
_CODE: Final = "The function's code calls these actions"
# Every function has permissions for these two reasons, so the table lists them once, for "every function".
_OF_ALL: Final = ("The function writes its log", "The function sends its traces")
_KEYS: Final = {
    "aws:sourcearn": "aws:SourceArn",
    "aws:sourceaccount": "aws:SourceAccount",
    "ses:fromaddress": "ses:FromAddress",
}
_TITLES: Final = {
    "role": "policy of the role",
    "trust": "trust policy of the role",
    "function": "policy of the function",
    "queue": "policy of the queue",
    "topic": "policy of the topic",
    "bucket": "policy of the bucket",
    "key": "policy of the key",
}


def rows(graph: Graph) -> list[tuple[str, ...]]:
    """Return the table's rows.

    Permissions share a row if they differ only in their actions, or if they allow the same actions on different
    resources.
    """
    needs = needed(graph)
    actions: defaultdict[tuple[str, str, str, str, str], list[str]] = defaultdict(list)
    of_all = {grant for grant, reason in needs.items() if reason.startswith(_OF_ALL)}
    for grant in sorted(set(of_graph(graph)), key=lambda grant: (grant not in of_all, *_order(grant))):
        kind = grant.policy.partition(" ")[0]
        reason, who, resource = needs.get(grant, _CODE), _short(grant.who), _short(grant.resource)
        if grant in of_all:
            who, resource = "every function", resource.replace(who, "NAME")
        found = actions[kind, who, resource, _limits(grant), reason]
        if grant.action not in found:
            found.append(grant.action)
    resources: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for (kind, who, resource, limits, reason), found in actions.items():
        resources[kind, who, _actions(found), limits, reason].append(resource)
    return [
        (who if " " in who else f"`{who}`", may, ", ".join(f"`{each}`" for each in on), limits, reason, _TITLES[kind])
        for (kind, who, may, limits, reason), on in resources.items()
    ]


def _order(grant: Grant) -> tuple[object, ...]:
    kind = grant.policy.partition(" ")[0]
    return list(_TITLES).index(kind), grant.policy, grant.who, grant.resource, grant.action, grant.when


def _actions(found: Iterable[str]) -> str:
    """Return the actions grouped by service: `dynamodb: GetItem, PutItem; sqs: SendMessage`."""
    by_service: defaultdict[str, list[str]] = defaultdict(list)
    for action in found:
        service, _, name = action.partition(":")
        by_service[service].append(name)
    return "; ".join(f"{service}: {', '.join(names)}" for service, names in by_service.items())


def _limits(grant: Grant) -> str:
    return (
        "; ".join(
            f"{_KEYS.get(key, key)} is {' or '.join(f'`{_short(value)}`' for value in values)}"
            + (" or is absent" if operator.endswith("IfExists") else "")
            for operator, key, values in grant.when
        )
        or "-"
    )


def _short(name: str) -> str:
    """Return the name of the resource whose ARN is `name`."""
    arn, name = name, name.split(":", 5)[-1]
    if name == "*":
        return arn
    return re.sub(r"^(table|event-bus|stateMachine|function|role|rule|log-group)[/:]", "", name)
