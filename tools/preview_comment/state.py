"""Finds deletions that lose data or an address that clients use, weaker data protection, and renamed resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from tools.preview_comment.preview import UNKNOWN, Change, Inputs

LOST: Final[Mapping[str, tuple[str, str]]] = {
    "aws:dynamodb/table:Table": ("the table", "All its rows are deleted."),
    "aws:s3/bucket:Bucket": ("the bucket", "All its objects are lost."),
    "aws:cognito/userPool:UserPool": ("the user pool", "All accounts are lost, and all users must sign up again."),
    "aws:cognito/userPoolClient:UserPoolClient": (
        "the app client",
        "Its id changes, so frontends need the new id, and all users must sign in again.",
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": ("the sign-in domain", "Nobody can sign in until it exists again."),
    "aws:cognito/userGroup:UserGroup": ("the user group", "Its members lose their rights."),
    "aws:kms/key:Key": (
        "the key",
        "After the waiting period of its deletion, nobody can read the data that it encrypted.",
    ),
    "aws:kms/alias:Alias": ("the alias of a key", "Requests that refer to the key by this alias fail."),
    "aws:cloudwatch/eventArchive:EventArchive": ("the event archive", "Its events can no longer be replayed."),
    "aws:cloudwatch/eventBus:EventBus": ("the event bus", "Events are lost until it exists again."),
    "aws:cloudwatch/logGroup:LogGroup": ("the log group", "All its log lines are lost."),
    "aws:sqs/queue:Queue": ("the queue", "All messages in it are lost."),
    "aws:sns/topic:Topic": ("the topic", "Its subscriptions are lost, and subscribers must confirm new ones."),
    "aws:apigateway/restApi:RestApi": ("the REST API", "Its id is part of its URL, so clients need the new URL."),
    "aws:apigatewayv2/api:Api": ("the HTTP API", "Its id is part of its URL, so clients need the new URL."),
    "aws:apigateway/domainName:DomainName": (
        "the domain of an API",
        "Clients cannot reach the API until it exists again.",
    ),
    "aws:apigatewayv2/domainName:DomainName": (
        "the domain of an API",
        "Clients cannot reach the API until it exists again.",
    ),
    "aws:sesv2/emailIdentity:EmailIdentity": (
        "the SES identity",
        "SES must verify the sender again before it sends emails.",
    ),
    "aws:sfn/stateMachine:StateMachine": ("the state machine", "Its executions and their histories are lost."),
    "aws:acm/certificate:Certificate": ("the certificate", "Clients refuse the connection until it exists again."),
    "aws:cloudfront/distribution:Distribution": ("the distribution", "Its domain name changes."),
    "aws:ssm/parameter:Parameter": ("the parameter", "Its value is lost."),
    "aws:backup/vault:Vault": ("the backup vault", "All its backups are lost."),
}
"""Resource type -> its name in a sentence, and what is lost if a resource of this type is deleted or replaced."""
# Inputs that set how long AWS retains data. Each value is the beginning of the sentence about an update that shortens
# the retention.
_SHORTER: Final[Mapping[str, str]] = {
    "retentionInDays": "AWS deletes older log lines of",
    "retentionDays": "AWS deletes older events of",
    "messageRetentionSeconds": "AWS deletes older messages of",
}
# Inputs that protect data. Each value is a pair: a function that returns whether the data is protected, and the
# beginning of the sentence about an update that removes the protection.
_SWITCHES: Final[Mapping[str, tuple[Callable[[Inputs], bool], str]]] = {
    "deletionProtectionEnabled": (
        lambda inputs: inputs.get("deletionProtectionEnabled") is True,
        "nothing on AWS prevents the deletion of",
    ),
    "deletionProtection": (
        lambda inputs: inputs.get("deletionProtection") == "ACTIVE",
        "nothing on AWS prevents the deletion of",
    ),
    "pointInTimeRecovery": (
        lambda inputs: bool(inputs.get("pointInTimeRecovery", {}).get("enabled")),
        "nobody can restore an earlier state of",
    ),
    "forceDestroy": (
        lambda inputs: not inputs.get("forceDestroy"),
        "Pulumi can now delete a bucket that contains objects:",
    ),
}
_NAMED: Final = 5
# AWS identifies a resource by these inputs, so two Pulumi resources of one type with equal values are one AWS resource.
_NAMES: Final = ("name", "bucket", "domain", "dashboardName", "emailIdentity", "statementId", "targetId", "queueUrl")
_OWNERS: Final = ("eventBusName", "rule", "role", "function", "functionName", "logGroupName", "userPoolId", "restApi")


def losses(changes: Iterable[Change]) -> Iterator[str]:
    """Yield a sentence for each deletion or replacement that loses data or an address that clients use."""
    for change in changes:
        if change.type not in LOST or change.op not in ("delete", "replace"):
            continue
        kind, lost = LOST[change.type]
        what = f"{kind} `{physical_name(change)}`"
        if change.is_retained:
            yield f"Pulumi forgets {what}. It stays on AWS (`retainOnDelete`)."
        elif change.op == "delete":
            yield f"**Deletes {what}.** {lost}{_protection(change)}"
        else:
            why = ", ".join(f"`{key}`{_values(change, key)}" for key in change.replaced_for) or "an input"
            yield f"**Replaces {what}**, because {why} changes. {lost}{_protection(change)}"


def weakened(changes: Iterable[Change]) -> Iterator[str]:
    """Yield a sentence for each changed input that shortens the retention of data or removes the protection of data."""
    found: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        if change.op != "update":
            continue
        old, new = change.old or {}, change.new or {}
        for key, what in _SHORTER.items():
            if _is_less(old.get(key), new.get(key)):
                found[f"`{key}` {old[key]} → {new[key]}: {what}"].append(physical_name(change))
        for key, (is_safe, what) in _SWITCHES.items():
            if is_safe(old) and not is_safe(new):
                found[f"`{key}`: {what}"].append(physical_name(change))
    for sentence, names in sorted(found.items()):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{sentence} {', '.join(f'`{name}`' for name in sorted(names)[:_NAMED])}{more}."


def _is_less(old: Any, new: Any) -> bool:
    # A retention of 0 means that CloudWatch Logs retains log lines forever.
    return isinstance(old, int) and isinstance(new, int) and new > 0 and (new < old or old == 0)


def physical_name(change: Change) -> str:
    """Return the resource's name on AWS, or its logical name if it has only an id on AWS."""
    inputs = change.old or change.new or {}
    found = next((inputs[key] for key in _NAMES if isinstance(inputs.get(key), str)), UNKNOWN)
    return change.name if found == UNKNOWN else found


