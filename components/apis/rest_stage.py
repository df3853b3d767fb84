"""Creates the deployment and the stage of a REST API, with logs and throttling limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow, policy_document, trust
from components.aws.naming import LIMITS
from components.aws.owner import Owner
from components.aws.stack_context import StackContext

# The access log does not contain the caller's identity, IP address or token, because these are personal data or
# secrets. If a request has no value for a field, API Gateway logs "-".
_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    # A client can choose the value of `requestId` but not of `extendedRequestId`, so the log contains both.
    "extendedRequestId": "$context.extendedRequestId",
    "xrayTraceId": "$context.xrayTraceId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integration.latency",
    "integrationStatus": "$context.integration.status",
    "integrationError": "$context.integration.error",
    "error": "$context.error.message",
    "errorType": "$context.error.responseType",
    "wafStatus": "$context.waf.status",
}
# The AWS provider appends this number of characters to a name prefix.
_SUFFIX: Final = 26
_LOG_ACTIONS: Final = (
    *("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"),
    *("PutLogEvents", "GetLogEvents", "FilterLogEvents"),
)


@dataclass(frozen=True, kw_only=True)
class RestStageArgs:
    """The stage of a REST API and its settings."""

    context: StackContext
    """Names, tags and log retention of the stack."""
    rest_api: aws.apigateway.RestApi
    """The REST API to deploy."""
    needed: Sequence[pulumi.Resource]
    """Resources that must exist before the API is deployed, such as permissions to invoke functions."""
    stage_name: str
    """Name of the stage, the last part of the URL."""
    throttle_rate: float
    """Steady-state limit of the stage, in requests per second."""
    throttle_burst: int
    """Burst limit of the stage: number of requests that may arrive at the same moment."""
    execution_log_level: Literal["OFF", "ERROR", "INFO"]
    """Level of the execution log. The log never contains bodies or headers."""
    owns_account_log_role: bool
    """Create the role with which API Gateway writes logs. Exactly one stack per account and region must create it."""


@dataclass(frozen=True, kw_only=True)
class RestStage:
    """The stage of an API and the log group of its access log."""

    stage: aws.apigateway.Stage
    access_log: aws.cloudwatch.LogGroup


def make_stage(name: str, args: RestStageArgs, owner: Owner) -> RestStage:
    """Deploy the current API document, and create the stage with its logs and throttling limits."""
    context, opts, tags = args.context, owner.opts(), owner.tags()
    account = [_make_account(name, args, owner)] if args.owns_account_log_role else []
    deployment = aws.apigateway.Deployment(
        f"{name}-deployment",
        rest_api=args.rest_api.id,
        # A deployment is a copy of the API's body, so a new body needs a new deployment. Pulumi creates one when the
        # digest of the body changes. The digest is calculated from the API's `body` output, so that the digest depends
        # only on the API. If the digest were calculated from the ARNs in the body, the deployment would also depend on
        # the user pool. Before Pulumi replaced the user pool, it would then try to delete the deployment. AWS would
        # refuse this, because the stage still uses the deployment.
        triggers={"body": args.rest_api.body.apply(_digest)},
        # Keep Pulumi's default order of a replacement: create the new deployment first, and delete the old one last.
        # AWS refuses to delete a deployment while a stage points to it.
        opts=owner.opts(depends_on=args.needed),
    )
    access_log = aws.cloudwatch.LogGroup(
        f"{name}-access-log",
        name=f"/aws/apigateway/{owner.name(name)}",
        retention_in_days=context.log_retention_days,
        kms_key_id=context.log_key_arn,
        tags=tags,
        opts=opts,
    )
    # If this log group did not exist, API Gateway would create it without a retention period.
    execution_log = aws.cloudwatch.LogGroup(
        f"{name}-execution-log",
        name=pulumi.Output.concat("API-Gateway-Execution-Logs_", args.rest_api.id, "/", args.stage_name),
        retention_in_days=context.log_retention_days,
        kms_key_id=context.log_key_arn,
        tags=tags,
        opts=opts,
    )
    stage = aws.apigateway.Stage(
        f"{name}-stage",
        rest_api=args.rest_api.id,
        deployment=deployment.id,
        stage_name=args.stage_name,
        xray_tracing_enabled=True,
        access_log_settings={"destination_arn": access_log.arn, "format": json.dumps(_ACCESS_LOG)},
        tags=tags,
        opts=owner.opts(depends_on=[*account, execution_log]),
    )
    aws.apigateway.MethodSettings(
        f"{name}-settings",
        rest_api=args.rest_api.id,
        stage_name=stage.stage_name,
        method_path="*/*",
        settings={
            "metrics_enabled": True,
            "logging_level": args.execution_log_level,
            # With data tracing, API Gateway would log request bodies, which contain personal data.
            "data_trace_enabled": False,
            "throttling_rate_limit": args.throttle_rate,
            "throttling_burst_limit": args.throttle_burst,
        },
        opts=opts,
    )
    return RestStage(stage=stage, access_log=access_log)


def _digest(body: str | None) -> str:
    return hashlib.sha256((body or "").encode()).hexdigest()


def _make_account(name: str, args: RestStageArgs, owner: Owner) -> aws.apigateway.Account:
    """Create the role with which API Gateway writes logs, and set it for the AWS account and region.

    AWS has one such role per account and region. If two stacks set it, API Gateway uses the role of the stack that was
    deployed last. All other stacks in the same account and region need the role for their logs. The role, its policy
    and the setting therefore remain in the AWS account when the stack is destroyed or `owns_account_log_role` becomes
    false.
    """
    context = args.context
    role = aws.iam.Role(
        f"{name}-log-role",
        # The role still exists after its stack is destroyed (`retain_on_delete`), so a later stack with the same name
        # needs another name for its role. The AWS provider therefore appends a unique suffix to this prefix.
        name_prefix=owner.name(f"{name}-log", kind="role")[: LIMITS["role"] - _SUFFIX - 1] + "-",
        assume_role_policy=trust(
            "apigateway.amazonaws.com", source_account=context.account_id, allow_missing_source=True
        ),
        tags=owner.tags(),
        opts=owner.opts(retain_on_delete=True),
    )
    # API Gateway uses this role for all APIs of the account, so the role may write the logs of all APIs. It has the
    # permissions of AWS's managed policy AmazonAPIGatewayPushToCloudWatchLogs, limited to this region.
    policy = aws.iam.RolePolicy(
        f"{name}-log-policy",
        name="permissions",
        role=role.name,
        policy=policy_document(
            [
                allow(
                    *(f"logs:{action}" for action in _LOG_ACTIONS),
                    on=pulumi.Output.concat("arn:aws:logs:", context.region, ":", context.account_id, ":*"),
                )
            ]
        ),
        opts=owner.opts(retain_on_delete=True),
    )
    return aws.apigateway.Account(
        f"{name}-account",
        cloudwatch_role_arn=role.arn,
        # API Gateway accepts the role only after it has used the role to write to the log group
        # /aws/apigateway/welcome. The role's policy must therefore exist before this setting.
        opts=owner.opts(retain_on_delete=True, depends_on=[policy]),
    )
