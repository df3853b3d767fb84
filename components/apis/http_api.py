"""The HTTP API, which serves the product catalog as described in contracts/http-api.yaml."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.apis import routes
from components.apis.cors import CorsRules
from components.apis.http_document import VERSION, HttpDocumentArgs, cors_rules, http_document
from components.aws import openapi
from components.aws.iam import allow
from components.aws.openapi import Operation
from components.aws.owner import Owner
from components.functions.function import Function, FunctionArgs, FunctionContext, by_source

_COMPONENT: Final = "http-api"
# The access log does not contain the caller's identity, IP address or token, because these are personal data or
# secrets. If a request has no value for a field, API Gateway logs "-".
_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integration.latency",
    "integrationStatus": "$context.integration.status",
    "integrationError": "$context.integration.error",
    "error": "$context.error.message",
    "errorType": "$context.error.responseType",
    "authorizerError": "$context.authorizer.error",
}


@dataclass(frozen=True, kw_only=True)
class HttpApiArgs:
    """The resources, clients and limits of the HTTP API."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    issuer: pulumi.Input[str]
    """URL of the Cognito user pool. The claim `iss` of a token must equal this URL."""
    client_id: pulumi.Input[str]
    """Id of the app client. The claim `aud` or `client_id` of a token must equal this id."""
    inventory_table: aws.dynamodb.Table
    """Table of products and their stock."""
    catalog_index: str
    """Name of the inventory table's index that lists all products."""
    cors_origins: Sequence[str]
    """Origins of the frontends that may call the API, for example https://example.com."""
    throttle_rate: float
    """Steady-state limit of the API, in requests per second."""
    throttle_burst: int
    """Burst limit of the API: number of requests that may arrive at the same moment."""


class HttpApi(pulumi.ComponentResource):
    """HTTP API with the function `catalog_api`.

    It has CORS, throttling, an access log, and a JWT authorizer that checks scopes.
    """

    url: pulumi.Output[str]
    """Base URL of the API, without a stage and without a trailing slash."""
    api_id: pulumi.Output[str]
    """Id of the API."""
    stage_name: pulumi.Output[str]
    """Name of the stage, `$default`."""
    access_log_group_name: pulumi.Output[str]
    """Name of the CloudWatch log group of the access log, which has one JSON line per request."""
    functions: Mapping[str, Function]
    """Maps the folder name `catalog_api` to the API's only function."""
    scopes: tuple[str, ...]
    """All scopes that the operations of the API require, in alphabetical order."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cors = CorsRules(tuple(args.cors_origins))
        operations = tuple(openapi.operations(openapi.load(routes.HTTP_API)))
        super().__init__("orders:index:HttpApi", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=_COMPONENT, parent=self)
        self.functions = by_source(self._make_catalog_api())
        routes.check(routes.HTTP_API, operations, self.functions)
        self._api = self._make_api(operations, cors)
        permissions = self._make_permissions(operations)
        access_log, stage = self._make_stage(permissions)

        # Clients append a path such as /products to this URL, so it must not end with a slash. The stage's `invoke_url`
        # ends with a slash, but `api_endpoint` does not.
        self.url = self._api.api_endpoint
        self.api_id = self._api.id
        self.stage_name = stage.name
        self.access_log_group_name = access_log.name
        self.scopes = tuple(sorted({scope for operation in operations for scope in operation.scopes}))
        self.register_outputs({"url": self.url, "apiId": self.api_id})

    def _make_catalog_api(self) -> Function:
        args = self._args
        table_arn = args.inventory_table.arn
        return Function(
            "catalog-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="catalog_api",
                timeout_s=10,
                memory_mb=256,
                caller_limit=routes.CALLER_LIMIT,
                environment={"INVENTORY_TABLE": args.inventory_table.name, "CATALOG_INDEX": args.catalog_index},
                permissions=[
                    allow("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", on=table_arn),
                    allow("dynamodb:Query", on=pulumi.Output.concat(table_arn, "/index/", args.catalog_index)),
                ],
            ),
            self._owner.opts(),
        )

    def _make_api(self, operations: Sequence[Operation], cors: CorsRules) -> aws.apigatewayv2.Api:
        args = self._args
        title, tags = self._owner.name(self._name), self._owner.tags()
        document = HttpDocumentArgs(
            title=title,
            tags=tags,
            operations=operations,
            invoke_arns={
                each.operation_id: self.functions[routes.function_of(each.operation_id)].invoke_arn
                for each in operations
            },
            issuer=args.issuer,
            client_id=args.client_id,
            cors=cors,
        )
        return aws.apigatewayv2.Api(
            self._name,
            name=title,
            protocol_type="HTTP",
            body=pulumi.Output.json_dumps(http_document(document), sort_keys=True, separators=(",", ":")),
            version=VERSION,
            cors_configuration=cors_rules(operations, cors),
            tags=tags,
            opts=self._owner.opts(),
        )

    def _make_permissions(self, operations: Sequence[Operation]) -> list[aws.lambda_.Permission]:
        """Let API Gateway invoke each function, but only on the paths of the function's operations."""
        return [
            function.make_permission(
                f"{self._name}-{role}",
                principal="apigateway.amazonaws.com",
                # IAM policies do not support the stage name `$default`, so the source ARN has "*" in its place. The API
                # has no other stage, so "*" allows nothing else.
                source_arn=pulumi.Output.concat(self._api.execution_arn, f"/*/*{path}"),
            )
            for source, function in self.functions.items()
            for role, path in routes.permitted_paths(operations, source).items()
        ]

    def _make_stage(
        self, permissions: Sequence[aws.lambda_.Permission]
    ) -> tuple[aws.cloudwatch.LogGroup, aws.apigatewayv2.Stage]:
        args = self._args
        access_log = aws.cloudwatch.LogGroup(
            f"{self._name}-access-log",
            # API Gateway can write to a log group only if the account's resource policy for CloudWatch Logs allows it.
            # The policy is limited to 5,120 characters, so it cannot name many log groups. When the policy is nearly
            # full, CloudWatch Logs adds a permission for all log groups with the prefix /aws/vendedlogs/. A log group
            # with this prefix therefore works even if the policy is full.
            name=f"/aws/vendedlogs/apis/{self._owner.name(self._name)}",
            retention_in_days=args.context.log_retention_days,
            kms_key_id=args.context.log_key_arn,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )
        stage = aws.apigatewayv2.Stage(
            f"{self._name}-stage",
            api_id=self._api.id,
            # The stage `$default` adds nothing to the paths. With any other stage, the function would receive every
            # path with the stage's name as a prefix.
            name="$default",
            auto_deploy=True,
            access_log_settings={"destination_arn": access_log.arn, "format": json.dumps(_ACCESS_LOG)},
            default_route_settings={
                "throttling_rate_limit": args.throttle_rate,
                "throttling_burst_limit": args.throttle_burst,
                "detailed_metrics_enabled": True,
            },
            tags=self._owner.tags(),
            # The stage waits for the permissions. Otherwise, the first deployment could have a route whose function API
            # Gateway may not invoke yet.
            opts=self._owner.opts(depends_on=permissions),
        )
        return access_log, stage
