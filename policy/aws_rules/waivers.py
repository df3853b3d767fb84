"""Lists the resources that break a rule on purpose, with the reason.

A test fails if a waiver is unnecessary, because its resources do not break the rule. The test also fails if a waiver
covers all resources that its rule checks, because the rule has no effect then. In this case, remove the rule, and list
the checks in its `ids` in not_taken.py.
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
    "If fail-order or restart-late-orders fails or does not receive an event, the next sweep handles the affected "
    "orders a few minutes later (docs/decisions/28). A failure queue would only collect events that nobody needs."
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
        reason="API Gateway uses one role to write the logs of all APIs in an account and region (docs/decisions/09). "
        "APIs of other projects use this role too, and their log groups can have any name. The policy of the role "
        "therefore cannot list the log groups. It allows the same actions as the AWS managed policy for such roles, "
        "but only in one region.",
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
        reason="Nobody needs a notification about a changed page. CloudFront's cache must be invalidated after a "
        "change, but the person or job that uploads the pages also invalidates the cache.",
    ),
)


def waived(finding: Finding) -> bool:
    """Return whether a waiver allows `finding`."""
    return any(waiver.covers(finding) for waiver in WAIVERS)
