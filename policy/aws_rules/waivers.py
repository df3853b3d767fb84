"""Where this platform breaks a rule on purpose, and why. A waiver that nothing needs fails the tests."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Finding

MOST: Final = 12


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
        rule="function-runs-on-the-latest-runtime",
        resources="*",
        reason="The layers' wheels are locked, built and tested for 3.13, which Lambda supports until 2029.",
    ),
    Waiver(
        rule="function-has-reserved-concurrency",
        resources="*",
        reason="What is reserved for one function is taken from all others of the account, and is throttled where "
        "it could go on. The APIs' limits and the mappings' concurrency bound the load before it comes to a function.",
    ),
    Waiver(
        rule="function-is-in-a-vpc",
        resources="*",
        reason="The functions call AWS APIs alone, with TLS and their role. A VPC would add endpoints or NAT gateways "
        "to pay for, and nothing in it to reach.",
    ),
    Waiver(
        rule="function-code-is-signed",
        resources="*",
        reason="A signature says that the pipeline built the code. Here the deployment builds and uploads it in one "
        "run, from locked hashes, and no application role may change a function's code.",
    ),
    Waiver(
        rule="function-environment-has-a-customer-key",
        resources="*",
        reason="The variables are names of tables, queues and origins, which the console shows anyway. That none is "
        "a secret is a rule of its own.",
    ),
    Waiver(
        rule="rest-stage-caches",
        resources="rest-api-stage",
        reason="Every answer is one user's own and changes with the order. A cache costs by the hour, and a wrong key "
        "of it shows one user's order to another.",
    ),
    Waiver(
        rule="user-pool-asks-for-a-second-factor",
        resources="identity-pool",
        reason="Whether customers must have an authenticator is the shop's decision, not the platform's: with ON the "
        "sign-in page asks each of them for one.",
    ),
    Waiver(
        rule="user-pool-watches-sign-ins",
        resources="identity-pool",
        reason="The PLUS plan is billed per user and month. To use it, set userPoolTier; nothing else changes.",
    ),
    Waiver(
        rule="table-has-a-customer-key",
        resources="data-*",
        reason="The tables have AWS's KMS key for DynamoDB. One of ours would be asked for by every role that reads a "
        "table, so each would get KMS permissions, and a disabled key would stop all orders.",
    ),
    Waiver(
        rule="bucket-logs-access",
        resources="data-analytics",
        reason="One role writes it, by PutObject alone, and none reads it. What people read, CloudTrail's data events "
        "say for all buckets of an organisation; access logs would be a second bucket and arrive when they can.",
    ),
    Waiver(
        rule="bucket-is-replicated",
        resources="data-analytics",
        reason="The records are copies: the orders table has the orders, the bus's archive the events, and S3 keeps "
        "each in three zones. Replication is for who must go on in another region, tables and APIs included.",
    ),
    Waiver(
        rule="role-policy-names-each-resource",
        resources="rest-api-log-policy",
        reason="API Gateway has one log role for all APIs of an account and region, whatever their log groups are "
        "called (docs/decisions/09). The policy is the AWS managed policy for this role, limited to one region.",
    ),
)


def waived(finding: Finding) -> bool:
    """Whether the finding is an exception on purpose."""
    return any(waiver.covers(finding) for waiver in WAIVERS)
