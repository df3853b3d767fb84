"""Pulumi programs that contain a single API, with stand-ins for the resources that the API needs."""

from __future__ import annotations

from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pytest

from components.apis.http_api import HttpApi, HttpApiArgs
from components.apis.rest_api import RestApi, RestApiArgs
from components.aws import openapi
from tests.components.order_programs import context
from tests.support.graph import ACCOUNT, REGION, Graph, run

ORIGIN: Final = "https://orders.example.com"
ORIGINS: Final = (ORIGIN, "https://admin.example.com", "http://localhost:3000")
MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders-dev-order-express"
POOL: Final = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_POOL"
ACCOUNT_2_POOL: Final = f"arn:aws:cognito-idp:{REGION}:210987654321:userpool/{REGION}_OTHER"
STAGE_ARN: Final = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:rest-api-id/dev"


def record_rest_api(*, unknown: bool = False, **changes: Any) -> Graph:
    """Return the resource graph of a program that contains only a RestApi. `changes` override the API's arguments."""

    def program() -> None:
        api = RestApi("rest-api", RestApiArgs(**{**_rest_arguments(), **changes}))
        pulumi.export("url", api.url)
        pulumi.export("executionArn", api.execution_arn)
        pulumi.export("accessLogGroupName", api.access_log_group_name)
        pulumi.export("restApiId", api.rest_api_id)
        pulumi.export("stageName", api.stage_name)
        pulumi.export("functions", {source: each.function_name for source, each in api.functions.items()})

    return run(program, "dev", unknown=unknown, config={})


def record_http_api(*, unknown: bool = False, **changes: Any) -> Graph:
    """Return the resource graph of a program that contains only an HttpApi. `changes` override the API's arguments."""

    def program() -> None:
        api = HttpApi("http-api", HttpApiArgs(**{**_http_arguments(), **changes}))
        pulumi.export("url", api.url)
        pulumi.export("scopes", list(api.scopes))
        pulumi.export("accessLogGroupName", api.access_log_group_name)
        pulumi.export("functions", {source: each.function_name for source, each in api.functions.items()})

    return run(program, "dev", unknown=unknown, config={})


def serve_document(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]) -> None:
    """Make the components read `document` instead of the OpenAPI documents in contracts/."""

    def load(name: str) -> dict[str, Any]:
        del name
        return document

    monkeypatch.setattr(openapi, "load", load)


def _rest_arguments() -> dict[str, Any]:
    return {
        **_common(),
        "stage_name": "dev",
        "user_pool_arn": POOL,
        "client_id": "client",
        "state_machine_arn": MACHINE,
        "users_table": _table("users"),
        "orders_table": _table("orders"),
        "orders_by_user_index": "by-user",
        "inventory_table": _table("inventory"),
        "waf": False,
        "owns_account_log_role": False,
    }


def _http_arguments() -> dict[str, Any]:
    return {
        **_common(),
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_POOL",
        "client_id": "client",
        "inventory_table": _table("inventory"),
        "catalog_index": "catalog",
    }


def _common() -> dict[str, Any]:
    return {
        "context": context(),
        "cors_origins": [ORIGIN],
        "throttle_rate": 50,
        "throttle_burst": 100,
    }


def _table(role: str) -> aws.dynamodb.Table:
    attributes: list[aws.dynamodb.TableAttributeArgsDict] = [{"name": "id", "type": "S"}]
    return aws.dynamodb.Table(f"data-{role}", name=f"orders-dev-{role}", hash_key="id", attributes=attributes)
