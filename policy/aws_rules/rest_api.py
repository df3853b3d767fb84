"""Rules for REST APIs of API Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.access_logs import is_json
from aws_rules.model import Resource, Stack, of_resource, of_stack
from aws_rules.openapi import BESIDE, Route, document, is_of_user_pool, routes, validators

API: Final = "aws:apigateway/restApi:RestApi"
DEPLOYMENT: Final = "aws:apigateway/deployment:Deployment"
METHOD: Final = "aws:apigateway/method:Method"
SETTINGS: Final = "aws:apigateway/methodSettings:MethodSettings"
STAGE: Final = "aws:apigateway/stage:Stage"
FIREWALL_ASSOCIATION: Final = "aws:wafv2/webAclAssociation:WebAclAssociation"
_ALL_METHODS: Final = "*/*"
_CHECKS: Final = ("validateRequestBody", "validateRequestParameters")
_FIXED: Final = (
    "The rule skips MOCK methods, such as CORS preflights and the 404 for unknown routes, because they have no backend."
)


@of_resource(STAGE, ids=("AwsSolutions-APIG1", "Serverless-APIGWAccessLogging", "CKV_AWS_76"))
def rest_stage_logs_access(stage: Resource) -> Iterator[str]:
    """The stage of a REST API writes an access log."""
    if not stage.has("accessLogSettings", "destinationArn") or not stage.has("accessLogSettings", "format"):
        yield "has no accessLogSettings"


@of_resource(STAGE, ids=("Serverless-APIGWStructuredLogging",))
def rest_access_log_is_json(stage: Resource) -> Iterator[str]:
    """Each line of a REST API's access log is a JSON object."""
    if not is_json(stage.at("accessLogSettings", "format")):
        yield "accessLogSettings.format is not a JSON object"


@of_resource(STAGE, ids=("Serverless-APIGWXrayEnabled", "CKV_AWS_73"))
def rest_stage_is_traced(stage: Resource) -> Iterator[str]:
    """X-Ray traces the stage of a REST API."""
    if not stage.has("xrayTracingEnabled"):
        yield "set xrayTracingEnabled"


@of_stack(STAGE, ids=("AwsSolutions-APIG3", "CKV2_AWS_29"))
def rest_stage_is_behind_a_firewall(stage: Resource, stack: Stack) -> Iterator[str]:
    """A web ACL protects the stage of a REST API."""
    if not stack.made_from(stage, FIREWALL_ASSOCIATION, "resourceArn"):
        yield "is not associated with a web ACL"


@of_stack(STAGE, ids=("AwsSolutions-APIG6", "CKV2_AWS_4"))
def rest_stage_logs_its_work(stage: Resource, stack: Stack) -> Iterator[str]:
    """The execution log of a REST API's stage has the level ERROR or INFO for all methods."""
    if not any(settings.at("settings", "loggingLevel") in ("ERROR", "INFO") for settings in _settings(stage, stack)):
        yield f"has no method settings for {_ALL_METHODS} with the loggingLevel ERROR or INFO"


@of_stack(STAGE, ids=("Serverless-APIGWDefaultThrottling",))
def rest_stage_is_throttled(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage sets throttling limits and does not rely on the account's limits."""
    wanted = ("throttlingRateLimit", "throttlingBurstLimit")
    if not any(all((each.at("settings", key) or -1) > 0 for key in wanted) for each in _settings(stage, stack)):
        yield f"has no method settings for {_ALL_METHODS} with {' and '.join(wanted)}"


@of_stack(
    STAGE,
    ids=("CKV2_AWS_51",),
    narrowed="The rule checks only APIs with an HTTP integration. All other integrations call AWS services, which "
    "don't verify a client certificate.",
)
def rest_stage_shows_a_client_certificate(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage presents a client certificate to the servers that it calls."""
    found = [route for api in stack.sources(stage, "restApi") if api.type == API for route in routes(api)]
    for route in found:
        if route.integration_type.startswith("HTTP") and not stage.has("clientCertificateId"):
            yield f"has no clientCertificateId, but {route.name} calls a server over HTTP"


@of_resource(SETTINGS, ids=("CKV_AWS_276",))
def rest_stage_logs_no_bodies(settings: Resource) -> Iterator[str]:
    """A REST API's stage doesn't log request and response bodies."""
    if settings.at("settings", "dataTraceEnabled"):
        yield "unset dataTraceEnabled, which logs whole requests and responses"


@of_resource(SETTINGS, ids=("CKV_AWS_308",))
def rest_cache_is_encrypted(settings: Resource) -> Iterator[str]:
    """API Gateway encrypts the cache of a REST API."""
    if settings.at("settings", "cachingEnabled") and not settings.at("settings", "cacheDataEncrypted"):
        yield "set cacheDataEncrypted"


@of_resource(API, ids=("AwsSolutions-APIG2",))
def rest_api_can_validate_requests(api: Resource) -> Iterator[str]:
    """A REST API has request validators, and each of them checks bodies and parameters."""
    found = validators(document(api))
    if not found:
        yield "has no request validator"
    for name, validator in found.items():
        if not all(validator.get(key) for key in _CHECKS):
            yield f"request validator {name}: set {' and '.join(_CHECKS)}"


@of_resource(API, ids=("CKV2_AWS_53",), narrowed=_FIXED)
def rest_method_validates_requests(api: Resource) -> Iterator[str]:
    """Each method of a REST API has a request validator."""
    for route in _answered(api):
        if not route.validator:
            yield f"{route.name}: has no request validator"


@of_resource(API, METHOD, ids=("AwsSolutions-APIG4", "AwsSolutions-COG4", "CKV_AWS_59", "CKV2_AWS_70"), narrowed=_FIXED)
def rest_method_asks_for_a_token(made: Resource) -> Iterator[str]:
    """Each method of a REST API requires a token of the user pool."""
    if made.type == METHOD:
        yield BESIDE
        return
    for route in _answered(made):
        if not route.authorizers or not all(is_of_user_pool(scheme) for scheme in route.authorizers):
            yield f"{route.name}: requires no token; add a security scheme of type cognito_user_pools"


@of_resource(API, DEPLOYMENT, ids=("CKV_AWS_217", "CKV_AWS_237"))
def rest_api_serves_while_it_is_replaced(resource: Resource) -> Iterator[str]:
    """To replace a REST API or a deployment, Pulumi creates the new resource before it deletes the old one."""
    if resource.deleted_first:
        yield "unset the option delete_before_replace"


def _settings(stage: Resource, stack: Stack) -> list[Resource]:
    """Return the method settings of `stage` that apply to all of its methods."""
    found = stack.made_from(stage, SETTINGS, "stageName")
    return [settings for settings in found if settings.at("methodPath") == _ALL_METHODS]


def _answered(api: Resource) -> list[Route]:
    """Return the routes of a REST API, except MOCK routes, to which API Gateway responds without a backend."""
    return [route for route in routes(api) if route.integration_type != "MOCK"]


RULES: Final = (
    rest_stage_logs_access,
    rest_access_log_is_json,
    rest_stage_is_traced,
    rest_stage_is_behind_a_firewall,
    rest_stage_logs_its_work,
    rest_stage_is_throttled,
    rest_stage_shows_a_client_certificate,
    rest_stage_logs_no_bodies,
    rest_cache_is_encrypted,
    rest_api_can_validate_requests,
    rest_method_validates_requests,
    rest_method_asks_for_a_token,
    rest_api_serves_while_it_is_replaced,
)
