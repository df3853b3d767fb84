"""Compares the permissions that a Pulumi program grants with those that it needs.

No permission may be unused, missing or too broad.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tests.proof.least_privilege.grants import Grant, of_graph, unread
from tests.proof.least_privilege.needs import needed
from tests.support.graph import Graph

# Actions that the functions' code can call. The resource graph doesn't show which function needs which of these
# actions, so the attack runs the functions to find out.
CALLED_BY_CODE: Final = (
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    *("events:PutEvents", "s3:PutObject", "ses:SendEmail", "states:StartExecution"),
    *("sqs:SendMessage", "sqs:ChangeMessageVisibility"),
)
# The emulator does not check permissions for these actions, so running a function cannot show that they are needed. The
# audit derives the need for them from the resource graph (see needs.py).
ASKED_BY_AWS_ALONE: Final = ("dynamodb:ListStreams", "xray:", "logs:")
_UNASKED_POLICIES: Final = ("topic ", "key ", "trust rest-api-log")
# Wildcards that the audit accepts. Each key is the end of a resource pattern, and its value is the reason why the
# pattern is not narrower.
WIDE: Final = {
    ":log-stream:*": "Lambda chooses the names of log streams",
    "/orders/*": "each event becomes one object with its own key",
    "site-ACCOUNT/*": "every object of the bucket is a public page of the site",
    ":identity/*": "SES checks the identity of the sender or the recipient; ses:FromAddress limits the sender",
    ":ACCOUNT:*": "all APIs of an account and region share one log role",
}
# The audit accepts the resource * for actions with these prefixes. AWS supports no narrower resource for traces, for
# log deliveries and for ListStreams (see AWS's Service Authorization Reference).
_NOWHERE: Final = ("xray:", "logs:", "dynamodb:ListStreams")


@dataclass(frozen=True)
class Audit:
    """All errors found in a program's permissions, each as a text."""

    unused: list[str]
    """Permissions that nothing needs, or that are granted twice."""
    missing: list[str]
    """Permissions that the resources need but that aren't granted."""
    wildcard_actions: list[str]
    unread: list[str]
    """Resources that grant permissions in a way that this audit doesn't check."""
    wide: list[str]
    """Permissions whose resource contains a wildcard that the audit doesn't accept."""
    shared: list[str]
    """Roles that several functions share."""

    def faults(self) -> list[str]:
        """Return all errors, each with its kind."""
        return [f"{kind}: {each}" for kind, found in vars(self).items() for each in found]


def audit(graph: Graph) -> Audit:
    """Compare the permissions that a program grants with those that it needs. `graph` is its resource graph."""
    given, needs = Counter(of_graph(graph)), needed(graph)
    roles = Counter(str(made.inputs["role"]) for made in graph.of("Function") if made.custom)
    twice = [grant for grant, times in given.items() if times > 1]
    return Audit(
        unused=_said([*twice, *(grant for grant in given if grant not in needs and not by_code(grant, graph))]),
        missing=_said([grant for grant in needs if grant not in given]),
        wildcard_actions=_said([grant for grant in given if "*" in grant.action]),
        unread=unread(graph),
        wide=_said([grant for grant in given if "*" in grant.resource and not _reason(grant)]),
        shared=[role for role, times in roles.items() if times > 1],
    )


def by_code(grant: Grant, graph: Graph) -> bool:
    """Return whether this is a permission of a function's role for an action that the functions' code calls."""
    names = {made.inputs["name"].removeprefix(f"orders-{graph.stack}-") for made in graph.of("Function") if made.custom}
    return grant.policy.partition(" ")[::2] in {("role", name) for name in names} and grant.action in CALLED_BY_CODE


def asked_by_aws_alone(grant: Grant) -> bool:
    """Return whether AWS checks this permission but the emulator doesn't."""
    return grant.action.startswith(ASKED_BY_AWS_ALONE) or grant.policy.startswith(_UNASKED_POLICIES)


def _reason(grant: Grant) -> str:
    if grant.resource == "*":
        if grant.policy.startswith("key "):
            return "in a key's policy, * is the key itself"
        return "the action supports no resource-level permissions" if grant.action.startswith(_NOWHERE) else ""
    return next((reason for end, reason in WIDE.items() if grant.resource.endswith(end)), "")


def _said(grants: list[Grant]) -> list[str]:
    return sorted(map(str, grants))
