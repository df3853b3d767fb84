"""A REST API checks tokens and bodies as on AWS, and hides the errors of its functions.

Emulator: The emulator accepts access tokens where AWS requires ID tokens, and ignores the audience of a token. It
    validates bodies even if their content type has no model, and accepts bodies of any size. It passes a list in a
    token's claim to the function as `[a b]`, the format of HTTP APIs. If a function fails, the emulator returns the
    function's error message instead of the gateway response.
AWS: For methods without scopes, a REST API requires ID tokens of its user pool. It validates a body only if the content
    type has a model, and limits bodies to 10 MB. It passes a list in a claim as `a,b`. If a function fails, the REST
    API returns the gateway response.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
Upstream: report as a bug.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.rest_calls import current

_gateway: Any = internal("services.apigateway_v1")
_FAILURE: Final = "INTEGRATION_FAILURE"
_LARGEST_BODY: Final = 10 * 1024 * 1024


@replaces("services.apigateway_v1._validate_cognito_authorizer", "11c3eaecec67")
async def validate_token(original: Any, authorizer: Any, method: Any, *arguments: Any) -> Any:
    """Require an ID token for a method without scopes, and an access token for a method with scopes.

    This rule is from the API Gateway developer guide. If the authorizer has a validation expression, the token's `aud`
    must match it (API reference, CreateAuthorizer).
    """
    claims, error = await original(authorizer, method, *arguments)
    wanted = "access" if method.get("authorizationScopes") else "id"
    audience = re.search(authorizer.get("identityValidationExpression") or "", str(nested(claims, "aud") or ""))
    if error is None and (claims.get("token_use") != wanted or not audience):
        return None, _gateway._gw_error("UNAUTHORIZED", "Unauthorized")
    call = current.get()
    if call is not None and error is None:
        call.authorizer = {"claims": _gateway._stringify_claims(claims)}
    return claims, error


@replaces("services.apigateway_v1._stringify_claims", "5c1785a18bd0")
def render_claims(original: Any, claims: Any) -> Any:
    """Format a list in a claim of the token as `a,b` for the function. The format `[a b]` belongs to HTTP APIs."""
    given: dict[str, Any] = claims or {}
    lists: dict[str, list[Any]] = {name: each for name, each in given.items() if isinstance(each, list)}
    return original({**given, **{name: ",".join(map(str, each)) for name, each in lists.items()}})


@replaces("services.apigateway_v1._check_request_validation", "9605a07a083f")
def check_request(original: Any, method: Any, api: Any, request: Any, headers: Any, body: Any, query: Any) -> Any:
    """Refuse a body larger than 10 MB, and validate a body only if its content type has a model."""
    if body and len(body) > _LARGEST_BODY:
        return _gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
    content_type = str(_gateway._header_ci(headers, "content-type") or "application/json").partition(";")[0].strip()
    models: dict[str, str] = method.get("requestModels") or {}
    if models and content_type.lower() not in {name.lower() for name in models}:
        method = {**method, "requestModels": {}}
    return original(method, api, request, headers, body, query)


@replaces("services.apigateway_v1._invoke_lambda_proxy_v1", "5651a96fa7ba")
async def invoke_function(original: Any, *arguments: Any, **named: Any) -> Any:
    """Return the gateway response for a failed function, so that clients do not see the function's own error."""
    answer: Any = await original(*arguments, **named)
    if not isinstance(answer, _gateway._GatewayError) and answer[:2] == (502, {"Content-Type": "application/json"}):
        return _gateway._gw_error(_FAILURE, "Internal server error")
    return answer


@replaces("services.apigateway_v1._gateway_error_response", "c0a3f091df36")
def gateway_error(original: Any, error: Any, request: Any) -> Any:
    """Return the gateway response of an error, and remember the error for the access log.

    If the API defines no status for the response to a failed integration, the emulator responds 504. This function
    instead responds 500 if the integration's function is throttled, and otherwise 502.
    """
    call = current.get()
    if call is not None:
        call.error = (error.response_type, error.message)
    status, headers, body = original(error, request)
    deployment = str(nested(request, "stage", "deploymentId"))
    deployed = _gateway._deployed_gateway_responses.get(request["api_id"])
    if error.response_type == _FAILURE and not nested(deployed, deployment, _FAILURE, "statusCode"):
        status = 500 if call is not None and call.throttled else 502
    return status, headers, body


@replaces("services.apigateway_v1._build_lambda_event_v1", "c7ac97b91f6e")
def build_event(original: Any, *arguments: Any, **named: Any) -> Any:
    """Pass the request's own id to the function, so that the function's log and the access log contain the same id."""
    event = original(*arguments, **named)
    call = current.get()
    if call is not None and call.source:
        event["requestContext"]["requestId"] = event["requestContext"]["extendedRequestId"] = call.source["request_id"]
    return json.loads(json.dumps(event))
