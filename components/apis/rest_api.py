"""The REST API, which serves profiles and orders as described in contracts/rest-api.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
import pulumi_aws as aws

from components.apis import routes, sync_workflow_integration
from components.apis.cors import CorsRules
from components.apis.rest_document import (
    ENDPOINT_ACCESS_MODE,
    SECURITY_POLICY,
    RestDocumentArgs,
    proxy_parts,
    rest_document,
)
from components.apis.rest_stage import RestStageArgs, make_stage
from components.apis.sync_workflow_integration import WorkflowRole
from components.apis.web_acl import WebAclArgs, make_web_acl
from components.aws import openapi
from components.aws.iam import allow
from components.aws.openapi import Operation
from components.aws.owner import Owner
from components.functions.function import Function, FunctionArgs, FunctionContext, by_source

_COMPONENT: Final = "rest-api"


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    """The resources, clients and limits of the REST API."""

    context: FunctionContext
    """Settings that all functions of the stack share."""
    stage_name: str
    """Name of the stage, the last part of the URL. It may contain letters, digits, hyphens and underscores."""
    user_pool_arn: pulumi.Input[str]
    """ARN of the Cognito user pool whose ID tokens the API accepts."""
    client_id: pulumi.Input[str]
    """Id of the app client. The claim `aud` of a token must equal this id."""
    state_machine_arn: pulumi.Input[str]
    """ARN of the EXPRESS state machine that handles `POST /process`."""
    users_table: aws.dynamodb.Table
    """Table of user profiles."""
    orders_table: aws.dynamodb.Table
    """Table of orders."""
    orders_by_user_index: str
    """Name of the orders table's index that lists the orders of a user by time."""
    inventory_table: aws.dynamodb.Table
    """Table of products. Canceling a confirmed order returns its products to the stock in this table."""
    cors_origins: Sequence[str]
    """Origins of the frontends that may call the API. API Gateway's own error responses allow only the first origin."""
    throttle_rate: float
    """Steady-state limit of the API, in requests per second."""
    throttle_burst: int
    """Burst limit of the API: number of requests that may arrive at the same moment."""
    waf: bool
    """Protect the API with AWS WAF."""
    owns_account_log_role: bool
    """Create the role with which API Gateway writes logs. Exactly one stack per account and region must create it."""
    execution_log_level: Literal["OFF", "ERROR", "INFO"] = "ERROR"
    """Level of the execution log, in which API Gateway logs how it processes each request."""
    requests_per_address: int = 2000
    """Requests that AWS WAF allows from one IP address in five minutes. Used only with `waf`."""
    viewer_address_header: str = ""
    """Header in which the CloudFront site passes the IP address of the viewer. "" if the stack has no site."""


