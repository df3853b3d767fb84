"""Rules for HTTP APIs of API Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.access_logs import is_json
from aws_rules.model import Resource, of_resource
from aws_rules.openapi import BESIDE, is_jwt, routes

API: Final = "aws:apigatewayv2/api:Api"
STAGE: Final = "aws:apigatewayv2/stage:Stage"
ROUTE: Final = "aws:apigatewayv2/route:Route"


@of_resource(STAGE, ids=("AwsSolutions-APIG1", "Serverless-APIGWAccessLogging", "CKV_AWS_76"))
def http_stage_logs_access(stage: Resource) -> Iterator[str]:
    """The stage of an HTTP API writes an access log."""
    if not stage.has("accessLogSettings", "destinationArn") or not stage.has("accessLogSettings", "format"):
        yield "has no accessLogSettings"


@of_resource(STAGE, ids=("Serverless-APIGWStructuredLogging",))
def http_access_log_is_json(stage: Resource) -> Iterator[str]:
    """Each line of an HTTP API's access log is a JSON object."""
    if not is_json(stage.at("accessLogSettings", "format")):
        yield "accessLogSettings.format is not a JSON object"


@of_resource(STAGE, ids=("Serverless-APIGWDefaultThrottling",))
def http_stage_is_throttled(stage: Resource) -> Iterator[str]:
    """An HTTP API's stage sets throttling limits and does not rely on the account's limits."""
    wanted = ("throttlingRateLimit", "throttlingBurstLimit")
    if not all((stage.at("defaultRouteSettings", key) or -1) > 0 for key in wanted):
        yield f"has no defaultRouteSettings with {' and '.join(wanted)}"


@of_resource(API, ROUTE, ids=("AwsSolutions-APIG4", "CKV_AWS_309"))
def http_route_asks_for_a_token(made: Resource) -> Iterator[str]:
    """Each route of an HTTP API requires a token."""
    if made.type == ROUTE:
        yield BESIDE
        return
    for route in routes(made):
        if not route.authorizers or not all(is_jwt(scheme) for scheme in route.authorizers):
            yield f"{route.name}: requires no token; add a security scheme of type jwt"


RULES: Final = (
    http_stage_logs_access,
    http_access_log_is_json,
    http_stage_is_throttled,
    http_route_asks_for_a_token,
)
