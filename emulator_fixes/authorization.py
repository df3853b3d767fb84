"""Checks IAM permissions for the corrections. The emulator itself does not check these permissions."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from emulator_fixes import internal, nested
from emulator_fixes.decision_log import note

_iam: Any = internal("core.iam_evaluator")
_responses: Any = internal("core.responses")
READ_ACTIONS: Final = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
}
"""Actions with which an event source mapping reads its source, by the source's service."""


def role_may(role_arn: str, action: str, resource: str, context: Mapping[str, Any] | None = None) -> bool:
    """Return whether the policies of `role_arn`, or the policy of `resource` itself, allow `action` on `resource`.

    `context` contains the values of the service's condition keys.
    """
    account = _responses.get_account_id()
    request = _iam.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=_responses.get_region(),
        service_context={key.lower(): value for key, value in (context or {}).items()},
    )
    identity = _iam.evaluate(request, _iam._gather_role_policies(role_arn.rpartition("/")[2], account))
    found = None
    with contextlib.suppress(LookupError, ValueError):
        found = _iam._resource_policy(action.partition(":")[0], resource)
    if found is not None:
        identity = _iam.combine_resource_policy(identity, request, *found)
    return identity.decision == "Allow"


def trusts(role_arn: str, service: str) -> bool:
    """Return whether the trust policy of `role_arn` lets `service` assume the role. Ignores the policy's conditions."""
    role: Any = internal("services.iam")._roles.get(role_arn.rpartition("/")[2])
    document = nested(role, "AssumeRolePolicyDocument")
    policy: Any = json.loads(document) if isinstance(document, str) else document
    statements: list[Any] = nested(policy, "Statement") or []
    named = (nested(each, "Principal", "Service") for each in statements if nested(each, "Effect") == "Allow")
    found = any(service in ([names] if isinstance(names, str) else names or ()) for names in named)
    note(service, "sts:AssumeRole", role_arn, allowed=found)
    return found


def service_may(policy: Any, service: str, action: str, resource: str, source_arn: str) -> bool:
    """Return whether `policy`, the policy of `resource`, lets `service` perform `action` on behalf of `source_arn`.

    `service` is a principal, for example "events.amazonaws.com".
    """
    request = _iam.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=_responses.get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": _responses.get_account_id()},
    )
    return _iam.evaluate_resource_policy(policy, request, service=service).decision == "Allow"
