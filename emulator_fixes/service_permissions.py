"""AWS services need permission to call each other.

Emulator: The emulator lets AWS services call each other without permission.
AWS: API Gateway invokes a function for a method only if the function's policy allows this method. Lambda accepts an
    event source mapping, a dead-letter queue or a destination only if the function's role has permission to use it.
    Step Functions accepts a logging configuration only if the state machine's role has permission to log. A service can
    assume only a role that trusts the service.
Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
Upstream: request as a feature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.authorization import READ_ACTIONS, role_may, service_may, trusts
from emulator_fixes.rest_calls import current

_lambda: Any = internal("services.lambda_svc")
_responses: Any = internal("core.responses")
_gateway: Any = internal("services.apigateway_v1")
_PARAMETER: Final = re.compile(r"\{[^}]+\}")
_PRINCIPAL: Final = "apigateway.amazonaws.com"
_BAD_GATEWAY: Final = 502
_HTTP_API_FAILED: Final = (500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}')
_SENDS: Final = {"sqs": ("sqs:SendMessage",), "sns": ("sns:Publish",)}


@replaces("services.apigateway_v1._call_lambda_raw", "a2df5d6c5b30")
async def call_function_of_rest(original: Any, reference: Any, event: Any, **scope: Any) -> Any:
    """Invoke a function for a method of a REST API, if the function's policy allows the method."""
    call = current.get()
    if call is not None and call.source:
        source = call.source
        # For a REST API, the source ARN does not contain the path of the request. It contains the method's resource,
        # with a wildcard for each path parameter, such as /orders/*/cancel.
        resource = _PARAMETER.sub("*", source["resource_path"])
        place = f"{source['api_id']}/{source['stage_name']}/{call.method}{resource}"
        if not _may_invoke(reference, place):
            return None, f"the policy of {reference} does not allow API Gateway to invoke the function for {place}"
    return await original(reference, event, **scope)


@replaces("services.apigateway._invoke_lambda_proxy", "fbe5024fcd36")
async def call_function_of_http(
    original: Any, integration: Any, api: str, stage: str, *arguments: Any, **named: Any
) -> Any:
    """Invoke a function for a route of an HTTP API.

    If the function fails, or its policy does not allow the route, the client gets status 500 without a reason.
    """
    reference = internal("services.apigateway")._extract_lambda_ref_from_integration_uri(integration["integrationUri"])
    path, method = arguments[:2]
    # For an HTTP API, the source ARN contains the declared path of the route, such as
    # .../stage/METHOD/products/{product_id}.
    route = str(arguments[5]).partition(" ")[2] or path
    if not any(_may_invoke(reference, f"{api}/{stage}/{verb}{route}") for verb in (method, "*")):
        return _HTTP_API_FAILED
    answer: Any = await original(integration, api, stage, *arguments, **named)
    return _HTTP_API_FAILED if answer[0] == _BAD_GATEWAY and b'"errorType"' in answer[2] else answer


@replaces("services.lambda_svc._create_esm", "d351521bb6cd")
def create_mapping(original: Any, request: Any) -> Any:
    """Create an event source mapping if the function's role may read the source and send to the destination."""
    function, _, _ = _lambda._get_func_record_for_ref(request.get("FunctionName", ""))
    role = nested(function, "config", "Role")
    source = str(request.get("EventSourceArn", ""))
    target = nested(request, "DestinationConfig", "OnFailure", "Destination")
    denied = _first_denied(role, [(source, READ_ACTIONS)] + ([(target, _SENDS)] if target else []))
    return _refused(denied) if denied else original(request)


@replaces("services.lambda_svc._put_event_invoke_config", "e53a9f8cbd9c")
def put_event_invoke_config(original: Any, name: str, qualifier: Any, request: Any) -> Any:
    """Accept on-success and on-failure destinations if the function's role may send to them."""
    role = nested(_lambda._functions.get(name), "config", "Role")
    targets = [nested(request, "DestinationConfig", kind, "Destination") for kind in ("OnSuccess", "OnFailure")]
    denied = _first_denied(role, [(target, _SENDS) for target in targets if target])
    return _refused(denied) if denied else original(name, qualifier, request)


@replaces("services.lambda_svc._create_function", "e307eecdf0d8")
def create_function(original: Any, request: Any) -> Any:
    """Create a function if its role trusts Lambda and may send to the function's dead-letter queue."""
    if not trusts(request.get("Role", ""), "lambda.amazonaws.com"):
        message = "The role defined for the function cannot be assumed by Lambda."
        return _responses.error_response_json("InvalidParameterValueException", message, 400)
    target = nested(request, "DeadLetterConfig", "TargetArn")
    denied = _first_denied(request.get("Role"), [(target, _SENDS)] if target else [])
    return _refused(denied) if denied else original(request)


@replaces("services.stepfunctions._create_state_machine", "4bc1231dda69")
def create_state_machine(original: Any, request: Any) -> Any:
    """Create a state machine if its role trusts Step Functions and may deliver logs."""
    if not trusts(request.get("roleArn", ""), "states.amazonaws.com"):
        message = "The service principal states.amazonaws.com is not authorized to assume the provided role."
        return _responses.error_response_json("AccessDeniedException", message, 400)
    logged = nested(request, "loggingConfiguration", "level") not in (None, "OFF")
    if logged and not role_may(request.get("roleArn", ""), "logs:CreateLogDelivery", "*"):
        message = "The state machine IAM Role is not authorized to access the Log Destination"
        return _responses.error_response_json("AccessDeniedException", message, 400)
    return original(request)


def _may_invoke(reference: str, place: str) -> bool:
    function, _, _ = _lambda._get_base_func_record_for_ref(reference)
    source = f"arn:aws:execute-api:{_responses.get_region()}:{_responses.get_account_id()}:{place}"
    return function is None or service_may(function["policy"], _PRINCIPAL, "lambda:InvokeFunction", reference, source)


def _first_denied(role: Any, uses: Iterable[tuple[str, dict[str, tuple[str, ...]]]]) -> tuple[str, str] | None:
    for target, known in uses:
        for action in known.get(target.split(":")[2], ()) if role else ():
            if not role_may(role, action, target):
                return action, target
    return None


def _refused(denied: tuple[str, str]) -> Any:
    message = f"The provided execution role does not have permissions to call {denied[0]} on {denied[1]}"
    return _responses.error_response_json("InvalidParameterValueException", message, 400)