class RestApi(pulumi.ComponentResource):
    """Regional REST API with the functions that handle its routes.

    It has request validation, a Cognito authorizer, CORS, throttling and logs.
    """

    url: pulumi.Output[str]
    """Base URL of the API, including the stage, without a trailing slash."""
    name: pulumi.Output[str]
    """Name of the API. CloudWatch uses it as the dimension `ApiName`."""
    rest_api_id: pulumi.Output[str]
    """Id of the API."""
    stage_name: pulumi.Output[str]
    """Name of the stage."""
    execution_arn: pulumi.Output[str]
    """ARN of the API for the service `execute-api`, without a stage."""
    access_log_group_name: pulumi.Output[str]
    """Name of the CloudWatch log group of the access log, which has one JSON line per request."""
    functions: Mapping[str, Function]
    """The functions that handle the routes, by the names of their folders."""

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cors = CorsRules(tuple(args.cors_origins))
        operations = tuple(openapi.operations(openapi.load(routes.REST_API)))
        super().__init__("orders:index:RestApi", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.context.naming, component=_COMPONENT, parent=self)
        self.functions = by_source(self._make_users_api(), self._make_orders_api())
        routes.check(routes.REST_API, operations, self.functions)
        workflow = self._make_workflow_role()
        self._api = self._make_api(operations, cors, workflow)
        permissions = self._make_permissions(operations)
        served = make_stage(name, self._stage_args([workflow.policy, *permissions]), self._owner)
        if args.waf:
            acl = WebAclArgs(
                context=args.context,
                stage_arn=served.stage.arn,
                requests_per_address=args.requests_per_address,
                viewer_address_header=args.viewer_address_header,
            )
            make_web_acl(name, acl, self._owner)

        self.url = served.stage.invoke_url
        self.name, self.rest_api_id = self._api.name, self._api.id
        self.stage_name = served.stage.stage_name
        self.execution_arn = self._api.execution_arn
        self.access_log_group_name = served.access_log.name
        self.register_outputs({"url": self.url, "restApiId": self.rest_api_id, "stageName": self.stage_name})

    def _make_users_api(self) -> Function:
        args = self._args
        return Function(
            "users-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="users_api",
                timeout_s=10,
                memory_mb=256,
                caller_limit=routes.CALLER_LIMIT,
                environment={"USERS_TABLE": args.users_table.name, "CORS_ORIGINS": ",".join(args.cors_origins)},
                permissions=[allow("dynamodb:PutItem", "dynamodb:GetItem", on=args.users_table.arn)],
            ),
            self._owner.opts(),
        )

    def _make_orders_api(self) -> Function:
        args = self._args
        index_arn = pulumi.Output.concat(args.orders_table.arn, "/index/", args.orders_by_user_index)
        return Function(
            "orders-api",
            FunctionArgs(
                context=args.context,
                component=_COMPONENT,
                source="orders_api",
                timeout_s=10,
                memory_mb=256,
                caller_limit=routes.CALLER_LIMIT,
                environment={
                    "ORDERS_TABLE": args.orders_table.name,
                    "ORDERS_BY_USER_INDEX": args.orders_by_user_index,
                    "INVENTORY_TABLE": args.inventory_table.name,
                    "CORS_ORIGINS": ",".join(args.cors_origins),
                },
                permissions=[
                    allow("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", on=args.orders_table.arn),
                    allow("dynamodb:Query", on=index_arn),
                    # The function needs this permission to cancel a confirmed order: the transaction that sets the
                    # order's status also returns its products to stock.
                    allow("dynamodb:UpdateItem", on=args.inventory_table.arn),
                ],
            ),
            self._owner.opts(),
        )

    def _make_workflow_role(self) -> WorkflowRole:
        args = self._args
        return sync_workflow_integration.make_role(
            f"{self._name}-process-order",
            self._owner,
            account_id=args.context.account_id,
            state_machine_arn=args.state_machine_arn,
        )

    def _make_api(
        self, operations: Sequence[Operation], cors: CorsRules, workflow: WorkflowRole
    ) -> aws.apigateway.RestApi:
        args = self._args
        title = self._owner.name(self._name)
        document = RestDocumentArgs(
            title=title,
            operations=operations,
            parts={each.operation_id: self._parts(each, cors, workflow) for each in operations},
            user_pool_arn=args.user_pool_arn,
            client_id=args.client_id,
            cors=cors,
        )
        return aws.apigateway.RestApi(
            self._name,
            name=title,
            body=pulumi.Output.json_dumps(rest_document(document), sort_keys=True, separators=(",", ":")),
            # In the mode `overwrite`, API Gateway deletes every route that the document does not contain.
            put_rest_api_mode="overwrite",
            # The endpoint type is set here, because an OpenAPI document cannot set it. An import of the document does
            # not change the endpoint type.
            endpoint_configuration={"types": "REGIONAL"},
            security_policy=SECURITY_POLICY,
            endpoint_access_mode=ENDPOINT_ACCESS_MODE,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )

    def _parts(self, operation: Operation, cors: CorsRules, workflow: WorkflowRole) -> dict[str, Any]:
        function = routes.function_of(operation.operation_id)
        if function != routes.WORKFLOW:
            return proxy_parts(self.functions[function].invoke_arn)
        return sync_workflow_integration.integration_parts(
            region=self._args.context.region,
            state_machine_arn=self._args.state_machine_arn,
            role_arn=workflow.role.arn,
            cors=cors,
        )

    def _make_permissions(self, operations: Sequence[Operation]) -> list[aws.lambda_.Permission]:
        """Let the stage invoke each function, but only on the paths of the function's operations."""
        return [
            function.make_permission(
                f"{self._name}-{role}",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(self._api.execution_arn, f"/{self._args.stage_name}/*{path}"),
            )
            for source, function in self.functions.items()
            for role, path in routes.permitted_paths(operations, source).items()
        ]

    def _stage_args(self, needed: Sequence[pulumi.Resource]) -> RestStageArgs:
        args = self._args
        return RestStageArgs(
            context=args.context,
            rest_api=self._api,
            needed=needed,
            stage_name=args.stage_name,
            throttle_rate=args.throttle_rate,
            throttle_burst=args.throttle_burst,
            execution_log_level=args.execution_log_level,
            owns_account_log_role=args.owns_account_log_role,
        )
