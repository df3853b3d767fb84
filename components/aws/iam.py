"""Builds IAM policies that allow exact actions on exact resources. The resource `*` requires a stated reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

Condition = Mapping[str, Mapping[str, pulumi.Input[str] | Sequence[pulumi.Input[str]]]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One `Allow` statement of a policy. Create it with the function `allow`, which checks the arguments."""

    actions: tuple[str, ...]
    resources: tuple[pulumi.Input[str], ...]
    when: Condition = field(default_factory=dict[str, Any])

    def document(self) -> dict[str, Any]:
        """Return the statement in the form that IAM's JSON grammar requires."""
        body: dict[str, Any] = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        if self.when:
            body["Condition"] = self.when
        return body


def allow(
    *actions: str,
    on: pulumi.Input[str] | Sequence[pulumi.Input[str]],
    when: Condition | None = None,
    because: str = "",
) -> Statement:
    """Return a statement that allows `actions` on the ARNs `on`, under the conditions `when`.

    `on="*"` requires `because`, the reason why the action supports no narrower resource. Raises ValueError if the
    reason is missing, or if an action contains a wildcard.
    """
    for action in actions:
        if "*" in action or ":" not in action:
            raise ValueError(f"action: got {action!r}; allowed: one exact service:Action; list each action by its name")
    resources = (on,) if isinstance(on, str) or not isinstance(on, Sequence) else tuple(on)
    if any(isinstance(resource, str) and resource == "*" for resource in resources) and not because:
        raise ValueError(
            f"resource of {', '.join(actions)}: got '*' without a reason; pass an ARN, or pass the reason as because="
        )
    return Statement(actions=actions, resources=resources, when=when or {})


def policy_document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """Return the policy as JSON text."""
    body = [statement.document() for statement in statements]
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": body})


def trust(
    service: str,
    *,
    source_account: pulumi.Input[str] | None = None,
    source_arn: pulumi.Input[str] | None = None,
    allow_missing_source: bool = False,
) -> pulumi.Output[str]:
    """Return the trust policy that lets `service` assume a role.

    The service can use the role only on behalf of `source_account` and `source_arn` (an ARN or a pattern). Without
    these conditions, a resource of another account could use the role (IAM guide: the confused deputy problem). Pass
    both if the service sends the keys aws:SourceAccount and aws:SourceArn when it assumes the role. With
    `allow_missing_source`, the policy also accepts requests that lack one or both keys. Use this argument if the
    documentation of the service does not promise both keys.
    """
    condition: dict[str, dict[str, pulumi.Input[str]]] = {}
    suffix = "IfExists" if allow_missing_source else ""
    if source_account is not None:
        condition[f"StringEquals{suffix}"] = {"aws:SourceAccount": source_account}
    if source_arn is not None:
        condition[f"ArnLike{suffix}"] = {"aws:SourceArn": source_arn}
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})


def deny_insecure_transport(action: str, *arns: pulumi.Input[str]) -> dict[str, Any]:
    """Return the resource policy statement that refuses `action` on the resources `arns` for requests without TLS."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(arns),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def allow_service(
    service: str,
    action: str,
    *,
    on: pulumi.Input[str],
    source_arn: pulumi.Input[str] | list[pulumi.Input[str]],
    sid: str,
) -> dict[str, Any]:
    """Return the resource policy statement `sid`, which lets `service` perform `action` on the ARN `on`.

    The service may do so only on behalf of `source_arn`, which is one ARN or a list of ARNs.
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": on,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }


def canonical_json(document: object) -> str:
    """Return `document` as JSON text. Equal documents produce equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
