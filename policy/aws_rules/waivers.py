"""Lists the resources that break a rule on purpose, with the reason.

A test fails for a waiver that no resource needs. The test also fails for a waiver that covers every resource that its
rule checks. In that case, remove the rule, and add the checks that the rule replaces to not_taken.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Finding


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One exception to a rule, with the reason."""

    rule: str
    resources: str
    """Pattern for the logical names of the resources. `*` matches any text."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether the waiver applies to `finding`."""
        return finding.rule.name == self.rule and fnmatchcase(finding.resource.name, self.resources)


_SWEPT: Final = (
    "If the function fails or does not receive an event, the next sweep handles the same orders a few minutes later "
    "(docs/decisions/28). A copy of the event in a queue would therefore be of no use, and somebody would have to "
    "delete it."
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
        "The log groups of other APIs can have any name, so the policy of the role cannot list them. The policy "
        "allows the actions of the AWS managed policy for this role, but only in one region.",
    ),
    Waiver(
        rule="bucket-is-encrypted-with-kms",
        resources="site-pages",
        reason="The pages are public, and S3 encrypts them with its own key (SSE-S3). CloudFront cannot use the AWS "
        "managed KMS key for S3. A customer managed key would cost money without protecting anything.",
    ),
    Waiver(
        rule="bucket-tells-of-its-changes",
        resources="site-pages",
        reason="Nothing needs to react to a new page, because the person or the program that uploads the pages also "
        "invalidates the cache of CloudFront.",
    ),
)


def waived(finding: Finding) -> bool:
    """Return whether a waiver allows `finding`."""
    return any(waiver.covers(finding) for waiver in WAIVERS)
