"""Profiles and orders over HTTP: the REST API of contracts/rest-api.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_aws as aws

from components.apis.api_snapshot import ApiSnapshot
from components.apis.cors import CorsRules
from components.apis.gateway_responses import make_gateway_responses
from components.apis.rest_routes import INTEGRATION_TIMEOUT_MS, RestRoutes, kebab
from components.apis.rest_stage import RestStageArgs, make_stage
from components.apis.sync_workflow_integration import SyncWorkflowIntegrationArgs, integrate_sync_workflow
from components.apis.web_acl import WebAclArgs, protect_stage
from components.aws import openapi
from components.aws.iam import allow
from components.functions.function import Function, FunctionArgs, FunctionContext, FunctionSize

DOCUMENT: Final = "rest-api.yaml"
# Who answers each operation of the document; the workflow answers one without a function between.
_USERS_API: Final = ("createUser", "getUser")
_ORDERS_API: Final = ("createOrder", "listOrders", "getOrder", "cancelOrder")
_WORKFLOW: Final = "processOrder"
_COMPONENT: Final = "rest-api"


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    """What the API serves from, and to whom."""

    context: FunctionContext
    """What all functions of the stack share."""
    sizes: Mapping[str, FunctionSize]
    """Of `users_api` and `orders_api`."""
    stage_name: str
    """Last part of the URL: letters, digits, hyphens, underscores."""
    user_pool_arn: pulumi.Input[str]
    """Cognito user pool whose ID tokens are taken."""
    client_id: pulumi.Input[str]
    """App client whose tokens are taken, by their `aud`."""
    state_machine_arn: pulumi.Input[str]
    """Express order workflow, answers `POST /process`."""
    users_table: aws.dynamodb.Table
    """Profiles."""
    orders_table: aws.dynamodb.Table
    """Orders."""
    orders_by_user_index: str
    """Name of the orders table's index by user and time."""
    inventory_table: aws.dynamodb.Table
    """Products; a cancelled order gives back what it took."""
    cors_origins: Sequence[str]
    """Exact origins of the frontends; the first is the main one, which the gateway's own errors carry."""
    throttle_rate: float
    """Requests a second, steady."""
    throttle_burst: int
    """Requests at once."""
    waf: bool
    """Put a web application firewall before it."""
    owns_account_log_role: bool
    """Make the log role of the account and region; without it, another stack there must have made it."""
    execution_log_level: Literal["OFF", "ERROR", "INFO"] = "ERROR"
    """What API Gateway logs about its own work."""
    requests_per_address: int = 2000
    """With a firewall: requests in five minutes from one IP address."""


