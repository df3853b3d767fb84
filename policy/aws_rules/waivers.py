"""Lists the resources that break a rule on purpose, with the reason. An unused waiver fails the tests."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Finding

MOST: Final = 12


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


WAIVERS: Final = (
    Waiver(
        rule="function-runs-on-the-latest-runtime",
        resources="*",
        reason="The layers' packages are locked, built and tested for Python 3.13, which Lambda supports until 2029.",
    ),
    Waiver(
        rule="function-has-reserved-concurrency",
        resources="*",
        reason="Concurrency that is reserved for one function is missing for all other functions of the account. "
        "The APIs' throttling and the event source mappings' concurrency already limit the load of each function.",
    ),
    Waiver(
        rule="function-is-in-a-vpc",
        resources="*",
        reason="The functions call only AWS APIs, with TLS and their execution role. A VPC would add the cost of "
        "endpoints or NAT gateways, and it would contain nothing that the functions need.",
    ),
    Waiver(
        rule="function-code-is-signed",
        resources="*",
        reason="A signature proves that the pipeline built the code. Here, one deployment builds the code from "
        "packages with locked hashes and uploads it, and no role of the program may change a function's code.",
    ),
    Waiver(
        rule="function-environment-has-a-customer-key",
        resources="*",
        reason="The variables contain names of tables, queues and origins, which the console shows anyway. The rule "
        "`function-environment-holds-no-secret` checks that no variable is a secret.",
    ),
    Waiver(
        rule="rest-stage-caches",
        resources="rest-api-stage",
        reason="Every response belongs to one user and changes with the order. A cache costs money per hour, and a "
        "wrong cache key would show the order of one user to another.",
    ),
    Waiver(
        rule="user-pool-asks-for-a-second-factor",
        resources="identity-pool",
        reason="The shop decides whether its customers need an authenticator app. With MFA set to ON, the sign-in page "
        "would require one from every customer.",
    ),
    Waiver(
        rule="user-pool-watches-sign-ins",
        resources="identity-pool",
        reason="AWS bills the PLUS plan per user and month. To use the plan, change only userPoolTier in the program.",
    ),
    Waiver(
        rule="table-has-a-customer-key",
        resources="data-*",
        reason="The AWS managed KMS key for DynamoDB encrypts the tables. With a customer managed key, every role that "
        "reads a table would need KMS permissions, and a disabled key would stop all orders.",
    ),
    Waiver(
        rule="bucket-logs-access",
        resources="data-analytics",
        reason="One role writes to the bucket, with PutObject only, and no role reads it. CloudTrail data events can "
        "log what people read. Access logs would need a second bucket, and S3 delivers them on a best-effort basis.",
    ),
    Waiver(
        rule="bucket-is-replicated",
        resources="data-analytics",
        reason="The records are copies of the orders in the orders table and of the events in the archive, and S3 "
        "stores each record in three zones. Replication helps only if tables and APIs also run in another region.",
    ),
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
