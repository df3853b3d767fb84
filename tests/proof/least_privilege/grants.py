"""Lists every permission that the policies of a resource graph, or of a deployed stack, grant.

A permission allows one principal one action on one resource, under the conditions of its statement. Names are stored
without project, stack, account and generated ids, so that permissions of different stacks can be compared.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tests.support.graph import ACCOUNT, Graph, Resource

When = tuple[tuple[str, str, tuple[str, ...]], ...]
"""The conditions of a statement: operator, key in lower case, and values."""

# Resource types that contain a policy. Each value is a pair: the input with the policy, and the first word of
# Grant.policy for this type.
_POLICIES: Final[Mapping[str, tuple[str, str]]] = {
    "aws:iam/rolePolicy:RolePolicy": ("policy", "role"),
    "aws:iam/role:Role": ("assumeRolePolicy", "trust"),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy", "queue"),
    "aws:sns/topicPolicy:TopicPolicy": ("policy", "topic"),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy", "bucket"),
    "aws:kms/key:Key": ("policy", "key"),
}
# The audit reports every resource of these types, because this module reads only policies of roles and of other
# resources. Attachments grant managed policies, whose text is not in the program. The other types belong to IAM users
# or groups.
FOREIGN: Final = ("RolePolicyAttachment", "PolicyAttachment", "User", "UserPolicy", "Group", "AccessKey")


@dataclass(frozen=True, order=True, kw_only=True)
class Grant:
    """One permission."""

    policy: str
    """The policy with the permission, for example `role users-api`, `trust users-api` or `queue analytics.fifo`."""
    who: str
    """The principal: a role's name, a service or an account."""
    action: str
    resource: str
    when: When = ()

    def __str__(self) -> str:
        limits = "".join(f" when {key} is {' or '.join(values)}" for _, key, values in self.when)
        return f"{self.policy}: {self.who} may {self.action} on {self.resource}{limits}"

    def covers(self, *, who: str, action: str, resource: str, context: Mapping[str, Any]) -> bool:
        """Return whether this permission allows the given request."""
        return (
            (self.who, self.action) == (who, action)
            and fnmatch.fnmatchcase(resource, self.resource)
            and all(
                any(fnmatch.fnmatchcase(str(context.get(key, "")), value) for value in values)
                for operator, key, values in self.when
                if not operator.endswith("IfExists") and key in context
            )
        )


def plain(text: str, stack: str, account: str = ACCOUNT) -> str:
    """Return `text` without stack, account, API id and stream label, which differ between deployments."""
    text = text.replace(f"orders-{stack}-", "").replace(account, "ACCOUNT")
    text = re.sub(r"(:execute-api:[^:]+:ACCOUNT:)[^/]+/", r"\1API/", text).replace(f":API/{stack}/", ":API/STAGE/")
    return re.sub(r"/stream/[^/]+$", "/stream/LATEST", text)


def of_statement(policy: str, holder: str, statement: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield the permissions that one statement grants. A Deny statement grants none.

    `policy` is the policy's name. `holder` replaces the principal or the resource if the statement omits it: a role's
    policy has no principal, and a role's trust policy has no resource. Raises ValueError for NotAction, NotResource and
    NotPrincipal.
    """
    if statement["Effect"] != "Allow":
        return
    if "NotAction" in statement or "NotResource" in statement or "NotPrincipal" in statement:
        raise ValueError(f"{policy}: NotAction, NotResource and NotPrincipal are not allowed: {statement}")
    when = tuple(
        sorted(
            (operator, key.lower(), tuple(sorted(many(values))))
            for operator, keys in cast("dict[str, dict[str, Any]]", statement.get("Condition", {})).items()
            for key, values in keys.items()
        )
    )
    for who in _principals(statement.get("Principal", holder)):
        for action in many(statement["Action"]):
            for resource in many(statement.get("Resource", holder)):
                yield Grant(policy=policy, who=who, action=action, resource=resource, when=when)


def of_graph(graph: Graph) -> list[Grant]:
    """Return every permission that the policies in `graph` grant. A permission granted twice has two entries."""
    return [_plain(grant, graph.stack) for found in _statements(graph) for grant in of_statement(*found)]


def unread(graph: Graph) -> list[str]:
    """Return all resources that grant permissions in a form that `of_graph` can't read."""
    foreign = [made.urn for kind in FOREIGN for made in graph.of(kind)]
    return foreign + [
        f"{made.urn}: {key}"
        for made in graph.resources
        for key, value in made.inputs.items()
        if isinstance(value, str) and '"Statement"' in value and _POLICIES.get(made.type, ("",))[0] != key
    ]


def many(value: Any) -> list[str]:
    """Return a value of an IAM policy as a list. In a policy, a list with one element can also be a plain string."""
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _statements(graph: Graph) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for kind, (key, title) in _POLICIES.items():
        for made in graph.of(kind):
            name, holder = _holder(title, made)
            for statement in cast("list[dict[str, Any]]", json.loads(made.inputs[key])["Statement"]):
                yield f"{title} {name}", holder, statement
    for made in graph.of("aws:lambda/permission:Permission"):
        name = f"{made.inputs['function']}:{made.inputs['qualifier']}"
        yield f"function {name}", "", of_permission(made.inputs)


def of_permission(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy statement that Lambda creates from an `aws:lambda:Permission`."""
    region = str(inputs["sourceArn"]).split(":")[3]
    name = f"{inputs['function']}:{inputs['qualifier']}"
    return {
        "Effect": "Allow",
        "Principal": {"Service": inputs["principal"]},
        "Action": inputs["action"],
        "Resource": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}",
        "Condition": {"ArnLike": {"AWS:SourceArn": inputs["sourceArn"]}},
    }


def _holder(title: str, made: Resource) -> tuple[str, str]:
    """Return the name of the policy's owner, and the principal or resource that the policy's statements omit.

    A role's policy omits the principal, and a trust policy omits the resource. For other policies, the second text is
    empty.
    """
    inputs = made.inputs
    if title == "trust":
        return made.state["name"], made.state["arn"]
    if title == "role":
        return inputs["role"], inputs["role"]
    named: str = inputs.get("queueUrl") or inputs.get("arn") or inputs.get("bucket") or made.name
    return re.split(r"[/:]", named)[-1], ""


def _principals(principal: Any) -> Sequence[str]:
    if isinstance(principal, str):
        return [principal]
    return [who for named in cast("dict[str, Any]", principal).values() for who in many(named)]


def _plain(grant: Grant, stack: str) -> Grant:
    def cut(text: str) -> str:
        return plain(text, stack)

    return plain_grant(grant, cut)


def plain_grant(grant: Grant, cut: Callable[[str], str]) -> Grant:
    """Return a copy of the permission in which `cut` has shortened each name."""
    when = tuple((operator, key, tuple(sorted(cut(value) for value in values))) for operator, key, values in grant.when)
    return Grant(
        policy=cut(grant.policy),
        who=cut(grant.who),
        action=grant.action,
        resource=cut(grant.resource),
        when=when,
    )
