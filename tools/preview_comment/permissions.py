"""Describes in sentences how an update changes what roles and resource policies allow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from engine.graph import ACCOUNT, REGION, Graph
from tools.preview_comment.arns import Place, phrase
from tools.preview_comment.preview import UNKNOWN, Change, Inputs

_ROLE: Final = "aws:iam/role:Role"
_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_INVOKE: Final = "aws:lambda/permission:Permission"
# The resources that each type of policy protects. Each value is (beginning of the resource's short name, input of the
# policy that names the resource). A KMS key has no name on AWS but only an id, so the pull request comment shows the
# key's logical name.
_PROTECTED_BY: Final[Mapping[str, tuple[str, str]]] = {
    "aws:sqs/queuePolicy:QueuePolicy": ("sqs:", "queueUrl"),
    "aws:sns/topicPolicy:TopicPolicy": ("sns:", "arn"),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3:", "bucket"),
    "aws:kms/key:Key": ("kms:key/", ""),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": ("events:event-bus/", "eventBusName"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("logs:policy:", "policyName"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("secretsmanager:", "secretArn"),
}
TYPES: Final = frozenset({_ROLE, _ROLE_POLICY, _ATTACHMENT, _INVOKE, *_PROTECTED_BY})
_NOT_KNOWN: Final = "the actions of a policy that is known only after the update"
# How the pull request comment expresses the operators of IAM conditions. ArnEquals and ArnLike are the same operator in
# IAM.
_OPERATORS: Final[Mapping[str, str]] = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringLike": "matches",
    "ArnEquals": "matches",
    "ArnLike": "matches",
    "Bool": "is",
}


@dataclass(frozen=True, order=True)
class Grant:
    """One action that one statement allows, or denies, to one principal on one resource."""

    who: str
    action: str
    resource: str
    condition: str = ""
    is_denied: bool = False


@dataclass(frozen=True)
class Changed:
    """The sentences about permissions in a pull request's comment."""

    wider: list[str]
    """Sentences about what the update allows in addition."""
    narrower: list[str]
    """Sentences about what the update no longer allows."""


def changed(changes: Iterable[Change], place: Place, program: Callable[[], Graph]) -> Changed:
    """Return what the update allows in addition, and what it no longer allows.

    If a new policy contains an ARN that is known only after the update, the policy comes from a run of the Pulumi
    program without AWS.
    """
    before, after = set[Grant](), set[Grant]()
    new_roles = set[str]()
    for change in changes:
        if change.type in TYPES:
            before |= set(_grants(change, change.old, place))
            invented = _invented(change, program)
            granted = set(_grants(change, invented or change.new, Place(ACCOUNT, REGION) if invented else place))
            # A new policy usually belongs to a new resource, which nobody could use before. The Deny statements of a
            # new policy therefore take nothing away, and are left out.
            after |= {grant for grant in granted if not (grant.is_denied and change.old is None)}
            if change.type == _ROLE and change.old is None:
                new_roles.add(_role(str((change.new or {}).get("name") or change.name)))
    added = {grant for grant in after if not _covered(grant, before)}
    removed = {grant for grant in before if not _covered(grant, after)}
    # Removing a Deny statement allows more, and adding a Deny statement allows less.
    wider = {grant for grant in added if not grant.is_denied} | {grant for grant in removed if grant.is_denied}
    narrower = {grant for grant in removed if not grant.is_denied} | {grant for grant in added if grant.is_denied}
    return Changed(
        sorted(_sentences(wider, before - after, new_roles, is_wider=True), key=_severity),
        sorted(_sentences(narrower, set(), new_roles, is_wider=False), key=_severity),
    )


def _invented(change: Change, program: Callable[[], Graph]) -> Inputs | None:
    """Return the inputs of a policy that the preview does not contain, or None if the preview contains the policy.

    The inputs come from a run of the Pulumi program without AWS, which uses invented ARNs.
    """
    if UNKNOWN not in ((change.new or {}).get("policy"), (change.new or {}).get("assumeRolePolicy")):
        return None
    found = [each for each in program().resources if (each.type, each.name) == (change.type, change.name)]
    return found[0].inputs if found else None


def _covered(grant: Grant, by: set[Grant]) -> bool:
    """Return whether `by` contains `grant`, or a grant that allows (or denies) the same and more."""
    return grant in by or any(
        other.who == grant.who
        and other.is_denied == grant.is_denied
        and other.condition in ("", grant.condition)
        and fnmatchcase(grant.action.lower(), other.action.lower())
        and fnmatchcase(grant.resource, other.resource)
        for other in by
    )


def _grants(change: Change, inputs: Inputs | None, place: Place) -> Iterator[Grant]:
    if inputs is None:
        return
    match change.type:
        case "aws:iam/role:Role":
            who = _role(str(inputs.get("name") or change.name))
            yield from _statements(inputs.get("assumeRolePolicy"), "", place, f"{who[0].lower()}{who[1:]}")
        case "aws:iam/rolePolicy:RolePolicy":
            yield from _statements(inputs.get("policy"), _role(_of_unknown(inputs.get("role"), change)), place, "")
        case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
            role = _role(_of_unknown(inputs.get("role"), change))
            yield Grant(role, f"every action of the policy `{_last(inputs.get('policyArn'))}`", "")
        case "aws:lambda/permission:Permission":
            on = f"lambda:function:{_of_unknown(inputs.get('function'), change).rpartition(':')[2]}"
            source = str(inputs.get("sourceArn") or "")
            condition = f"if `aws:SourceArn` matches `{place.short(source)}`" if source else ""
            if source == UNKNOWN:
                condition = "if `aws:SourceArn` is that of a new resource, whose ARN is not known before the update"
            yield Grant(_principal(inputs.get("principal"), place), str(inputs.get("action")), on, condition)
        case _:
            service, key = _PROTECTED_BY[change.type]
            on = place.short(_of_unknown(inputs.get(key), change)).rpartition("/")[2]
            yield from _statements(inputs.get("policy"), "", place, f"{service}{on.removeprefix(service)}")


