"""Rules for IAM roles and their policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from aws_rules.model import Resource, of_resource
from aws_rules.policies import accounts, actions, allowing, for_everybody, resources

ROLE: Final = "aws:iam/role:Role"
ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
# A RolePolicy is an inline policy, which belongs to one role. A Policy is a customer managed policy, which can be
# attached to several roles.
POLICIES: Final = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")

# A policy can allow these actions only on the resource "*", because AWS supports no narrower resource for them (AWS
# Service Authorization Reference).
WITHOUT_RESOURCE: Final = frozenset(
    {
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"),
        *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
        *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
        *("logs:DescribeLogGroups", "dynamodb:ListStreams"),
    }
)
# When a policy is written, the names of S3 objects, log streams and table streams are usually not known. A policy may
# therefore use a wildcard for the contents of one bucket, log group or table. These patterns match the ARNs of such
# contents.
_CONTENTS: Final = (
    re.compile(r"arn:aws:s3:::[^*?/]+/.*"),
    re.compile(r"arn:aws:logs:[^*?:]+:[^*?:]+:log-group:[^*?:]+:.*"),
    re.compile(r"arn:aws:dynamodb:[^*?:]+:[^*?:]+:table/[^*?/]+/(index|stream)/.*"),
)
# A role must not have these permissions. Some of them allow changes to identities, code or permissions. The others
# return credentials or secrets.
_POWERS: Final = (
    *("iam:*", "sts:*", "organizations:*", "sso:*", "sso-admin:*", "identitystore:*", "ec2:*", "ecr:*"),
    *("cloudformation:*", "datapipeline:*", "glue:*", "codebuild:*", "secretsmanager:*", "ssm:*"),
    *("lambda:Create*", "lambda:Update*", "lambda:Delete*", "lambda:Put*", "lambda:Publish*", "lambda:AddPermission"),
    *("*:Put*Policy", "*:Delete*Policy", "*:AddPermission", "*:RemovePermission", "kms:CreateGrant"),
    *("cognito-identity:Get*", "cognito-idp:Admin*", "cognito-idp:GetSigningCertificate"),
)
_ACCOUNT: Final = re.compile(r"\d{12}|arn:aws:iam::\d{12}:root")


@of_resource(ROLE, ATTACHMENT, ids=("AwsSolutions-IAM4", "CKV_AWS_274", "CKV2_AWS_56"))
def role_has_no_managed_policy(resource: Resource) -> Iterator[str]:
    """A role has no AWS managed policy, because AWS can add permissions to such a policy at any time."""
    attached = [resource.at("policyArn")] if resource.type == ATTACHMENT else resource.items("managedPolicyArns")
    yield from (f"has the AWS managed policy {arn}" for arn in attached if ":iam::aws:" in str(arn))


@of_resource(
    *POLICIES,
    ids=("AwsSolutions-IAM5", "Serverless-LambdaStarPermissions", "CKV_AWS_62", "CKV_AWS_63", "CKV2_AWS_40"),
)
def role_policy_names_each_action(policy: Resource) -> Iterator[str]:
    """A role's policy lists each allowed action by name, without a wildcard."""
    for statement in allowing(policy.at("policy")):
        yield from (f"allows {action}; name each action" for action in actions(statement) if set("*?") & set(action))


@of_resource(
    *POLICIES,
    ids=(
        *("AwsSolutions-IAM5", "Serverless-LambdaStarPermissions"),
        *("CKV_AWS_288", "CKV_AWS_289", "CKV_AWS_290", "CKV_AWS_355"),
    ),
    narrowed="A wildcard is allowed in three cases: the wildcard stands for the contents of one bucket, log group "
    "or table; the statement has a condition; or AWS can grant the action only on all resources.",
)
def role_policy_names_each_resource(policy: Resource) -> Iterator[str]:
    """A role's policy lists the resource of each allowed action by name."""
    for statement in allowing(policy.at("policy")):
        for arn in resources(statement):
            if not set("*?") & set(arn) or statement.get("Condition") or any(each.fullmatch(arn) for each in _CONTENTS):
                continue
            narrower = [action for action in actions(statement) if arn != "*" or action not in WITHOUT_RESOURCE]
            if narrower:
                yield f"allows {', '.join(narrower)} on {arn}; name the resource"


@of_resource(*POLICIES, ids=("CKV_AWS_286", "CKV_AWS_287", "CKV_AWS_289"))
def role_policy_gives_no_power(policy: Resource) -> Iterator[str]:
    """A role's policy doesn't allow the role to change identities, code or permissions, or to read credentials."""
    for statement in allowing(policy.at("policy")):
        for action in actions(statement):
            if action not in WITHOUT_RESOURCE and any(fnmatchcase(action, power) for power in _POWERS):
                yield f"allows {action}"


@of_resource(ROLE, ids=("CKV_AWS_60", "CKV_AWS_61"))
def role_trusts_named_principals(role: Resource) -> Iterator[str]:
    """A role's trust policy lists who may assume the role. It never allows everybody or a whole account."""
    for statement in allowing(role.at("assumeRolePolicy")):
        if for_everybody(statement):
            yield "lets everybody assume the role"
        yield from (
            f"lets the whole account {each} assume the role" for each in accounts(statement) if _ACCOUNT.match(each)
        )


RULES: Final = (
    role_has_no_managed_policy,
    role_policy_names_each_action,
    role_policy_names_each_resource,
    role_policy_gives_no_power,
    role_trusts_named_principals,
)
