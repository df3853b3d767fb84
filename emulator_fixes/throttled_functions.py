"""Reserved concurrency applies to all versions and aliases of a function, and a throttled call fails as on AWS.

Emulator: The emulator applies reserved concurrency only to the unpublished version of a function. If Lambda throttles a
    function, the emulator returns Lambda's status 429 to the clients of an API, and a workflow's task fails without an
    error name.
AWS: Reserved concurrency applies to "the function as a whole, including all published versions and the unpublished
    version". If Lambda throttles a function, API Gateway responds 500, or with the gateway response INTEGRATION_FAILURE
    if the REST API defines one. A workflow's task fails with Lambda.TooManyRequestsException.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
Source: https://repost.aws/questions/QUL-z6rJbmR4meafB7MzYXxw
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.rest_calls import current

_THROTTLED: Final = "TooManyRequestsException"
_HTTP_API_ANSWER: Final = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}
_lambda: Any = internal("services.lambda_svc")
_states: Any = internal("services.stepfunctions")
_http_api: contextvars.ContextVar[bool] = contextvars.ContextVar("for_http_api", default=False)


@replaces("services.lambda_svc._reserved_concurrency", "ebec4b4bba77")
def reserved_concurrency(original: Any, function: Any, config: Any) -> int | None:
    """Return the function's current reserved concurrency, or None if it has none.

    Reads the limit from the emulator's current record of the function. The records in the arguments are not reliable:
    the record of a version contains no limit, and the record that a waiting event carries can be out of date.
    """
    del original, function
    limit = nested(_lambda._functions.get(config.get("FunctionName", "")), "concurrency")
    return None if limit is None else int(limit)


@replaces("services.apigateway.handle_execute", "c7a2f92d7eb6")
async def serve_http_api(original: Any, *arguments: Any, **named: Any) -> Any:
    """Remember that an HTTP API handles the request.

    If the function is throttled, the HTTP API responds 500. A function URL responds 429, as without this correction.
    """
    token = _http_api.set(True)
    try:
        return await original(*arguments, **named)
    finally:
        _http_api.reset(token)


@replaces("services.lambda_svc.lambda_execute_result_to_api_proxy_response", "36f0ed215e85")
def answer_of_http_api(original: Any, result: Any) -> Any:
    """Return a response with status 500 if an HTTP API invoked a throttled function."""
    return (_HTTP_API_ANSWER, None) if result.get("throttle") and _http_api.get() else original(result)


@replaces("services.apigateway_v1._lambda_proxy_response", "3a5b91b76870")
def answer_of_rest_api(original: Any, result: Any) -> Any:
    """Report a throttled function as an integration failure, for which rest_checks.py creates the response."""
    call = current.get()
    if call is None or not result.get("throttle"):
        return original(result)
    call.throttled = True
    return None, _THROTTLED


@replaces("services.stepfunctions._call_lambda", "25830369b126")
def call_from_workflow(original: Any, reference: Any, event: Any) -> Any:
    """Invoke the function of a task. If the function is throttled, raise Lambda.TooManyRequestsException."""
    try:
        return original(reference, event)
    except _states._ExecutionError as error:
        if f'"{_THROTTLED}"' not in error.cause or "retryAfterSeconds" not in error.cause:
            raise
        body = json.loads(error.cause)
        raise _states._ExecutionError(f"Lambda.{_THROTTLED}", f"{body['message']} (Status Code: 429)") from None