class RestApi(pulumi.ComponentResource):
    """Regional API with its functions `users_api` and `orders_api`, validation, sign-in, CORS, limits and logs."""

    url: pulumi.Output[str]
    """Base address with the stage, without trailing slash."""
    name: pulumi.Output[str]
    """API name, its dimension in CloudWatch."""
    rest_api_id: pulumi.Output[str]
    """API id."""
    stage_name: pulumi.Output[str]
    """Stage."""
    execution_arn: pulumi.Output[str]
    """execute-api ARN of the API, without stage."""
    access_log_group_name: pulumi.Output[str]
    """CloudWatch log group, one JSON line for each request."""
    functions: Mapping[str, Function]
    """`users_api` and `orders_api`."""

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cors = CorsRules(tuple(args.cors_origins))
        operations = tuple(openapi.operations(openapi.load(DOCUMENT)))
        _check(args, operations)
        super().__init__("orders:index:RestApi", name, None, opts)
        self._name, self._args = name, args
        self._deployed = ApiSnapshot()
        self.functions = {"users_api": self._users_api(), "orders_api": self._orders_api()}
        self._api = self._make_api()
        self._make_routes(operations, cors)
        make_gateway_responses(name, rest_api_id=self._api.id, cors=cors, deployed=self._deployed, parent=self)
        served = make_stage(name, self._stage_args(), self)
        if args.waf:
            acl = WebAclArgs(
                context=args.context,
                component=_COMPONENT,
                stage_arn=served.stage.arn,
                requests_per_address=args.requests_per_address,
            )
            protect_stage(name, acl, self)

        self.url = served.stage.invoke_url
        self.name, self.rest_api_id = self._api.name, self._api.id
        self.stage_name = served.stage.stage_name
        self.execution_arn = self._api.execution_arn
        self.access_log_group_name = served.access_log.name
        self.register_outputs({"url": self.url, "restApiId": self.rest_api_id, "stageName": self.stage_name})

    def _users_api(self) -> Function:
        args = self._args
        return Function(
            "users-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="users_api",
                size=args.sizes["users_api"],
                environment={"USERS_TABLE": args.users_table.name, "CORS_ORIGINS": ",".join(args.cors_origins)},
                permissions=[allow("dynamodb:PutItem", "dynamodb:GetItem", on=args.users_table.arn)],
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _orders_api(self) -> Function:
        args = self._args
        index_arn = pulumi.Output.concat(args.orders_table.arn, "/index/", args.orders_by_user_index)
        return Function(
            "orders-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="orders_api",
                size=args.sizes["orders_api"],
                environment={
                    "ORDERS_TABLE": args.orders_table.name,
                    "ORDERS_BY_USER_INDEX": args.orders_by_user_index,
                    "INVENTORY_TABLE": args.inventory_table.name,
                    "CORS_ORIGINS": ",".join(args.cors_origins),
                },
                permissions=[
                    allow("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", on=args.orders_table.arn),
                    allow("dynamodb:Query", on=index_arn),
                    # Inside the transaction that cancels an order.
                    allow("dynamodb:UpdateItem", on=args.inventory_table.arn),
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _make_api(self) -> aws.apigateway.RestApi:
        naming = self._args.context.naming
        return self._deployed.add(
            aws.apigateway.RestApi,
            self._name,
            name=naming.physical(self._name),
            endpoint_configuration={"types": "REGIONAL"},
            # TLS 1.2 and 1.3; the default endpoint of a regional API else takes TLS 1.0. Strict: the host that TLS
            # was made for must be the API's own.
            security_policy="SecurityPolicy_TLS13_1_2_2021_06",
            endpoint_access_mode="STRICT",
            tags=naming.tags(_COMPONENT),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _authorizer(self) -> pulumi.Output[str]:
        return self._deployed.add(
            aws.apigateway.Authorizer,
            f"{self._name}-authorizer",
            rest_api=self._api.id,
            name="user-pool-id-token",
            type="COGNITO_USER_POOLS",
            identity_source="method.request.header.Authorization",
            provider_arns=[self._args.user_pool_arn],
            # Of the pool alone, it would take the tokens of every app client that the pool has or will have.
            identity_validation_expression=pulumi.Output.concat("^", self._args.client_id, "$"),
            opts=pulumi.ResourceOptions(parent=self),
        ).id

    def _make_routes(self, operations: Sequence[openapi.Operation], cors: CorsRules) -> None:
        routes = RestRoutes(name=self._name, rest_api=self._api, cors=cors, deployed=self._deployed, parent=self)
        ids = routes.resources(operation.path for operation in operations)
        authorizer_id, validator_id = self._authorizer(), routes.validator()
        for operation in operations:
            method = routes.method(
                operation,
                resource_id=ids[operation.path],
                authorizer_id=authorizer_id,
                validator_id=validator_id,
            )
            if operation.operation_id == _WORKFLOW:
                self._integrate_workflow(operation, method, cors)
            else:
                self._integrate_function(routes, operation, method)
        routes.preflights(operations, ids)
        routes.unknown_routes()

    def _integrate_workflow(self, operation: openapi.Operation, method: aws.apigateway.Method, cors: CorsRules) -> None:
        integration = SyncWorkflowIntegrationArgs(
            context=self._args.context,
            component=_COMPONENT,
            method=method,
            state_machine_arn=self._args.state_machine_arn,
            cors=cors,
            deployed=self._deployed,
        )
        integrate_sync_workflow(f"{self._name}-{kebab(operation.operation_id)}", integration, self)

    def _integrate_function(
        self, routes: RestRoutes, operation: openapi.Operation, method: aws.apigateway.Method
    ) -> None:
        function = self.functions["users_api" if operation.operation_id in _USERS_API else "orders_api"]
        routes.function_integration(operation, method, function.invoke_arn)
        function.allow_invoke(
            f"{self._name}-{kebab(operation.operation_id)}",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(
                self._api.execution_arn,
                f"/{self._args.stage_name}/{operation.method}{re.sub(r'{[^}]+}', '*', operation.path)}",
            ),
        )

    def _stage_args(self) -> RestStageArgs:
        args = self._args
        return RestStageArgs(
            context=args.context,
            component=_COMPONENT,
            rest_api=self._api,
            deployed=self._deployed,
            stage_name=args.stage_name,
            throttle_rate=args.throttle_rate,
            throttle_burst=args.throttle_burst,
            execution_log_level=args.execution_log_level,
            owns_account_log_role=args.owns_account_log_role,
        )


def _check(args: RestApiArgs, operations: Sequence[openapi.Operation]) -> None:
    """Raise ValueError for what would only be seen when requests fail."""
    known = {*_USERS_API, *_ORDERS_API, _WORKFLOW}
    found = {operation.operation_id for operation in operations}
    if known != found:
        raise ValueError(
            f"contracts/{DOCUMENT}: operations {sorted(found - known)} are answered by nobody, {sorted(known - found)} "
            "are not in the document; name each one's function in components/apis/rest_api.py"
        )
    for source in ("users_api", "orders_api"):
        got = args.sizes[source].timeout_s
        if got * 1000 >= INTEGRATION_TIMEOUT_MS:
            raise ValueError(f"timeout of {source}: got {got} s; API Gateway waits {INTEGRATION_TIMEOUT_MS // 1000} s")