def _of_unknown(value: Any, change: Change) -> str:
    """Return an input's value as text. If it is known only after the update, return the resource's logical name."""
    return change.name if value in (None, UNKNOWN) else str(value)


def _role(name: str) -> str:
    return f"The role `{name.rpartition('/')[2]}`"


def _last(arn: Any) -> str:
    return str(arn).rpartition("/")[2]


def _statements(policy: Any, who: str, place: Place, on: str) -> Iterator[Grant]:
    """Yield the grants of the document `policy`.

    If it is a policy of a role, `who` is the role. Otherwise, `who` is empty: the document lists its principals, and
    `on` is the resource that it protects.
    """
    if not policy:
        return
    if policy == UNKNOWN:
        yield Grant(who or "A principal", _NOT_KNOWN, on)
        return
    document = json.loads(policy) if isinstance(policy, str) else policy
    for statement in _list(document["Statement"]):
        condition = _condition(statement.get("Condition"), place)
        actions = _all(statement, "Action")
        resources = (
            [place.short(each) for each in _all(statement, "Resource")] if "Principal" not in statement else [on]
        )
        for principal in [who] if who else sorted(_principals(statement, place)):
            for action in actions:
                for resource in resources:
                    yield Grant(principal, action, resource, condition, statement["Effect"] == "Deny")


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _all(statement: Mapping[str, Any], key: str) -> list[str]:
    """Return the actions or the resources of a statement. `NotAction` becomes `every action except` the listed ones."""
    if f"Not{key}" in statement:
        return [f"every {key.lower()} except {', '.join(f'`{each}`' for each in _list(statement[f'Not{key}']))}"]
    return [str(each) for each in _list(statement.get(key, "*"))]


def _principals(statement: Mapping[str, Any], place: Place) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield f"Everybody except {json.dumps(statement['NotPrincipal'])}"
        return
    principal = statement.get("Principal", "*")
    found = list(cast("dict[str, Any]", principal).values()) if isinstance(principal, dict) else [principal]
    for each in found:
        yield from (_principal(one, place) for one in _list(each))


def _principal(value: Any, place: Place) -> str:
    if value == "*":
        return "Everybody"
    if value == UNKNOWN:
        return "A principal that is known only after the update"
    text = str(value)
    if place.account and text in (place.account, f"arn:aws:iam::{place.account}:root"):
        return "Every principal of this account whose IAM policies also allow the action"
    return f"The service `{text}`" if text.endswith(".amazonaws.com") else f"`{place.short(text)}`"


def _condition(condition: Any, place: Place) -> str:
    if not condition:
        return ""
    parts = [
        f"`{key}` {_compared(operator)} {' or '.join(f'`{place.short(str(each))}`' for each in _list(wanted))}"
        + (" or is absent" if operator.endswith("IfExists") else "")
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    ]
    return f"if {' and '.join(parts)}"


def _compared(operator: str) -> str:
    name = operator.removesuffix("IfExists")
    return _OPERATORS.get(name, f"meets the condition `{name}` with")


def _severity(sentence: str) -> tuple[bool, bool, str]:
    """Return a sort key: first what everybody may do, then what is possible on every resource, then all else."""
    return not sentence.startswith("Everybody"), "**every resource**" not in sentence, sentence


def _sentences(grants: set[Grant], others: set[Grant], new_roles: set[str], *, is_wider: bool) -> Iterator[str]:
    """Yield one sentence for each principal, with a list below if the principal has several permissions."""
    groups: dict[tuple[str, str, str, bool], list[str]] = defaultdict(list)
    for grant in sorted(grants):
        groups[grant.who, grant.resource, grant.condition, grant.is_denied].append(grant.action)
    clauses: dict[str, list[str]] = defaultdict(list)
    for (who, resource, condition, is_denied), actions in groups.items():
        if is_denied:
            verb = "is no longer forbidden to" if is_wider else "is now forbidden to"
        elif who in new_roles:
            verb = "is new and may"
        else:
            verb = "may now" if is_wider else "may no longer"
        before = _before(Grant(who, "", resource, condition), actions, others) if is_wider and not is_denied else ""
        clauses[f"{who} {verb}"].append(f"{_action(actions, resource)}{f' {condition}' if condition else ''}{before}")
    for beginning, each in clauses.items():
        if len(each) == 1:
            yield f"{beginning} {each[0]}."
        else:
            yield "\n  - ".join([f"{beginning}:", *sorted(each, key=_severity)])


def _action(actions: list[str], resource: str) -> str:
    if actions == ["sts:AssumeRole"]:
        return f"assume {resource}"
    listed = ", ".join(action if "`" in action or " " in action else f"`{action}`" for action in actions)
    return f"call {listed} on {phrase(resource)}" if resource else f"call {listed}"


def _before(grant: Grant, actions: list[str], others: set[Grant]) -> str:
    """Return a text with the old condition or the old resource of `grant`.

    The text is empty unless the update changes only one of the two.
    """
    same = [other for other in others if other.who == grant.who and other.action in actions]
    conditions = {other.condition for other in same if other.resource == grant.resource} - {grant.condition}
    if conditions:
        return f" (before: {' or '.join(sorted(each or 'without a condition' for each in conditions))})"
    resources = sorted({other.resource for other in same if other.condition == grant.condition})
    return f" (before: on {', '.join(map(phrase, resources))})" if resources else ""