def _values(change: Change, key: str) -> str:
    old, new = ((inputs or {}).get(key) for inputs in (change.old, change.new))
    plain = all(isinstance(value, str | int | bool) and value != UNKNOWN for value in (old, new))
    return f" (`{old}` → `{new}`)" if plain else ""


def _protection(change: Change) -> str:
    """Return how AWS reacts to the deletion, which depends on the settings with which the resource was deployed."""
    old: Inputs = change.old or {}
    if change.type == "aws:s3/bucket:Bucket" and not old.get("forceDestroy"):
        return " If the bucket contains objects, AWS refuses to delete it, and the update fails partway."
    if old.get("deletionProtectionEnabled") is True or old.get("deletionProtection") == "ACTIVE":
        return " Deletion protection is on, so AWS refuses the deletion, and the update fails partway."
    if old.get("pointInTimeRecovery", {}).get("enabled"):
        return " Because point-in-time recovery is on, DynamoDB makes a backup, which you can restore for 35 days."
    return ""


def renames(changes: Iterable[Change]) -> list[tuple[Change, Change]]:
    """Return pairs of a deleted and a created resource that have the same type and the same name on AWS."""
    deleted: dict[tuple[str, Any], Change] = {}
    found = list[tuple[Change, Change]]()
    every = [change for change in changes if change.is_custom]
    for change in every:
        if change.op == "delete" and (key := _identity(change, change.old or {})):
            deleted[key] = change
    for change in every:
        if change.op == "create" and (key := _identity(change, change.new or {})) and key in deleted:
            found.append((deleted[key], change))
    return found


def renaming(before: Change, after: Change) -> str:
    """Return the sentence about a resource whose URN changes. The sentence contains the alias to add to the program."""
    same_parents = before.urn.rpartition("::")[0] == after.urn.rpartition("::")[0]
    # `alias` is the value that the user must add to the resource's options. If the resource keeps its parent, the
    # former name is enough. Otherwise, the alias must be the whole former URN.
    alias = f'pulumi.Alias(name="{before.name}")' if same_parents else f'"{before.urn}"'
    kind = before.type.rpartition(":")[2]
    what = (
        f"it moves to another parent (logical name `{after.name}`)"
        if before.name == after.name
        else f"its logical name changes from `{before.name}` to `{after.name}`"
    )
    return f"{kind} `{physical_name(before)}`: {what}. Add `aliases=[{alias}]` to the options of the resource."


def _identity(change: Change, inputs: Inputs) -> tuple[str, Any] | None:
    names = [(key, inputs[key]) for key in _NAMES if isinstance(inputs.get(key), str)]
    owners = [(key, inputs[key]) for key in _OWNERS if isinstance(inputs.get(key), str)]
    if not names or any(value == UNKNOWN for _, value in [*names, *owners]):
        return None
    return change.type, (*names, *owners)
