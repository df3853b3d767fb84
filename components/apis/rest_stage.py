"""Deployment and stage of a REST API, with its logs and limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_aws as aws

from components.aws.iam import allow, policy_document, trust
from components.aws.owner import Owner
from components.aws.stack_context import StackContext

# The access log contains no caller, address or token, because these are personal data or secrets. API Gateway logs "-"
# for a missing value.
_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    # A client can choose the value of `requestId` but not of `extendedRequestId`.
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
_LOG_ACTIONS: Final = (
    *("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"),
    *("PutLogEvents", "GetLogEvents", "FilterLogEvents"),
)


@dataclass(frozen=True, kw_only=True)
class RestStageArgs:
    """How the API is served."""

    context: StackContext
    """Names, tags and log retention of the stack."""
    rest_api: aws.apigateway.RestApi
    """The API."""
    needed: Sequence[pulumi.Resource]
    """What its routes need to be answered, such as permissions."""
    stage_name: str
    """Last part of the URL."""
    throttle_rate: float
    """Requests a second, steady, all methods together."""
    throttle_burst: int
    """Requests at once."""
    execution_log_level: Literal["OFF", "ERROR", "INFO"]
    """What API Gateway logs about its own work; bodies and headers never."""
    owns_account_log_role: bool
    """Make the role by which API Gateway writes logs: one for an account and region."""


@dataclass(frozen=True, kw_only=True)
class RestStage:
    """A served API."""

    stage: aws.apigateway.Stage
    access_log: aws.cloudwatch.LogGroup


def make_stage(name: str, args: RestStageArgs, owner: Owner) -> RestStage:
    """Deploy the API as it is now, and serve it."""
    context, opts, tags = args.context, owner.opts(), owner.tags()
    account = [_make_account(name, args, owner)] if args.owns_account_log_role else []
    deployment = aws.apigateway.Deployment(
        f"{name}-deployment",
        rest_api=args.rest_api.id,
        # A deployment is a copy of the API's body, so a new body needs a new deployment. The digest uses the API's own
        # `body` output. A digest of the resources in the body would make Pulumi delete the deployment first whenever
        # one of them is replaced, such as the user pool. AWS refuses to delete a deployment while a stage points to it.
        triggers={"body": args.rest_api.body.apply(_digest)},
        # Pulumi deletes the old deployment last, because AWS refuses to delete a deployment while a stage points to it.
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
    # If this group did not exist, API Gateway would create it without a retention period.
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
            # A data trace would log request bodies, which contain personal data.
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
    """Make the account's log role: with another stack's in the same account and region, the last one to deploy wins."""
    context = args.context
    role = aws.iam.Role(
        f"{name}-log-role",
        name=owner.name(f"{name}-log", kind="role"),
        assume_role_policy=trust(
            "apigateway.amazonaws.com", source_account=context.account_id, allow_missing_source=True
        ),
        tags=owner.tags(),
        opts=owner.opts(),
    )
    # The role serves all APIs of the account, so it may write the logs of all of them. It has the permissions of AWS's
    # managed policy AmazonAPIGatewayPushToCloudWatchLogs, limited to this region.
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
        opts=owner.opts(),
    )
    return aws.apigateway.Account(
        f"{name}-account",
        cloudwatch_role_arn=role.arn,
        # AWS accepts the role only after it could write to the log group /aws/apigateway/welcome, so the role needs its
        # policy first.
        opts=owner.opts(depends_on=[policy]),
    )
