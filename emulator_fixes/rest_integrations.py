"""REST methods can call Step Functions, and MOCK integrations render their mapping templates.

This correction calls Step Functions with the integration's role, and renders the templates.

Emulator: The emulator responds 504 to requests for a method that calls Step Functions, and ignores the templates of a
    MOCK integration.
AWS: API Gateway calls Step Functions directly, without a Lambda function, and responds itself to requests for a MOCK
    integration. In both cases, it renders the mapping templates of the integration.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
Source: https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-api-gateway.html
Upstream: request as a feature.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from emulator_fixes import internal, replaces
from emulator_fixes.authorization import role_may, trusts
from emulator_fixes.rest_calls import RestCall, current
from emulator_fixes.velocity import render
from local.patience import PATIENCE

_JSON: Final = "application/json"
_OK: Final = 200
_BAD_REQUEST: Final = 400
_gateway: Any = internal("services.apigateway_v1")
_states: Any = internal("services.stepfunctions")


@replaces("services.apigateway_v1._execute_in_scope", "2ae72b7d5eb6")
async def execute_in_scope(original: Any, request: Any, *arguments: Any) -> Any:
    """Remember the request for the other corrections, and send its id to the client in a header."""
    _, _, method, path, headers, body, query, *_ = arguments
    call = current.get() or RestCall(method=method, path=path, headers=headers or {}, query=query or {}, body=body)
    call.source = request
    current.set(call)
    answer: Any = await original(request, *arguments)
    if isinstance(answer, tuple):
        answer[1].setdefault("x-amzn-requestid", request["request_id"])  # pyright: ignore[reportUnknownMemberType]
    return answer  # pyright: ignore[reportUnknownVariableType]


@replaces("services.apigateway_v1._invoke_mock_v1", "20f819eee1f9")
def invoke_mock(original: Any, integration: Any) -> Any:
    """Return the response that the mapping templates render. The request template selects the status code."""
    call = current.get()
    if call is None:
        return original(integration)
    template = _template(integration.get("requestTemplates"), call) or '{"statusCode": 200}'
    try:
        status = json.loads(render(template, call.template_request(_body(call))).text)["statusCode"]
    except (ValueError, LookupError, TypeError):
        return _gateway._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    return _answer(integration, call, int(status), "{}")


@replaces("services.apigateway_v1._invoke_lambda_custom_v1", "79d47dae9d00")
async def invoke_service(original: Any, integration: Any, *arguments: Any, **named: Any) -> Any:
    """Call Step Functions if the integration's URI refers to it. The emulator itself handles any other service."""
    found = _gateway._parse_service_integration_uri(integration.get("uri", ""))
    call = current.get()
    if call is None or not found or found[1:3] != ("states", "action"):
        return await original(integration, *arguments, **named)
    call.authorizer = named.get("authorizer_context")
    action, limit_s = found[3], int(integration.get("timeoutInMillis") or 29_000) / 1000
    template = _template(integration.get("requestTemplates"), call)
    try:
        text = render(template, call.template_request(_body(call))).text if template else _body(call)
        request = json.loads(text)
    except ValueError:
        return _gateway._gw_error("BAD_REQUEST_BODY", "Invalid request body")
    work = asyncio.to_thread(_call, action, str(integration.get("credentials") or ""), request)
    try:
        status, body = await asyncio.wait_for(work, limit_s * PATIENCE)
    except TimeoutError:
        return _gateway._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
    return _answer(integration, call, status, body)


def _call(action: str, role: str, request: Any) -> tuple[int, str]:
    """Call `action` of Step Functions with the integration's role, and return the status and the body."""
    machine = str(request.get("stateMachineArn", "*"))
    if not trusts(role, "apigateway.amazonaws.com") or not role_may(role, f"states:{action}", machine):
        message = f"User: {role} is not authorized to perform: states:{action} on resource: {machine}"
        return _BAD_REQUEST, json.dumps({"__type": "AccessDeniedException", "message": message})
    handler = {"StartSyncExecution": _states._start_sync_execution, "StartExecution": _states._start_execution}
    status, _, body = _states._finalize_response(handler[action](request))
    return status, body.decode() if isinstance(body, bytes) else str(body)


def _answer(integration: Any, call: RestCall, status: int, body: str) -> Any:
    """Return the method's response for the integration's status and body."""
    call.integration["status"] = str(status)
    response = _select(integration.get("integrationResponses") or {}, str(status))
    if response is None:
        return _gateway._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    headers = {"Content-Type": _JSON}
    parameters: Mapping[str, str] = response.get("responseParameters") or {}
    for target, source in parameters.items():
        if target.startswith("method.response.header.") and source[:1] == source[-1:] == "'":
            headers[target.removeprefix("method.response.header.")] = source[1:-1]
    answered = int(response["statusCode"])
    templates: Mapping[str, str] | None = response.get("responseTemplates")
    if templates is None or _JSON not in templates:
        return answered, headers, body.encode()
    try:
        rendered = render(templates[_JSON] or "", call.template_request(body))
    except ValueError:
        return _gateway._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    return rendered.status or answered, {**headers, **rendered.headers}, rendered.text.encode()


def _select(responses: Mapping[str, Any], status: str) -> Any:
    """Return the integration response whose pattern matches `status`, or the default response, which has no pattern."""
    default = None
    for response in responses.values():
        pattern = response.get("selectionPattern")
        if not pattern:
            default = response
        elif re.fullmatch(pattern, status):
            return response
    return default


def _template(templates: Any, call: RestCall) -> str:
    content_type = str(call.headers.get("content-type") or _JSON).partition(";")[0].strip().lower()
    named: Mapping[str, str] = templates or {}
    return next((text for kind, text in named.items() if kind.lower() == content_type), "")


def _body(call: RestCall) -> str:
    return call.body.decode("utf-8", errors="replace") if call.body else ""
