"""The catalogue over HTTP: the light API of contracts/http-api.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.apis.cors import ALLOWED_HEADERS, MAX_AGE_S, CorsRules
from components.apis.rest_routes import kebab
from components.aws import openapi
from components.aws.iam import allow
from components.functions.function import Function, FunctionArgs, FunctionContext, FunctionSize

DOCUMENT: Final = "http-api.yaml"
_COMPONENT: Final = "http-api"
# An HTTP API gives up at 30 s at the latest, which no quota raises.
_TIMEOUT_MS: Final = 29_000
# The header in which an HTTP API names its request.
_EXPOSED_HEADERS: Final = ("apigw-requestid",)
# No caller, address or token. What does not exist is logged as "-".
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
    """What the API serves from, and to whom."""

    context: FunctionContext
    """What all functions of the stack share."""
    sizes: Mapping[str, FunctionSize]
    """Of `catalog_api`."""
    issuer: pulumi.Input[str]
    """`iss` of the tokens: the Cognito user pool's address."""
    client_id: pulumi.Input[str]
    """App client whose tokens are taken, by their `aud` or `client_id`."""
    inventory_table: aws.dynamodb.Table
    """Products."""
    catalogue_index: str
    """Name of the inventory table's index of all products."""
    cors_origins: Sequence[str]
    """Exact origins of the frontends."""
    throttle_rate: float
    """Requests a second, steady."""
    throttle_burst: int
    """Requests at once."""


class HttpApi(pulumi.ComponentResource):
    """HTTP API with its function `catalog_api`, token check by scope, CORS, limits and access log."""

    url: pulumi.Output[str]
    """Base address, without stage and without trailing slash."""
    api_id: pulumi.Output[str]
    """API id."""
    stage_name: pulumi.Output[str]
    """Stage: `$default`."""
    access_log_group_name: pulumi.Output[str]
    """CloudWatch log group, one JSON line for each request."""
    functions: Mapping[str, Function]
    """`catalog_api`."""
    scopes: tuple[str, ...]
    """What a token needs, over all operations."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cors = CorsRules(tuple(args.cors_origins))
        operations = tuple(openapi.operations(openapi.load(DOCUMENT)))
        got = args.sizes["catalog_api"].timeout_s
        if got * 1000 >= _TIMEOUT_MS:
            raise ValueError(f"timeout of catalog_api: got {got} s; API Gateway waits {_TIMEOUT_MS // 1000} s")
        super().__init__("orders:index:HttpApi", name, None, opts)
        self._name, self._args = name, args
        function = self._catalog_api()
        self._api = self._make_api(operations, cors)
        routes = self._make_routes(operations, function)
        access_log, stage = self._make_stage(routes)

        # The stage's own address ends with a slash.
        self.url = self._api.api_endpoint
        self.api_id = self._api.id
        self.stage_name = stage.name
        self.access_log_group_name = access_log.name
        self.functions = {"catalog_api": function}
        self.scopes = tuple(sorted({scope for operation in operations for scope in operation.scopes}))
        self.register_outputs({"url": self.url, "apiId": self.api_id})

    def _catalog_api(self) -> Function:
        args = self._args
        table_arn = args.inventory_table.arn
        return Function(
            "catalog-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="catalog_api",
                size=args.sizes["catalog_api"],
                environment={"INVENTORY_TABLE": args.inventory_table.name, "CATALOGUE_INDEX": args.catalogue_index},
                permissions=[
                    allow("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", on=table_arn),
                    allow("dynamodb:Query", on=pulumi.Output.concat(table_arn, "/index/", args.catalogue_index)),
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _make_api(self, operations: Sequence[openapi.Operation], cors: CorsRules) -> aws.apigatewayv2.Api:
        naming = self._args.context.naming
        return aws.apigatewayv2.Api(
            self._name,
            name=naming.physical(self._name),
            protocol_type="HTTP",
            # API Gateway answers preflight requests by it, and replaces what the function says about origins.
            cors_configuration={
                "allow_origins": list(cors.origins),
                "allow_methods": sorted({operation.method for operation in operations}),
                "allow_headers": [header.lower() for header in ALLOWED_HEADERS if header != "Idempotency-Key"],
                "expose_headers": list(_EXPOSED_HEADERS),
                "max_age": MAX_AGE_S,
            },
            tags=naming.tags(_COMPONENT),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_routes(self, operations: Sequence[openapi.Operation], function: Function) -> list[aws.apigatewayv2.Route]:
        authorizer_id, target = self._authorizer(), self._integration(function)
        return [self._route(operation, function, authorizer_id, target) for operation in operations]

    def _route(
        self,
        operation: openapi.Operation,
        function: Function,
        authorizer_id: pulumi.Output[str],
        target: pulumi.Output[str],
    ) -> aws.apigatewayv2.Route:
        role = kebab(operation.operation_id)
        path = re.sub(r"{[^}]+}", "*", operation.path)
        function.allow_invoke(
            f"{self._name}-{role}",
            principal="apigateway.amazonaws.com",
            # Whatever the stage: there is one, and its `$default` is no name that policies know.
            source_arn=pulumi.Output.concat(self._api.execution_arn, f"/*/{operation.method}{path}"),
        )
        return aws.apigatewayv2.Route(
            f"{self._name}-{role}",
            api_id=self._api.id,
            route_key=f"{operation.method} {operation.path}",
            operation_name=operation.operation_id,
            target=target,
            authorization_type="JWT" if operation.secured else "NONE",
            authorizer_id=authorizer_id if operation.secured else None,
            authorization_scopes=list(operation.scopes) or None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _authorizer(self) -> pulumi.Output[str]:
        return aws.apigatewayv2.Authorizer(
            f"{self._name}-authorizer",
            api_id=self._api.id,
            name="user-pool-access-token",
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration={"issuer": self._args.issuer, "audiences": [self._args.client_id]},
            opts=pulumi.ResourceOptions(parent=self),
        ).id

    def _integration(self, function: Function) -> pulumi.Output[str]:
        """Return the target of all routes."""
        integration = aws.apigatewayv2.Integration(
            f"{self._name}-catalog-api",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=_TIMEOUT_MS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.concat("integrations/", integration.id)

    def _make_stage(
        self, routes: Sequence[aws.apigatewayv2.Route]
    ) -> tuple[aws.cloudwatch.LogGroup, aws.apigatewayv2.Stage]:
        args, naming = self._args, self._args.context.naming
        access_log = aws.cloudwatch.LogGroup(
            f"{self._name}-access-log",
            # Delivered as a vended log: elsewhere each group's entry fills one resource policy of bounded size.
            name=f"/aws/vendedlogs/apis/{naming.physical(self._name)}",
            retention_in_days=args.context.log_retention_days,
            kms_key_id=args.context.log_key_arn,
            tags=naming.tags(_COMPONENT),
            opts=pulumi.ResourceOptions(parent=self),
        )
        stage = aws.apigatewayv2.Stage(
            f"{self._name}-stage",
            api_id=self._api.id,
            # A named stage would stand before each path that the function sees.
            name="$default",
            auto_deploy=True,
            access_log_settings={"destination_arn": access_log.arn, "format": json.dumps(_ACCESS_LOG)},
            default_route_settings={
                "throttling_rate_limit": args.throttle_rate,
                "throttling_burst_limit": args.throttle_burst,
                "detailed_metrics_enabled": True,
            },
            tags=naming.tags(_COMPONENT),
            # All routes at once, not one deployment for each.
            opts=pulumi.ResourceOptions(parent=self, depends_on=routes),
        )
        return access_log, stage
