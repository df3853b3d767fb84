"""IAM policies: exact actions on exact resources, with a reason where AWS knows no narrower one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

Condition = Mapping[str, Mapping[str, pulumi.Input[str] | Sequence[pulumi.Input[str]]]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One `Allow`. Made by `allow`, which checks it."""

    actions: tuple[str, ...]
    resources: tuple[pulumi.Input[str], ...]
    when: Condition = field(default_factory=dict[str, Any])

    def document(self) -> dict[str, Any]:
        """Return the statement as IAM's JSON grammar has it."""
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

    `on="*"` needs `because`: the reason why the action knows no resource. An action with a wildcard is a ValueError.
    """
    for action in actions:
        if "*" in action or ":" not in action:
            raise ValueError(f"action: got {action!r}; allowed: one exact service:Action; list each action by its name")
    resources = (on,) if isinstance(on, str) or not isinstance(on, Sequence) else tuple(on)
    if any(isinstance(resource, str) and resource == "*" for resource in resources) and not because:
        raise ValueError(f"resource of {', '.join(actions)}: got '*' without a reason; name the ARN, or give because=")
    return Statement(actions=actions, resources=resources, when=when or {})


def policy_document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """Return the policy's JSON text."""
    body = [statement.document() for statement in statements]
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": body})


def trust(
    service: str,
    *,
    source_account: pulumi.Input[str] | None = None,
    source_arn: pulumi.Input[str] | None = None,
    if_sent: bool = False,
) -> pulumi.Output[str]:
    """Return the trust policy that lets `service` assume a role.

    Give `source_account` and `source_arn` (a pattern may be used) where the service sends them, so that another
    account's resource cannot use the role (IAM: the confused deputy problem). With `if_sent` they hold for
    requests that have them: for a service of which AWS does not say that it always does.
    """
    condition: dict[str, dict[str, pulumi.Input[str]]] = {}
    suffix = "IfExists" if if_sent else ""
    if source_account is not None:
        condition[f"StringEquals{suffix}"] = {"aws:SourceAccount": source_account}
    if source_arn is not None:
        condition[f"ArnLike{suffix}"] = {"aws:SourceArn": source_arn}
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})


def deny_insecure_transport(action: str, *arns: pulumi.Input[str]) -> dict[str, Any]:
    """Return the resource-policy statement that refuses what does not come over TLS."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(arns),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def service_may(
    service: str, action: str, *, on: pulumi.Input[str], source_arn: pulumi.Input[str], sid: str
) -> dict[str, Any]:
    """Return the resource-policy statement that lets `service` do `action` for `source_arn` alone."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": on,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }


def canonical_json(document: object) -> str:
    """Return `document` as JSON that is the same text for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
