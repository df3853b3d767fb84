"""All IAM decisions can be read in a file, as in CloudTrail on AWS.

This correction writes each decision to the file whose path is in LOCAL_DECISIONS (see decision_log.py).

Emulator: The emulator decides whether IAM allows a call, but reports the decision only to the caller and writes no log.
AWS: CloudTrail logs each call with its caller, and with an error if IAM denied the call.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
Upstream: request as a feature.
"""

from __future__ import annotations

import contextvars
from typing import Any, Final

from emulator_fixes import replaces
from emulator_fixes.decision_log import note

_ALLOW: Final = "Allow"
# True while the emulator calls `evaluate` for a resource policy. Then `evaluate` logs no decision, because it logs only
# decisions about the caller's policies.
_of_resource: contextvars.ContextVar[bool] = contextvars.ContextVar("resource_policy_evaluated", default=False)


@replaces("core.iam_evaluator.evaluate", "2a5dd6932d1a")
def evaluate(original: Any, request: Any, policies: Any, *limits: Any) -> Any:
    """Evaluate the caller's policies, and log the decision."""
    result = original(request, policies, *limits)
    if not _of_resource.get():
        _note(_role(request.principal_arn), request, result)
    return result


@replaces("core.iam_evaluator.evaluate_resource_policy", "e49ce7161ad6")
def evaluate_resource_policy(original: Any, policy: Any, request: Any, service: Any = None, **more: Any) -> Any:
    """Evaluate a resource's own policy, and log the decision if the caller is a service.

    For a role, `evaluate` logs the decision about the role's policies, so this function logs nothing. A service has no
    policies of its own, so only the decision about the resource's policy can be logged.
    """
    token = _of_resource.set(True)
    try:
        result = original(policy, request, service, **more)
    finally:
        _of_resource.reset(token)
    if service:
        _note(service, request, result)
    return result


def _note(who: str, request: Any, result: Any) -> None:
    allowed = result.decision == _ALLOW
    note(who, request.action, request.resource_arn, allowed=allowed, context=request.service_context)


def _role(arn: str) -> str:
    """Return the role's name from a role ARN or an assumed-role ARN, and any other ARN unchanged."""
    _, found, name = arn.partition("role/")
    return name.partition("/")[0] if found else arn
