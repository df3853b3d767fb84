"""API Gateway writes access logs.

Emulator: The emulator stores the access log settings of a stage but writes no log.
AWS: For each request, API Gateway writes one line in the format that the stage defines.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
Upstream: request as a feature.
"""

from __future__ import annotations

import contextvars
import json
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

from emulator_fixes import internal, nested, replaces
from emulator_fixes.rest_calls import RestCall, current

_VARIABLE: Final = re.compile(r"\$context\.([A-Za-z0-9_.]+)")
_rest: Any = internal("services.apigateway_v1")
_http: Any = internal("services.apigateway")
_logs: Any = internal("services.cloudwatch_logs")
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("http_api_request_id", default="")


@replaces("services.apigateway_v1._handle_execute_in_scope", "60ed5805557f")
async def execute_rest(original: Any, api: str, stage: str, *arguments: Any) -> Any:
    """Serve a request to a REST API, and write its access log line."""
    method, path, headers, body, query, *_ = arguments
    call = RestCall(method=method, path=path, headers=headers or {}, query=query or {}, body=body)
    current.set(call)
    answer = await original(api, stage, *arguments)
    settings = nested(_rest._stages_v1.get(api), stage, "accessLogSettings")
    error_type, message = call.error or ("-", "-")
    context = {
        **call.context(),
        "error": {"message": message, "responseType": error_type},
        "integration": {"status": call.integration.get("status", str(answer[0])), "latency": _since(call.began)},
    }
    _write(settings, context, answer, call.began)
    return answer


@replaces("services.apigateway._handle_execute_in_scope", "aa60b8b0dfaa")
async def execute_http(original: Any, api: str, stage: str, *arguments: Any, **named: Any) -> Any:
    """Serve a request to an HTTP API, and write its access log line."""
    path, method, headers, *_ = arguments
    began, request_id = time.time(), _http.new_uuid()
    _request_id.set(request_id)
    answer = await original(api, stage, *arguments, **named)
    route = nested(_http._match_route(api, method, "/" + path.lstrip("/")), "routeKey")
    settings = nested(_http._stages.get(api), stage, "accessLogSettings")
    context: dict[str, Any] = {
        "apiId": api,
        "httpMethod": method,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": str(nested(headers, "user-agent") or "")},
        "integration": {"status": str(answer[0]), "latency": _since(began)},
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": f"{datetime.fromtimestamp(began, UTC):%d/%b/%Y:%H:%M:%S +0000}",
        "requestTimeEpoch": int(began * 1000),
        "routeKey": route or "-",
        "stage": stage,
    }
    _write(settings, context, answer, began)
    return answer


@replaces("services.apigateway.new_uuid", "1a88ffd41fb7")
def new_uuid(original: Any) -> str:
    """Return the id of the current request, or a new id outside of a request.

    The emulator passes this id to the invoked function, so the function's log and the access log contain the same id.
    """
    return _request_id.get() or original()


def _write(settings: Any, context: dict[str, Any], answer: Any, began: float) -> None:
    """Write a request's access log line in the stage's format. A variable without a value becomes `-`, as on AWS."""
    group = str(nested(settings, "destinationArn") or "").partition(":log-group:")[2].removesuffix(":*")
    if not group or group not in _logs._log_groups:
        return
    status, _, body = answer
    known = {**context, "status": str(status), "responseLength": str(len(body)), "responseLatency": _since(began)}
    line = _VARIABLE.sub(lambda match: _escaped(_at(known, match[1])), settings["format"])
    stream = f"{datetime.now(UTC):%Y/%m/%d}/{context['apiId']}"
    _logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    written = [{"timestamp": int(time.time() * 1000), "message": line}]
    _logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": written})


def _at(context: Any, path: str) -> str:
    found = nested(context, *path.split("."))
    return "-" if found is None else str(found)


def _escaped(value: str) -> str:
    """Return `value` with JSON escapes, so that it fits between the quotes of a JSON log format."""
    return json.dumps(value)[1:-1]


def _since(began: float) -> str:
    return str(int((time.time() - began) * 1000))
