"""API Gateway, REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.access_logs import is_json
from aws_rules.model import Resource, Stack, of_resource, of_stack

API: Final = "aws:apigateway/restApi:RestApi"
DEPLOYMENT: Final = "aws:apigateway/deployment:Deployment"
INTEGRATION: Final = "aws:apigateway/integration:Integration"
METHOD: Final = "aws:apigateway/method:Method"
SETTINGS: Final = "aws:apigateway/methodSettings:MethodSettings"
STAGE: Final = "aws:apigateway/stage:Stage"
VALIDATOR: Final = "aws:apigateway/requestValidator:RequestValidator"
FIREWALL_ASSOCIATION: Final = "aws:wafv2/webAclAssociation:WebAclAssociation"
_ALL_METHODS: Final = "*/*"
_FIXED: Final = "A method whose answer is fixed (MOCK) has nothing behind it: preflights, and 404 for unknown routes."


@of_resource(STAGE, ids=("AwsSolutions-APIG1", "Serverless-APIGWAccessLogging", "CKV_AWS_76"))
def rest_stage_logs_access(stage: Resource) -> Iterator[str]:
    """A REST API's stage writes an access log."""
    if not stage.has("accessLogSettings", "destinationArn") or not stage.has("accessLogSettings", "format"):
        yield "no accessLogSettings"


@of_resource(STAGE, ids=("Serverless-APIGWStructuredLogging",))
def rest_access_log_is_json(stage: Resource) -> Iterator[str]:
    """A REST API's access log is JSON."""
    if not is_json(stage.at("accessLogSettings", "format")):
        yield "accessLogSettings.format is no JSON object"


@of_resource(STAGE, ids=("Serverless-APIGWXrayEnabled", "CKV_AWS_73"))
def rest_stage_is_traced(stage: Resource) -> Iterator[str]:
    """A REST API's stage is traced by X-Ray."""
    if not stage.has("xrayTracingEnabled"):
        yield "set xrayTracingEnabled"


@of_stack(STAGE, ids=("AwsSolutions-APIG3", "CKV2_AWS_29"))
def rest_stage_is_behind_a_firewall(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage has a web ACL before it."""
    if not stack.made_from(stage, FIREWALL_ASSOCIATION, "resourceArn"):
        yield "no web ACL is associated with it"


@of_stack(STAGE, ids=("AwsSolutions-APIG6", "CKV2_AWS_4"))
def rest_stage_logs_its_work(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage logs at least the errors of all methods."""
    if not any(settings.at("settings", "loggingLevel") in ("ERROR", "INFO") for settings in _settings(stage, stack)):
        yield f"no method settings for {_ALL_METHODS} with the loggingLevel ERROR or INFO"


@of_stack(STAGE, ids=("Serverless-APIGWDefaultThrottling",))
def rest_stage_is_throttled(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage has limits of its own, not the account's."""
    wanted = ("throttlingRateLimit", "throttlingBurstLimit")
    if not any(all((each.at("settings", key) or -1) > 0 for key in wanted) for each in _settings(stage, stack)):
        yield f"no method settings for {_ALL_METHODS} with {' and '.join(wanted)}"


@of_stack(STAGE, ids=("CKV_AWS_120", "CKV_AWS_225"))
def rest_stage_caches(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage caches answers."""
    if not stage.has("cacheClusterEnabled"):
        yield "no cacheClusterEnabled"
    elif not any(each.at("settings", "cachingEnabled") for each in _settings(stage, stack)):
        yield f"no method settings for {_ALL_METHODS} with cachingEnabled"


@of_stack(
    STAGE,
    ids=("CKV2_AWS_51",),
    narrowed="Only where an integration calls a server over HTTP: it alone could ask for a certificate.",
)
def rest_stage_shows_a_client_certificate(stage: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's stage shows servers behind it a client certificate."""
    apis = stage.made_from.get("restApi", frozenset())
    for integration in stack.of(INTEGRATION):
        of_this_api = apis & integration.made_from.get("restApi", frozenset())
        over_http = str(integration.at("type")).startswith("HTTP")
        if of_this_api and over_http and not stage.has("clientCertificateId"):
            yield f"no clientCertificateId, and {integration.name} calls a server"


@of_resource(SETTINGS, ids=("CKV_AWS_276",))
def rest_stage_logs_no_bodies(settings: Resource) -> Iterator[str]:
    """A REST API's stage logs no bodies."""
    if settings.at("settings", "dataTraceEnabled"):
        yield "unset dataTraceEnabled: it logs requests and answers whole"


@of_resource(SETTINGS, ids=("CKV_AWS_308",))
def rest_cache_is_encrypted(settings: Resource) -> Iterator[str]:
    """What a REST API caches is encrypted."""
    if settings.at("settings", "cachingEnabled") and not settings.at("settings", "cacheDataEncrypted"):
        yield "set cacheDataEncrypted"


@of_stack(API, ids=("AwsSolutions-APIG2",))
def rest_api_can_validate_requests(api: Resource, stack: Stack) -> Iterator[str]:
    """A REST API has a validator of bodies and parameters."""
    wanted = ("validateRequestBody", "validateRequestParameters")
    validators = stack.made_from(api, VALIDATOR, "restApi")
    if not any(all(validator.at(key) for key in wanted) for validator in validators):
        yield f"no request validator with {' and '.join(wanted)}"


@of_stack(METHOD, ids=("CKV2_AWS_53",), narrowed=_FIXED)
def rest_method_validates_requests(method: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's method has a request validator."""
    if not _is_fixed(method, stack) and not method.has("requestValidatorId"):
        yield "no requestValidatorId"


@of_stack(METHOD, ids=("AwsSolutions-APIG4", "AwsSolutions-COG4", "CKV_AWS_59", "CKV2_AWS_70"), narrowed=_FIXED)
def rest_method_asks_for_a_token(method: Resource, stack: Stack) -> Iterator[str]:
    """A REST API's method takes requests with a token of the user pool alone."""
    if not _is_fixed(method, stack) and method.at("authorization") != "COGNITO_USER_POOLS":
        yield f"authorization: got {method.at('authorization')}; set COGNITO_USER_POOLS"


@of_resource(API, DEPLOYMENT, ids=("CKV_AWS_217", "CKV_AWS_237"))
def rest_api_serves_while_it_is_replaced(resource: Resource) -> Iterator[str]:
    """A REST API and its deployments are replaced before the old ones are deleted."""
    if resource.deleted_first:
        yield "unset the option delete_before_replace"


def _settings(stage: Resource, stack: Stack) -> list[Resource]:
    """Return the settings of all methods of a stage."""
    found = stack.made_from(stage, SETTINGS, "stageName")
    return [settings for settings in found if settings.at("methodPath") == _ALL_METHODS]


def _is_fixed(method: Resource, stack: Stack) -> bool:
    """Whether API Gateway answers by itself. Without an integration, nobody knows."""
    integrations = stack.made_from(method, INTEGRATION, "httpMethod")
    return bool(integrations) and all(each.at("type") == "MOCK" for each in integrations)


RULES: Final = (
    rest_stage_logs_access,
    rest_access_log_is_json,
    rest_stage_is_traced,
    rest_stage_is_behind_a_firewall,
    rest_stage_logs_its_work,
    rest_stage_is_throttled,
    rest_stage_caches,
    rest_stage_shows_a_client_certificate,
    rest_stage_logs_no_bodies,
    rest_cache_is_encrypted,
    rest_api_can_validate_requests,
    rest_method_validates_requests,
    rest_method_asks_for_a_token,
    rest_api_serves_while_it_is_replaced,
)
