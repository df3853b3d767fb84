"""Where this platform breaks a rule on purpose, and why.

A test fails for a waiver that nothing needs, and for one that covers every resource that its rule applies to. The
checks of such a rule belong into not_taken.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Finding


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One exception."""

    rule: str
    resources: str
    """Logical names; `*` stands for any text."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is meant."""
        return finding.rule.name == self.rule and fnmatchcase(finding.resource.name, self.resources)


WAIVERS: Final = (
    Waiver(
        rule="role-policy-names-each-resource",
        resources="rest-api-log-policy",
        reason="API Gateway uses one log role for all APIs of an account and region, and their log groups can have any "
        "name (docs/decisions/09). The policy equals the AWS managed policy for this role, limited to one region.",
    ),
)


def waived(finding: Finding) -> bool:
    """Whether the finding is an exception on purpose."""
    return any(waiver.covers(finding) for waiver in WAIVERS)
