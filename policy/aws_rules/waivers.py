"""Lists the resources that break a rule on purpose, with the reason.

A test fails for an unused waiver, and for a waiver that covers every resource that its rule applies to. The checks of
such a rule belong in not_taken.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Finding


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One exception from a rule, with its reason."""

    rule: str
    resources: str
    """Pattern of logical names. `*` matches any text."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether the waiver applies to the finding."""
        return finding.rule.name == self.rule and fnmatchcase(finding.resource.name, self.resources)


_SWEPT: Final = (
    "The function works on orders that the sweep finds again every few minutes (docs/decisions/28). A copy of a failed "
    "event would only repeat this work, and somebody would have to remove it."
)
WAIVERS: Final = (
    *(
        Waiver(rule=rule, resources=f"{function}-{role}", reason=_SWEPT)
        for function in ("fail-order", "restart-late-orders")
        for rule, role in (
            ("asynchronous-invocation-has-a-failure-destination", "invocation"),
            ("event-target-has-a-dead-letter-queue", "target"),
        )
    ),
    Waiver(
        rule="role-policy-names-each-resource",
        resources="rest-api-log-policy",
        reason="API Gateway writes the logs of all APIs of an account and region with one role (docs/decisions/09). "
        "The log groups of other APIs can have any name, so the policy cannot list them. It allows the actions of "
        "the AWS managed policy for this role, but only in one region.",
    ),
)


def waived(finding: Finding) -> bool:
    """Whether the finding is an exception on purpose."""
    return any(waiver.covers(finding) for waiver in WAIVERS)
